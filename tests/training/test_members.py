"""Several networks as one run: the same data, weights of their own, one model that answers with their mean."""

from __future__ import annotations

import os
import signal
from functools import wraps

import pytest
import torch
from safetensors.torch import load_file

import zoo
from zoo.errors import ConfigError
from zoo.registry import registry
from zoo.training.plan import TrainingPlan
from zoo.training.publication import publish
from zoo.training.run import train
from zoo.training.settings import member_seeds


@pytest.fixture
def config(config):
    config["trainer"] |= {"max_epochs": 2, "threads": 1}
    return {**config, "members": 2, "seed": 1, "evaluation": {"bootstrap": 0}}


def test_members_are_the_runs_of_their_seeds_on_the_data_of_the_run_s_seed(config, tmp_path, monkeypatch, capsys):
    config |= {"calibrate": False}  # which scales the mean once, and a network alone by itself
    kind, built = registry().get("data", "simulated"), []
    build = kind.__init__

    @wraps(build)
    def noted(self, **arguments):
        built.append(arguments["seed"])
        build(self, **arguments)

    monkeypatch.setattr(kind, "__init__", noted)
    result = train(config)
    lines = capsys.readouterr().err
    assert built == [1]
    assert "member 1/2  epoch 1/2  loss" in lines
    assert "member 2/2  epoch 2/2  loss" in lines

    model = zoo.load(str(result.model_folder))
    assert model.spec.members == 2
    batch = {
        k: torch.from_numpy(v) for k, v in TrainingPlan.of(config).source.examples("test").batch(range(50)).items()
    }
    logits = []
    for i, seed in enumerate((2, 3)):  # seed * members + i
        folder = str(tmp_path / f"alone_{i}")
        alone = train(
            {**config, "members": 1, "seed": seed, "data": config["data"] | {"seed": 1}, "output_dir": folder}
        )
        weights = load_file(alone.model_folder / "model.safetensors")
        assert all(torch.equal(weights[k], t) for k, t in model.members[i].state_dict().items())
        single = zoo.load(str(alone.model_folder))
        logits.append(single(batch)["binding"])
        own = model.spec.training["members"][i]
        assert {**model.spec.training, **own}["best_epoch"] == single.spec.training["best_epoch"]
        assert own["seed"] == seed
    assert not torch.allclose(*logits, atol=1e-3)
    torch.testing.assert_close(model(batch)["binding"], (logits[0] + logits[1]) / 2)

    rows = [row for row in result.metrics if not row["baseline"]]
    assert {row["predictor"] for row in rows} == {"run"}
    assert len({(row["metric"], row["stratum"]) for row in rows}) == len(rows)
    assert "2 networks answer with their mean" in (result.model_folder / "README.md").read_text()
    source = publish(result.folder, "both", str(tmp_path / "hub"))
    published = zoo.load(source)
    assert published.spec.members == 2
    assert {row["predictor"] for row in published.spec.metrics if not row["baseline"]} == {"both"}


def test_a_run_goes_on_with_the_member_that_was_cut_off(config, tmp_path, monkeypatch, capsys):
    from zoo.training import module

    undisturbed = train({**config, "output_dir": str(tmp_path / "undisturbed")})
    step = module.TrainingModule.training_step
    capsys.readouterr()

    def stopped(self, batch, batch_idx):
        step(self, batch, batch_idx)
        if self.seed == 3 and self.global_step == 17:
            os.kill(os.getpid(), signal.SIGTERM)

    with monkeypatch.context() as patch:
        patch.setattr(module.TrainingModule, "training_step", stopped)
        with pytest.raises(SystemExit):
            train(config)
    assert f"go on with: zoo train resume={config['output_dir']}\n" in capsys.readouterr().err
    with pytest.raises(ConfigError, match="another configuration: go on with resume="):
        train({**config, "members": 3})
    resumed = train({"resume": config["output_dir"]})
    assert "member 1/2" not in capsys.readouterr().err
    a, b = (load_file(r.model_folder / "model.safetensors") for r in (undisturbed, resumed))
    assert a.keys() == b.keys()
    assert all(torch.equal(a[k], b[k]) for k in a)
    a, b = (zoo.load(str(r.model_folder)).spec.training for r in (undisturbed, resumed))
    for one, other in zip(a["members"], b["members"], strict=True):
        assert {**one, "seconds": 0} == {**other, "seconds": 0}
    with pytest.raises(ConfigError, match="is finished"):
        train({"resume": config["output_dir"]})


def test_two_runs_share_no_member_and_one_network_has_the_run_s_seed():
    seeds = [member_seeds({"seed": seed, "members": 5}) for seed in range(4)]
    assert len({s for several in seeds for s in several}) == 20
    assert member_seeds({"seed": 7}) == [7]


@pytest.mark.parametrize("members", [0, -1, 2.5, "five", True, 101])
def test_a_number_of_members_that_is_none_is_refused_before_anything_is_written(config, members, tmp_path):
    with pytest.raises(ConfigError, match=r"members is .*: give a whole number of networks from 1 to 100"):
        train({**config, "members": members})
    assert not (tmp_path / "run" / "config.json").exists()


def test_explain_names_the_seeds(config):
    assert "members: 2 networks, of the seeds 2 to 3" in TrainingPlan.of(config).explain()
