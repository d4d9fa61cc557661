"""A tiny encoder and head, registered for a test, and a cache and hub of the test's own."""

from __future__ import annotations

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest
import torch
from torch import nn

from zoo.fields import Field, Grid
from zoo.hub.model_folder import save_bundle
from zoo.interfaces import Encoder, Head
from zoo.model import build
from zoo.registry import registry
from zoo.spec import ModelSpec

_spec = spec_from_file_location("loopback", Path(__file__).with_name("loopback.py"))
loopback = module_from_spec(_spec)
sys.modules["loopback"] = loopback
_spec.loader.exec_module(loopback)


class TinyEncoder(Encoder):
    """One convolution."""

    def __init__(self, *, channels: int = 4, width: int = 3, layers: int = 1):
        super().__init__()
        self.out_channels, self.receptive_field = channels, width
        self.convolutions = nn.ModuleList(
            nn.Conv1d(4 if i == 0 else channels, channels, width, padding=width // 2) for i in range(layers)
        )

    def grid(self, length):
        return Grid(0, 1, length)

    def forward(self, inputs):
        x = inputs["one_hot"]
        for convolution in self.convolutions:
            x = torch.relu(convolution(x))
        return x


class TinyHead(Head):
    """The mean over positions, through a linear layer."""

    def __init__(self, *, in_channels: int, tasks: tuple[str, ...] = ("CTCF",)):
        super().__init__()
        self.linear = nn.Linear(in_channels, len(tasks))
        self.field = Field("C", channels=tuple(tasks))

    def forward(self, embedding, inputs):
        return self.linear(embedding.mean(2))


@pytest.fixture(autouse=True)
def alone(monkeypatch, tmp_path):
    """No registry, hub, cache or token of the machine's reaches a test."""
    for name in ("ZOO_HUB", "ZOO_REGISTRY", "ZOO_OFFLINE", "HF_HUB_OFFLINE", "HF_TOKEN", "HF_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path / "cache"))


@pytest.fixture(autouse=True)
def tiny(monkeypatch):
    """Components `tiny_conv` and `tiny_mean`."""
    module = ModuleType("tiny_components")
    module.TinyEncoder, module.TinyHead = TinyEncoder, TinyHead
    monkeypatch.setitem(sys.modules, "tiny_components", module)
    known = registry()
    monkeypatch.setattr(known, "components", dict(known.components))
    monkeypatch.setattr(known, "model_files", list(known.model_files))
    with known.registering("zoo-core"):
        known.add("encoder", "tiny_conv", "tiny_components:TinyEncoder")
        known.add("head", "tiny_mean", "tiny_components:TinyHead")


@pytest.fixture
def make_spec():
    """Spec of a tiny model of 20 bp, some values changed."""

    def make(**changes):
        spec = ModelSpec(
            name="tiny-ctcf",
            encoder={"name": "tiny_conv", "channels": 4, "width": 3, "layers": 1},
            heads={"CTCF": {"name": "tiny_mean", "in_channels": 4, "tasks": ["CTCF"]}},
            input_length=20,
            activation={"CTCF": "sigmoid"},
            task="CTCF binding",
            description="Does CTCF bind?",
            licence="MIT",
        )
        return spec.replace(**changes)

    return make


@pytest.fixture
def make_model(make_spec):
    """A tiny model with weights drawn from a seed."""

    def make(seed=0, **changes):
        torch.manual_seed(seed)
        return build(make_spec(**changes))

    return make


@pytest.fixture
def batch():
    """Six examples: codes (6, 20), and a target that a model does not read."""
    codes = torch.randint(0, 5, (6, 20), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))
    return {"codes": codes, "target/CTCF": torch.zeros(6, 1)}


@pytest.fixture
def model(make_model):
    return make_model()


@pytest.fixture
def bundle(model, batch, tmp_path):
    """A model folder."""
    save_bundle(model, tmp_path / "bundle", batch)
    return tmp_path / "bundle"


@pytest.fixture
def hub(monkeypatch):
    """A running Hugging Face server of the test's own, to which HF_ENDPOINT points."""
    with loopback.serve() as running:
        monkeypatch.setenv("HF_ENDPOINT", running.endpoint)
        yield running
