"""After augmentation a run is fine-tuned on the sequences as they are, and a run that was cut off ends alike."""

from __future__ import annotations

import os
import signal

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from zoo.training import module as training_module
from zoo.training import phases
from zoo.training.loss import Term, Terms
from zoo.training.plan import TrainingPlan
from zoo.training.run import train
from zoo.training.run_folder import RunFolder


@pytest.fixture
def augmented(config, monkeypatch):
    """Two epochs of four steps with augmentation, two without."""
    monkeypatch.setattr(TrainingPlan, "evaluate", lambda *arguments: None)
    config["encoder"] |= {"filters": 4}
    config["data"] |= {"n_train": 120, "n_validation": 40, "n_test": 40, "length": 40}
    config["trainer"] |= {"max_epochs": 2, "checkpoint_every": 3, "threads": 1}
    config["augmentation"] = {"mutation": 0.1, "deletion": 5, "insertion": 5, "finetune_epochs": 2}
    return config


def weights(folder):
    """{file: {name: tensor}} of every checkpoint of a run."""
    states = {}
    for phase in (RunFolder(folder), RunFolder(folder).finetuning):
        states[phase.last.name] = torch.load(phase.last, weights_only=True)["state_dict"]
        if phase.best.is_file():
            states[phase.best.name] = load_file(phase.best)
    return states


def watch(monkeypatch, before):
    """Call `before(module, batch)` in front of every step."""
    step = training_module.TrainingModule.training_step

    def watched(self, batch, batch_idx):
        before(self, batch)
        step(self, batch, batch_idx)

    monkeypatch.setattr(training_module.TrainingModule, "training_step", watched)


def test_the_best_epoch_is_fine_tuned_on_the_sequences_themselves_at_a_lower_rate(augmented, monkeypatch):
    originals = TrainingPlan.of(augmented).source.examples("train").batch(np.arange(120))["codes"]
    seen, started = [], []

    def note(module, batch):
        same = (originals[batch["index"].numpy()] == batch["codes"].numpy()).all()
        seen.append((bool(same), module.trainer.current_epoch, module.settings.lr, bool(module.model.training)))
        if same and not started:
            started.append({k: v.clone() for k, v in module.model.state_dict().items()})

    watch(monkeypatch, note)
    result = train(augmented)
    assert [row[:2] for row in seen] == [(same, epoch) for same in (False, True) for epoch in (0, 1) for _ in range(4)]
    assert [row[2] for row in seen] == pytest.approx([3e-3] * 8 + [3e-4] * 8)
    assert all(row[3] for row in seen)
    best = load_file(RunFolder(result.folder).best)
    assert all(torch.equal(best[k], started[0][k]) for k in best)


def test_a_run_cut_off_in_either_phase_and_between_them_ends_with_the_same_weights(augmented, tmp_path, monkeypatch):
    undisturbed = weights(train({**augmented, "output_dir": str(tmp_path / "undisturbed")}).folder)
    steps = []

    def stop(module, batch):
        steps.append(module.global_step)
        if len(steps) in (2, 11):  # the signal is answered at the end of this step
            os.kill(os.getpid(), signal.SIGTERM)

    watch(monkeypatch, stop)
    with pytest.raises(SystemExit):
        train(augmented)
    with monkeypatch.context() as patch, pytest.raises(ZeroDivisionError):
        patch.setattr(phases, "load_best", lambda *arguments: 1 / 0)
        train({"resume": augmented["output_dir"]})
    assert len(steps) == 8
    with pytest.raises(SystemExit):
        train({"resume": augmented["output_dir"]})
    assert len(steps) == 11
    result = train({"resume": augmented["output_dir"]})
    assert len(steps) == 16
    states = weights(result.folder)
    assert states.keys() == undisturbed.keys()
    for name, state in states.items():
        assert all(torch.equal(state[k], undisturbed[name][k]) for k in state), name


def test_what_does_not_validate_better_is_not_kept_and_the_model_remembers(augmented, capsys):
    from zoo.hub.model_folder import load_bundle

    augmented["augmentation"]["finetune_lr"] = 1e5
    result = train(augmented)
    assert "fine-tuning found nothing better on validation: the weights of before are kept" in capsys.readouterr().err
    assert not RunFolder(result.folder).finetuning.best.exists()
    training = load_bundle(result.model_folder).spec.training
    assert training["augmentation"]["deletion"] == 5
    assert training["epochs"] == 2
    assert training["finetuning"] | {"lr": 0} == {
        "lr": 0,
        "epochs": 2,
        "steps": 8,
        "best_epoch": None,
        "validation_loss": training["validation_loss"],
    }


def test_scheduled_numbers_stay_at_the_end_of_their_schedules():
    from zoo.objectives.squared_error import SquaredError

    terms = Terms({"x": Term(SquaredError(head="x"), 2.0)}, {"objectives.x.coefficient": "cosine"})
    terms.at_step(0, 8)
    assert terms.coefficient_now("x") == 2
    terms.held = True
    terms.at_step(0, 8)
    assert terms.coefficient_now("x") == 0
