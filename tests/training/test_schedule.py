"""Coefficients that change from step to step: at the right value, over a resumed run too, and in the log."""

from __future__ import annotations

import csv
import math
import os
import signal

import pytest
import torch
from safetensors.torch import load_file

from zoo.errors import ConfigError
from zoo.training.plan import TrainingPlan
from zoo.training.run import train
from zoo.training.schedule import coefficient_factor

LAB = {"name": "simulated", "n_train": 96, "n_validation": 32, "n_test": 32, "length": 60}


@pytest.fixture
def config(config):
    """Two laboratories, a discriminator that tells them apart, and its strength rising."""
    config["data"] = {
        "name": "mixture",
        "sources": {"a": LAB, "b": {**LAB, "seed": 1, "rows": {"gc": 0.6}}},
        "domains": {"a": "left", "b": "right"},
    }
    config["objectives"] = {"lab": {"name": "domain_adversarial", "strength": 0.5, "coefficient": 0.2}}
    config["schedules"] = {"objectives.lab.strength": "ramp", "objectives": {"binding": {"coefficient": "linear"}}}
    config["trainer"] |= {"max_epochs": 2, "batch_size": 32, "threads": 1, "log_every": 1, "logger": "csv"}
    return config


def test_the_ramp_is_ganin_s_and_the_others_go_where_their_names_say():
    for step in range(0, 101, 10):
        p = step / 100
        assert coefficient_factor("ramp", step, 100) == pytest.approx(2 / (1 + math.exp(-10 * p)) - 1)
        assert coefficient_factor("linear", step, 100) == pytest.approx(p)
        assert coefficient_factor("cosine", step, 100) == pytest.approx((1 + math.cos(math.pi * p)) / 2)
        assert coefficient_factor("constant", step, 100) == 1


def test_a_scheduled_coefficient_scales_the_gradient_and_not_the_validation_loss(config):
    loss = TrainingPlan.of(config).loss
    loss.at_step(25, 100)
    assert loss.coefficient_now("binding") == pytest.approx(0.25)
    assert loss.term("binding").coefficient == 1
    strength = 0.5 * (2 / (1 + math.exp(-2.5)) - 1)
    assert loss.terms["lab"].objective.strength == pytest.approx(strength)
    embedding = torch.randn(6, 8, 4, requires_grad=True)
    gradients = []
    for domains in ({"domain": torch.arange(6) % 2},) * 2:
        value, weight = loss.terms["lab"].objective({}, domains, embedding)["domain_adversarial"]
        gradients.append(torch.autograd.grad(value / weight, embedding)[0])
        loss.at_step(100, 100)
    torch.testing.assert_close(gradients[1], gradients[0] * 0.5 / strength)


def test_an_adversarial_run_on_two_laboratories_logs_its_schedule_and_resumes_in_it(config, tmp_path, monkeypatch):
    from zoo.training import module

    result = train(config)
    assert {"source a", "source b"} <= {row["stratum"] for row in result.metrics}
    with open(result.folder / "logs" / "metrics.csv") as file:
        rows = [row for row in csv.DictReader(file) if row["train/loss"]]
    assert len(rows) == 2 * 6
    for step, row in enumerate(rows):
        factor = coefficient_factor("ramp", step, 12)
        assert float(row["schedule/objectives.lab.strength"]) == pytest.approx(0.5 * factor)
        assert float(row["schedule/objectives.binding.coefficient"]) == pytest.approx(step / 12)

    step = module.TrainingModule.training_step

    def stopped(self, batch, batch_idx):
        if self.global_step == 7:
            os.kill(os.getpid(), signal.SIGTERM)
        step(self, batch, batch_idx)

    again = {**config, "output_dir": str(tmp_path / "again")}
    with monkeypatch.context() as patch:
        patch.setattr(module.TrainingModule, "training_step", stopped)
        with pytest.raises(SystemExit):
            train(again)
    resumed = train({"resume": again["output_dir"]})
    a, b = (load_file(r.model_folder / "model.safetensors") for r in (result, resumed))
    assert all(torch.equal(a[key], b[key]) for key in a)


@pytest.mark.parametrize(
    ("schedules", "message"),
    [
        ({"objectives.lob.strength": "ramp"}, r"names no objective: did you mean 'objectives\.lab'"),
        ({"objectives.lab.strenght": "ramp"}, "has no number 'strenght': did you mean 'strength'"),
        ({"strength": "ramp"}, "names no objective"),
    ],
)
def test_what_cannot_be_scheduled_is_said(config, schedules, message):
    with pytest.raises(ConfigError, match=message):
        TrainingPlan.of({**config, "schedules": schedules}).loss  # noqa: B018
