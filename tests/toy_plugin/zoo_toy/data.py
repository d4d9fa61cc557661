"""Simulated read depth with gains and losses, and the contact map that segments make."""

from __future__ import annotations

import numpy as np

from zoo.data.source import Examples, Source
from zoo.fields import Field

CLASSES = ("loss", "neutral", "gain")


class _Windows(Examples):
    def __init__(self, n: int, bins: int, bin_size: int, seed: int):
        rng = np.random.default_rng(seed)
        self.lengths = np.full(n, bins * bin_size)
        start = rng.integers(0, bins - 6, n)
        change = rng.integers(0, 3, n)
        inside = (np.arange(bins) >= start[:, None]) & (np.arange(bins) < start[:, None] + 6)
        self.states = np.where(inside, change[:, None], 1).astype(np.int64)
        noise = rng.normal(0, 0.2, (2, n, bins))
        depth = (self.states + 1) / 2 + noise[0]
        self.signal = np.stack([depth, (self.states != 1) + noise[1]], 1).astype(np.float32)
        self.contacts = (self.states[:, None, :, None] == self.states[:, None, None, :]).astype(np.float32)
        self.states[:, -1] = -1  # not labelled

    def batch(self, indices: np.ndarray, margin: int = 0) -> dict[str, np.ndarray]:
        return {
            "signal": self.signal[indices],
            "target/segments": self.states[indices],
            "target/contacts": self.contacts[indices],
        }


class Tracks(Source):
    """Signal without any sequence: depth and allele fraction, segments and contacts as targets.

    bins: bins of a window.
    bin_size: bp of a bin.
    n: windows in training; a third of it in validation and in test.
    """

    def __init__(self, *, bins: int = 24, bin_size: int = 10, n: int = 192, seed: int = 0):
        self.inputs = {"signal": Field("AT", channels=("depth", "baf"), bin_size=bin_size)}
        self.targets = {
            "segments": Field("T", values="class", vocabulary=CLASSES, bin_size=bin_size),
            "contacts": Field("CTT", channels=("contacts",), bin_size=bin_size),
        }
        self.input_length = bins * bin_size
        self.bins, self.bin_size, self.n, self.seed = bins, bin_size, n, seed

    def examples(self, split: str) -> Examples:
        at = ("train", "validation", "test").index(split)
        return _Windows(self.n if at == 0 else self.n // 3, self.bins, self.bin_size, 3 * self.seed + at)

    def describe(self) -> dict:
        return {"made": "simulated", "n": self.n}
