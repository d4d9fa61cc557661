"""A run from a configuration to a model folder."""

from __future__ import annotations

import json

import pytest
import torch

import zoo
from zoo.errors import ConfigError
from zoo.training.run import train

SHORT = {"max_epochs": 1, "batch_size": 32, "logger": "none"}


def with_(config, **changes):
    return {**config, **changes}


def test_a_run_learns_a_planted_motif_and_leaves_a_model_that_loads(config, capsys):
    config["data"] |= {"n_train": 1500}
    config["trainer"] |= {"max_epochs": 8}
    config["optimizer"] |= {"lr": 1e-2}
    config["encoder"] |= {"filters": 16}
    result = train(config)
    folder = result.folder
    assert {p.name for p in folder.iterdir()} >= {"config.json", "metrics.json", "model", "checkpoints"}
    row = next(r for r in result.metrics if r["metric"] == "auroc" and not r["baseline"])
    assert row["value"] > 0.9
    assert (row["n"], row["split"]) == (100, "test")
    assert json.loads((folder / "metrics.json").read_text()) == list(result.metrics)
    printed = capsys.readouterr().out
    assert str(result.model_folder) in printed
    assert "n = 100" in printed
    assert "zoo publish" in printed

    model = zoo.load(str(result.model_folder))
    spec = model.spec
    assert spec.encoder == {"name": "motif_cnn", "filters": 16, "width": 19, "hidden": 8, "dropout": 0.1} | {
        k: spec.encoder[k] for k in ("activation", "tied", "motifs")
    }
    assert spec.heads["binding"]["tasks"] == ["CTCF"]
    assert spec.activation == {"binding": "sigmoid"}
    assert spec.splits["test"]["n"] == 100
    assert spec.training["seed"] == 0
    assert 1 <= spec.training["best_epoch"] <= 8
    assert spec.outputs["binding"][0].values == "binary"
    assert spec.metrics
    assert "n_train" not in spec.data
    assert set(spec.versions) >= {"torch", "zoo-core"}


def test_the_best_epoch_is_kept_and_patience_ends_the_run(config, monkeypatch):
    """At this rate the run diverges after some epochs: the saved model is the best, not the last."""
    config["optimizer"] = {"name": "sgd", "lr": 30.0}
    config["trainer"] |= {"max_epochs": 12, "patience": 2}
    result = train(config)
    told = zoo.load(str(result.model_folder)).spec.training
    assert told["epochs"] == told["best_epoch"] + 2 < 12
    best = torch.load(result.folder / "checkpoints" / "last.ckpt", weights_only=True)["callbacks"]["BestEpoch"]
    assert best["best"] == told["validation_loss"]


def test_an_epoch_has_about_the_steps_that_it_is_to_have(config, capsys):
    config["trainer"] |= {"max_epochs": 2, "epoch_steps": 30}  # 13 steps a pass
    result = train(config)
    training = zoo.load(str(result.model_folder)).spec.training
    assert (training["epochs"], training["steps"], training["passes_per_epoch"]) == (2, 2 * 2 * 13, 2)
    assert "epoch 2/2" in (lines := capsys.readouterr().err)
    assert "(n 400 x 2, " in lines


def test_the_same_seed_gives_the_same_weights_and_another_seed_others(config, tmp_path):
    config["trainer"] = SHORT

    def weights(name, **changes):
        result = train(with_(config, output_dir=str(tmp_path / name), **changes))
        return zoo.load(str(result.model_folder)).state_dict()

    first, second, other = weights("a"), weights("b"), weights("c", seed=1)
    assert all(torch.equal(first[k], second[k]) for k in first)
    assert not all(torch.equal(first[k], other[k]) for k in first)


@pytest.mark.parametrize("strand", ["none", "augmented", "conjoined", "tied"])
def test_every_strand_choice_trains_and_two_of_them_are_true_to_the_strand(config, strand):
    config |= {"strand": strand, "trainer": SHORT}
    model = zoo.load(str(train(config).model_folder))
    codes = torch.randint(0, 4, (20, 60), dtype=torch.uint8)
    with torch.no_grad():
        there, back = (model.predict({"codes": c})["binding"] for c in (codes, (3 - codes).flip(1)))
    symmetric = torch.allclose(there, back, atol=1e-5)
    assert symmetric == (strand in ("conjoined", "tied"))
    assert model.spec.conjoined == (strand == "conjoined")
    assert model.spec.encoder["tied"] == (strand == "tied")


def test_two_heads_masks_and_shifts_train_together(config, tiny):
    config |= {
        "data": {"name": "tiny"},
        "encoder": {"name": "dilated_cnn", "channels": 8, "layers": 1},
        "heads": {"profile": {"name": "profile"}},
        "objective": {"name": "squared_error"},
        "objectives": {"counts": {"name": "poisson", "head": "profile", "coefficient": 0.5}},
        "trainer": {**SHORT, "shift": 8, "gradient_clip": 1.0},
        "optimizer": {"name": "adamw", "schedule": "cosine", "warmup": 2, "weight_decay": 0.01},
    }
    pytest.importorskip("zoo_dilated_cnn")
    model = zoo.load(str(train(config).model_folder))
    assert model.spec.heads["profile"]["bin_size"] == 4
    assert model.spec.heads["profile"]["rc"] == [1, 0]
    assert model.spec.activation["profile"] == "exp"
    assert model.spec.outputs["profile"][0].rc == (1, 0)


def test_fine_tuning_takes_the_encoder_and_the_heads_that_fit(config, tmp_path, capsys):
    config |= {"trainer": SHORT, "calibrate": False}
    first = zoo.load(str(train(config).model_folder))
    again = config | {
        "init": str(tmp_path / "run" / "model"),
        "freeze_encoder": True,
        "encoder": {"name": "motif_cnn"},
        "output_dir": str(tmp_path / "again"),
    }
    second = zoo.load(str(train(again).model_folder))
    assert second.spec.encoder == first.spec.encoder
    assert all(torch.equal(x, second.encoder.state_dict()[k]) for k, x in first.encoder.state_dict().items())
    assert not torch.equal(first.heads["binding"].dense.weight, second.heads["binding"].dense.weight)
    assert (first.heads["binding"].dense.weight - second.heads["binding"].dense.weight).abs().max() < 0.1
    assert "its head binding" in capsys.readouterr().err
    pooled = again | {"output_dir": str(tmp_path / "pooled"), "head": {"name": "scalar", "pool": "max"}}
    assert zoo.load(str(train(pooled).model_folder)).spec.heads["binding"]["pool"] == "max"
    assert "new head binding" in capsys.readouterr().err
    other = again | {"output_dir": str(tmp_path / "other"), "data": {**config["data"], "motifs": ["CTCF", "GATA1"]}}
    assert zoo.load(str(train(other).model_folder)).heads["binding"].dense.out_features == 2


def test_fine_tuning_an_ensemble_starts_from_the_member_of_the_seed(config, tmp_path, monkeypatch):
    from zoo.training.publication import join

    config["trainer"] = SHORT
    members = [
        zoo.load(str(train(with_(config, seed=s, output_dir=str(tmp_path / str(s)))).model_folder)) for s in (0, 1)
    ]
    monkeypatch.setattr("zoo.training.fine_tuning.load", lambda name: join(members, "pair"))
    again = config | {"init": "pair", "freeze_encoder": True, "seed": 3, "output_dir": str(tmp_path / "again")}
    model = train(again).model_folder
    monkeypatch.undo()
    for key, value in zoo.load(str(model)).encoder.state_dict().items():
        assert torch.equal(value, members[1].encoder.state_dict()[key])


def test_runs_that_cannot_be_are_refused_with_the_remedy(config, tiny, tmp_path):
    for changes, said in (
        ({"trainer": {"precision": "bf16-mixed"}}, "5 to 7 times slower"),
        ({"trainer": {"bach_size": 3}}, "did you mean 'batch_size'"),
        ({"trainer": {"batch_size": 0}}, "whole number of 1 or more"),
        ({"trainer": {"shift": 100}}, "trainer.shift=0"),
        ({"trainer": {"nodes": 2}}, "srun"),
        ({"strand": "both"}, "strand 'both'"),
        ({"heads": {"bindin": {"name": "scalar"}}}, "did you mean 'binding'"),
        ({"objectives": {"x": {"name": "squared_error", "head": "bindin"}}}, "did you mean 'binding'"),
        (
            {"objectives": {"x": {"name": "squared_error"}, "y": {"name": "cross_entropy"}}},
            "one activation",
        ),
        ({"freeze_encoder": True}, "init=NAME"),
        ({"optimizer": {"name": "adm"}}, "did you mean 'adam'"),
        ({"optimizer": {"lr": 0}}, "above 0"),
        ({"resume": str(tmp_path)}, "config.json"),
        ({"encoder": {}}, "set encoder.name"),
    ):
        with pytest.raises(ConfigError, match=said):
            train(with_(config, **changes))
    if not torch.cuda.is_available():
        with pytest.raises(ConfigError, match="zoo doctor"):
            train(with_(config, trainer={"accelerator": "gpu"}))


def test_strand_tied_is_refused_for_an_encoder_that_cannot(config, monkeypatch):
    from zoo.registry import registry

    monkeypatch.setattr(registry(), "components", dict(registry().components))
    registry().add("encoder", "plain", "fractions:Fraction")
    with pytest.raises(ConfigError, match=r"no argument\s+'tied': set strand=conjoined"):
        train(with_(config, strand="tied", encoder={"name": "plain"}))


def test_a_finished_run_is_not_written_over(config):
    config["trainer"] = SHORT
    folder = train(config).folder
    with pytest.raises(ConfigError, match="finished"):
        train(config)
    with pytest.raises(ConfigError, match="init="):
        train(with_(config, resume=str(folder)))


def test_a_frozen_encoder_keeps_its_running_statistics(config, tiny):
    """Checked on the step itself: normalisation in train mode would drift although no weight is trained."""
    from zoo.training.plan import TrainingPlan
    from zoo.training.settings import TrainerSettings

    plan = TrainingPlan.of(config)
    model = plan.model
    plan.config = with_(config, freeze_encoder=True)
    module = plan.module(TrainerSettings())
    assert not any(p.requires_grad for p in model.encoder.parameters())
    optimizer = module.configure_optimizers()
    assert [p for g in optimizer.param_groups for p in g["params"]] == [
        p for n, p in module.named_parameters() if "encoder" not in n
    ]


def test_what_a_callback_raises_ends_a_run_that_goes_on_to_the_same_weights(config, tmp_path):
    from lightning.pytorch.callbacks import Callback

    from zoo.training.plan import TrainingPlan

    class Enough(Exception):
        pass

    class Stop(Callback):
        def on_train_epoch_end(self, trainer, module):
            seen.append(float(trainer.callback_metrics["validation_loss"]))
            if len(seen) == 2:
                raise Enough

    seen, source = [], TrainingPlan.of(config).source
    whole = train(with_(config, output_dir=str(tmp_path / "whole")), source=source)
    with pytest.raises(Enough):
        train(config, source=source, callbacks=[Stop()])
    again = train(config, source=source, callbacks=[Stop()])
    assert len(seen) == 3
    weights = [(result.model_folder / "model.safetensors").read_bytes() for result in (whole, again)]
    assert weights[0] == weights[1]
