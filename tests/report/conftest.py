"""A model that knows one motif and nothing else, its run folder, and judges whose answers are set."""

import json
import sys
import types
from dataclasses import dataclass, field

import numpy as np
import pytest
import torch

from zoo.data.sources.simulation import Simulated
from zoo.hub.model_folder import save_bundle
from zoo.model import build
from zoo.report.section import Subject
from zoo.report.subject import open_subject
from zoo.spec import ModelSpec

DATA = {"name": "simulated", "n_train": 200, "n_validation": 40, "n_test": 120, "motifs": ["CTCF"]}


def knows_ctcf(**changes):
    """max over the window of the match to CTCF's matrix, as a logit."""
    encoder = {"name": "motif_cnn", "filters": 1, "width": 21, "hidden": 0, "tied": True, "motifs": ["MA0139.2"]}
    head = {"name": "scalar", "in_channels": 2, "tasks": ["CTCF"], "values": "binary"}
    spec = ModelSpec("knows-ctcf", encoder, {"binding": head}, 200, activation={"binding": "sigmoid"}, **changes)
    model = build(spec).eval()
    with torch.no_grad():
        for name, parameter in model.heads.named_parameters():
            parameter.fill_(4.0 if "weight" in name else -4.0)
    return model


@pytest.fixture
def bundle(tmp_path):
    """bundle(description="...") -> a model folder."""

    def make(folder="model", **changes):
        save_bundle(knows_ctcf(**changes), tmp_path / folder, Simulated(n_test=8).examples("test").batch(np.arange(8)))
        return tmp_path / folder

    return make


@pytest.fixture
def run(tmp_path, bundle):
    """A finished run on simulated data, with the losses of three epochs."""
    bundle("run/model", description="Does CTCF bind?")
    (tmp_path / "run" / "config.json").write_text(json.dumps({"data": DATA, "strand": "none", "seed": 0}))
    logs = tmp_path / "run" / "logs"
    logs.mkdir()
    lines = ["epoch,learning_rate,step,train/binding,train/loss,validation/binding,validation_loss"]
    for epoch, (train, validation) in enumerate([(0.7, 0.6), (0.4, 0.5), (0.2, 0.55)]):
        lines += [f",0.1,{epoch * 20 + s},{train},{train},," for s in (10, 20)]
        lines.append(f"{epoch},,{epoch * 20 + 19},,,{validation},{validation}")
    (logs / "metrics.csv").write_text("\n".join(lines) + "\n")
    return tmp_path / "run"


@pytest.fixture
def opened(run):
    """The run as a subject, ism for its interpreter."""
    return open_subject(str(run), interpreter="ism", n=30)


@pytest.fixture
def plain():
    """plain(model) -> a subject with eight random sequences and nothing else."""

    def make(model=None, **more):
        from zoo.outputs import Output

        model = model or knows_ctcf()
        codes = np.random.default_rng(0).integers(0, 4, (8, 200)).astype(np.uint8)
        return Subject("x", model, Output.parse("CTCF:raw", model.spec), codes, "eight sequences", **more)

    return make


@dataclass(frozen=True)
class Verdict:
    question: str
    answer: str
    words: str


@dataclass
class Judges:
    """What the stand-ins for zoo.attribution.validation and zoo.attribution.baseline_check answer, and were asked."""

    verdicts: list = field(default_factory=lambda: [Verdict("Are they faithful?", "yes", "Removing them hurts.")])
    worth: Verdict = field(default_factory=lambda: Verdict("Is it worth explaining?", "unsure", "It is close."))
    rows: list = field(
        default_factory=lambda: [
            {"measure": "pearson", "value": 0.5, "low": 0.4, "high": 0.6, "null_high": 0.1, "n": 8, "unit": "sequences"}
        ]
    )
    asked: list = field(default_factory=list)

    def validate(self, model, codes, **more):
        self.asked.append((codes, more))
        numbers = np.linspace(-1, 1, 20)
        return types.SimpleNamespace(verdicts=lambda: self.verdicts, rows=self.rows, scores=numbers, effects=numbers)

    def check_baselines(self, rows, head, task):
        self.asked.append((rows, head, task))
        return self.worth


@pytest.fixture
def judges(monkeypatch):
    """Judges in place of the real ones."""
    made = Judges()
    for name, function in (("validation", made.validate), ("baseline_check", made.check_baselines)):
        module = types.ModuleType(f"zoo.attribution.{name}")
        setattr(module, function.__name__, function)
        module.NAMES = {"pearson": "Pearson r"}
        monkeypatch.setitem(sys.modules, module.__name__, module)
    return made


@pytest.fixture
def model():
    """model(metrics=...) -> a model that knows CTCF."""
    return knows_ctcf
