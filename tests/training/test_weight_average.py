"""The moving average of the weights: its numbers, what it is used for, and a run that goes on."""

from __future__ import annotations

import os
import signal
from types import SimpleNamespace

import pytest
import torch
from safetensors.torch import load_file

import zoo
from zoo.errors import ConfigError
from zoo.training.run import train
from zoo.training.weight_average import WeightAverage


def stub(value):
    return SimpleNamespace(model=torch.nn.ParameterList([torch.nn.Parameter(torch.tensor([value]))]))


@pytest.mark.parametrize("decay", [0.5, 0.999])
def test_the_average_of_a_known_sequence_of_weights(decay):
    module, average = stub(1.0), WeightAverage(decay)
    average.on_train_start(None, module)
    expected = 1.0
    for step, weight in enumerate((3.0, -2.0, 5.0, 5.0), 1):
        module.model[0].data.fill_(weight)
        average.on_train_batch_end(None, module, None, None, 0)
        kept = min(decay, (1 + step) / (10 + step))
        expected = kept * expected + (1 - kept) * weight
        assert float(average.average[0]) == pytest.approx(expected, rel=1e-6)
    average.on_validation_start(None, module)
    assert float(module.model[0].detach()) == pytest.approx(expected, rel=1e-6)
    average.on_validation_end(None, module)
    assert float(module.model[0].detach()) == 5.0


def test_weights_that_stand_still_are_their_own_average_to_the_bit():
    module, average = stub(0.1), WeightAverage(0.999)
    average.on_train_start(None, module)
    for _ in range(50):
        average.on_train_batch_end(None, module, None, None, 0)
    assert torch.equal(average.average[0], module.model[0])


@pytest.mark.parametrize("n_validation", [100, 0])
def test_the_saved_model_is_the_average_and_training_is_not_touched_by_it(config, tmp_path, n_validation):
    config["data"]["n_validation"] = n_validation
    config["trainer"] |= {"max_epochs": 1, "ema": 0.9}
    config["calibrate"] = False  # which scales the last layer of the average
    plain = train({**config, "output_dir": str(tmp_path / "plain"), "trainer": config["trainer"] | {"ema": 0.0}})
    result = train(config)
    last = [torch.load(r.folder / "checkpoints" / "last.ckpt", weights_only=True) for r in (plain, result)]
    assert all(torch.equal(last[0]["state_dict"][k], last[1]["state_dict"][k]) for k in last[0]["state_dict"])
    saved = load_file(result.model_folder / "model.safetensors")
    names = [name for name, _ in zoo.load(str(result.model_folder)).named_parameters()]
    for name, average in zip(names, last[1]["callbacks"]["WeightAverage"]["average"], strict=True):
        assert torch.equal(saved[name], average)
        assert not torch.equal(saved[name], last[1]["state_dict"][f"model.{name}"])
    assert zoo.load(str(result.model_folder)).spec.training["ema"] == 0.9


def test_a_run_with_an_average_goes_on_to_the_bit(config, tmp_path, monkeypatch):
    from zoo.training import module

    config["trainer"] |= {"max_epochs": 2, "ema": 0.99}
    undisturbed = train({**config, "output_dir": str(tmp_path / "undisturbed")})
    step = module.TrainingModule.training_step

    def stopped(self, batch, batch_idx):
        if self.global_step == 17:
            os.kill(os.getpid(), signal.SIGTERM)
        step(self, batch, batch_idx)

    with monkeypatch.context() as patch:
        patch.setattr(module.TrainingModule, "training_step", stopped)
        with pytest.raises(SystemExit):
            train(config)
    resumed = train({"resume": config["output_dir"]})
    a, b = (load_file(r.model_folder / "model.safetensors") for r in (undisturbed, resumed))
    assert all(torch.equal(a[k], b[k]) for k in a)


@pytest.mark.parametrize("ema", [1.0, -0.1, "yes"])
def test_a_decay_that_is_none_is_refused(config, ema):
    config["trainer"]["ema"] = ema
    with pytest.raises(ConfigError, match=r"trainer.ema is .*from 0 \(no average\) to below 1"):
        train(config)
