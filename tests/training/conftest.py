"""A small data source with masks, flanks, two targets and an input of its own, and a bare run."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from zoo.data.codes import reverse_complement
from zoo.data.source import Examples, Source
from zoo.fields import Field


class Rows(Examples):
    """Random codes; the targets are counted from them, so that whatever moves must move together."""

    def __init__(self, n=50, length=40, margin=8, lengths=None, weights=None, bin_size=4, seed=0):
        self.lengths = np.full(n, length) if lengths is None else np.asarray(lengths)
        self.margin, self.weights, self.bin_size = margin, weights, bin_size
        generator = np.random.default_rng(seed)
        self._codes = [generator.integers(0, 4, size + 2 * margin).astype(np.uint8) for size in self.lengths]
        self._mask = (generator.random((len(self.lengths), 2)) < 0.6).astype(np.float32)
        self._buffer = {}

    def batch(self, indices, margin=0):
        cut = self.margin - margin
        codes = np.stack([self._codes[i][cut : len(self._codes[i]) - cut] for i in indices])
        g = (codes == 2).astype(np.float32)
        made = {
            "codes": codes,
            "target/profile": bins(codes, self.bin_size),
            "target/scalar": np.stack([g.mean(1), g.sum(1) > 9], axis=1).astype(np.float32),
            "weight/scalar": self._mask[indices],
        }
        for key, value in made.items():  # one buffer for all batches, as a fast source does it
            buffer = self._buffer.setdefault((key, value.shape), np.empty_like(value))
            buffer[...] = value
            made[key] = buffer
        return made


def bins(codes, bin_size):
    """(N, 2, T): how often G, and how often C, occurs in a bin; the strands of one another."""
    counts = [(codes == letter).astype(np.float32).reshape(len(codes), -1, bin_size).sum(2) for letter in (2, 1)]
    return np.stack(counts, axis=1)


class Tiny(Source):
    """Two heads, one of them masked, one with positions and strands."""

    def __init__(self, *, n: int = 50, seed: int = 0, margin: int = 8, lengths=None, weights=None):
        self.input_length = 40
        self.targets = {
            "profile": Field("CT", channels=("g", "c"), bin_size=4, rc=(1, 0), values="count"),
            "scalar": Field("C", channels=("share", "many"), values="real"),
        }
        self._arguments = {"n": n, "seed": seed, "margin": margin, "lengths": lengths, "weights": weights}

    def examples(self, split):
        seed = self._arguments["seed"] + ("train", "validation", "test").index(split)
        return Rows(**{**self._arguments, "seed": seed})

    def describe(self):
        return {"name": "tiny", "splits": {"train": {"n": self._arguments["n"]}}}


@pytest.fixture
def rows():
    return Rows


@pytest.fixture
def tiny(monkeypatch):
    """`data: {name: tiny}` for the length of a test."""
    from zoo.registry import registry

    module = type(sys)("zoo_tests_tiny")
    module.Tiny = Tiny
    monkeypatch.setitem(sys.modules, "zoo_tests_tiny", module)
    monkeypatch.setattr(registry(), "components", dict(registry().components))
    registry().add("data", "tiny", "zoo_tests_tiny:Tiny")
    return Tiny


@pytest.fixture
def config(tmp_path):
    """A run of two seconds."""
    return {
        "name": "run",
        "seed": 0,
        "strand": "augmented",
        "encoder": {"name": "motif_cnn", "filters": 8, "width": 19, "hidden": 8, "dropout": 0.1},
        "head": {"name": "scalar"},
        "objective": {"name": "cross_entropy"},
        "data": {"name": "simulated", "n_train": 400, "n_validation": 100, "n_test": 100, "length": 60},
        "optimizer": {"name": "adam", "lr": 3e-3},
        "trainer": {"max_epochs": 3, "batch_size": 32, "logger": "none"},
        "output_dir": str(tmp_path / "run"),
    }


@pytest.fixture
def flipped():
    return reverse_complement
