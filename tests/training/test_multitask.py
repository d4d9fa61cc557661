"""Two laboratories measured the same protein, one of them hardly: what the first knows serves the second."""

import pytest
import torch

from zoo.composition.settings import settings_of
from zoo.config import compose
from zoo.data.sources.simulation import Simulated
from zoo.errors import ConfigError
from zoo.evaluation.model_comparison import compare_models
from zoo.training.members import train_members
from zoo.training.plan import TrainingPlan
from zoo.training.run_folder import RunFolder
from zoo.training.settings import TrainerSettings


def trained(folder, *overrides):
    config = compose(["experiment=simulated_multitask", "trainer.threads=1", *overrides])
    torch.manual_seed(0)
    run = RunFolder(folder)
    run.begin(config)
    plan = TrainingPlan.of(config)
    return train_members(plan, settings_of(TrainerSettings, "trainer", config["trainer"]), run), plan


@pytest.mark.slow
def test_a_rare_task_gains_from_the_others_on_equal_rows(tmp_path):
    multi, plan = trained(tmp_path / "multi")
    single, _ = trained(tmp_path / "single", "data.tasks=[CTCF_2]")
    assert single.spec.outputs["binding"][0].channels == ("CTCF_2",)
    compared = compare_models(multi, {"single": single}, plan.source, n_bootstrap=200)
    row = compared.rows[0]
    assert (row["task"], row["metric"], row["n"]) == ("CTCF_2", "auroc", 1_000)
    assert row["value"] > 0.93
    assert row["low"] > 0.02


def test_learned_variances_train_beside_the_model_and_are_not_published(tmp_path):
    small = ["data.n_train=64", "data.n_validation=32", "data.n_test=32", "trainer.max_epochs=1"]
    small += ["data.noise.missing=[0,0,0.5,0.5]"]
    model, plan = trained(tmp_path, "objective.task_weights=uncertainty", "trainer.sampling=tasks", *small)
    learned = plan.loss.terms["binding"].objective.task_weights.log_variance
    assert learned.shape == (4,)
    assert (learned != 0).all()
    assert not any("variance" in name for name in model.state_dict())
    assert model.spec.training["sampling"] == "tasks"


def test_a_motif_named_twice_is_planted_once_and_its_tasks_differ_in_what_was_measured():
    arguments = {"motifs": ["CTCF", "NRF1", "CTCF"], "noise": {"missing": [0, 0, 0.9]}, "n_train": 300, "n_test": 50}
    source = Simulated(**arguments)
    assert source.targets["binding"].channels == ("CTCF_1", "NRF1", "CTCF_2")
    label = source.examples("train").batch(range(300))["target/binding"]
    known = label[:, 2] == label[:, 2]
    assert 10 < known.sum() < 60
    assert (label[known, 0] == label[known, 2]).all()
    test = source.examples("test").batch(range(50))["target/binding"]
    assert (test[:, 0] == test[:, 2]).all()
    one = Simulated(**arguments, tasks=["CTCF_2"])
    assert (one.examples("test").batch(range(50))["codes"] == source.examples("test").batch(range(50))["codes"]).all()
    assert one.targets["binding"].channels == ("CTCF_2",)
    with pytest.raises(ConfigError, match="did you mean"):
        Simulated(**arguments, tasks=["CTCF_3"])
    with pytest.raises(ConfigError, match="or one for each of the 3 motifs"):
        Simulated(motifs=arguments["motifs"], noise={"missing": [0.5]})
