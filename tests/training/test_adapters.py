"""Low-rank adapters: the published encoder stays, the tuned model is an ordinary one stored as a small difference."""

from __future__ import annotations

import copy
import json
import shutil
import sys

import pytest
import torch
from safetensors.torch import load_file
from torch import nn
from torch.nn.utils import parametrize

import zoo
from zoo.errors import ConfigError, HubError
from zoo.fields import Grid
from zoo.hub.loader import pull
from zoo.hub.model_folder import load_bundle, save_bundle
from zoo.interfaces import Encoder
from zoo.layers.low_rank import LowRank, add_low_rank
from zoo.layers.tied_conv import TiedConv1d
from zoo.registry import registry
from zoo.training.adapters import adaptable, add_adapters, merge_adapters
from zoo.training.fine_tuning import base_of
from zoo.training.plan import TrainingPlan
from zoo.training.publication import publish
from zoo.training.run import train
from zoo.training.settings import TuneSettings

QUICK = {
    "name": "run",
    "seed": 0,
    "strand": "augmented",
    "encoder": {"name": "motif_cnn", "filters": 8, "width": 19, "hidden": 8, "dropout": 0.1},
    "head": {"name": "scalar"},
    "objective": {"name": "cross_entropy"},
    "data": {"name": "simulated", "n_train": 128, "n_validation": 64, "n_test": 16, "length": 40},
    "optimizer": {"name": "adam", "lr": 1e-2},
    "trainer": {"max_epochs": 1, "batch_size": 64, "logger": "none", "threads": 1},
    "calibrate": False,
}
SHORT = QUICK["trainer"]


@pytest.fixture(autouse=True)
def alone(monkeypatch, tmp_path):
    for name in ("ZOO_HUB", "ZOO_REGISTRY", "ZOO_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def quick(monkeypatch):
    """A run of a second, without evaluation."""
    monkeypatch.setattr(TrainingPlan, "evaluate", lambda *arguments: None)
    return copy.deepcopy(QUICK)


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    """A hub with the trunk `base`; returns (place, its source with revision)."""
    folder = tmp_path_factory.mktemp("hub")
    run = train(QUICK | {"output_dir": str(folder / "trunk"), "evaluation": {"split": "validation", "bootstrap": 10}})
    place = f"file://{folder / 'hub'}"
    return place, publish(run.folder, "base", place)


def tuned(quick, source, tmp_path, name="tuned", **changes):
    config = quick | {"init": source, "tune": {"name": "lora", "rank": 2}, "output_dir": str(tmp_path / name)}
    return train({**config, **changes})


def encoder_state(model):
    return model.encoder.state_dict()


def test_a_weight_and_its_adapter_are_a_layer_of_the_summed_weight():
    torch.manual_seed(0)
    x = torch.randn(2, 8, 30)
    layers = [
        nn.Conv1d(8, 6, 5, padding=2),
        nn.Conv1d(8, 8, 5, groups=4),
        TiedConv1d(8, 6, 5, padding=2),
        nn.ConvTranspose1d(8, 4, 3, stride=2),
    ]
    for layer in layers:
        weight, before = layer.weight.detach().clone(), layer(x)
        adapter = LowRank(weight, rank=3, scale=0.5)
        parametrize.register_parametrization(layer, "weight", adapter)
        torch.testing.assert_close(layer(x), before, rtol=0, atol=0)  # B begins as 0
        nn.init.normal_(adapter.up)
        layer.eval()
        with_adapter = layer(x)
        assert not torch.allclose(with_adapter, before)
        parametrize.remove_parametrizations(layer, "weight", leave_parametrized=True)
        torch.testing.assert_close(layer(x), with_adapter, rtol=0, atol=0)
        assert torch.equal(layer.weight, add_low_rank(weight, *adapter.pair))
        assert torch.linalg.matrix_rank((layer.weight - weight).flatten(1)) == 3


def test_dropout_leaves_out_whole_terms_and_only_in_training():
    torch.manual_seed(0)
    adapter = LowRank(torch.zeros(16, 16), rank=8, dropout=0.5)
    nn.init.normal_(adapter.up)
    ranks = {int(torch.linalg.matrix_rank(adapter(torch.zeros(16, 16)))) for _ in range(20)}
    assert len(ranks) > 2
    adapter.eval()
    assert {int(torch.linalg.matrix_rank(adapter(torch.zeros(16, 16)))) for _ in range(5)} == {8}


class Mixed(nn.Module):
    """One of every kind of layer."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv1d(4, 8, 5)
        self.norm = nn.BatchNorm1d(8)
        self.gru = nn.GRU(8, 4)
        self.attention = nn.MultiheadAttention(8, 2)
        self.shared = nn.Linear(8, 8)
        self.twin = nn.Linear(8, 8)
        self.twin.weight = self.shared.weight
        self.normed = nn.utils.parametrizations.weight_norm(nn.Linear(8, 8))
        self.embedding = nn.Embedding(3, 8)


def test_convolutions_and_linear_layers_get_an_adapter_and_nothing_that_could_not_be_merged():
    module = Mixed()
    assert dict(adaptable(module)).keys() == {"conv", "attention", "attention.out_proj"}
    add_adapters(module, TuneSettings(name="lora", rank=2))
    trained = {name for name, p in module.named_parameters() if p.requires_grad}
    assert trained == {
        f"{layer}.parametrizations.{weight}.0.{half}"
        for layer, weight in (("conv", "weight"), ("attention", "in_proj_weight"), ("attention.out_proj", "weight"))
        for half in ("down", "up")
    } | {"conv.bias", "attention.in_proj_bias", "attention.out_proj.bias"}


def test_layers_are_chosen_by_name_and_a_name_that_is_none_is_refused():
    for layers, names in (("conv", {"conv"}), (["conv", "attention*"], {"conv", "attention", "attention.out_proj"})):
        module = Mixed()
        add_adapters(module, TuneSettings(name="lora", layers=layers, bias=False))
        assert {n.partition(".param")[0] for n, p in module.named_parameters() if p.requires_grad} == names
    with pytest.raises(ConfigError, match="did you mean 'conv'"):
        add_adapters(Mixed(), TuneSettings(name="lora", layers=["conv", "cnv"]))
    with pytest.raises(ConfigError, match="freeze_encoder=true instead"):
        add_adapters(nn.Sequential(nn.GRU(2, 2)), TuneSettings(name="lora"))


def test_what_cannot_be_is_refused_in_a_sentence(quick, hub, tmp_path):
    _, source = hub
    for changes, message in (
        ({"init": None}, "set init=NAME"),
        ({"freeze_encoder": True}, "leave one of them out"),
        ({"tune": {"name": "lora", "rank": 0}}, "tune.rank is 0"),
        ({"tune": {"name": "lora", "alpha": 0}}, "tune.alpha is 0"),
        ({"tune": {"name": "lora", "dropout": 1}}, "tune.dropout is 1"),
        ({"tune": {"name": "lore"}}, "did you mean 'lora'"),
        ({"tune": {"name": "lora", "layers": "blocks"}}, "names no convolution"),
    ):
        with pytest.raises(ConfigError, match=message) as error:
            tuned(quick, source, tmp_path, **changes)
        assert "\n" not in str(error.value)


def test_a_run_of_adapters_is_a_small_folder_that_loads_as_an_ordinary_model(quick, hub, tmp_path):
    place, source = hub
    base = zoo.load(source)
    run = tuned(quick, source, tmp_path)
    stored = load_file(run.model_folder / "model.safetensors")
    assert set(stored) == {
        *(f"encoder.{layer}.weight.lora_{half}" for layer in ("convolution", "dense") for half in "AB"),
        *("encoder.convolution.bias", "encoder.dense.bias"),
        *("heads.binding.dense.weight", "heads.binding.dense.bias"),
    }
    model = zoo.load(run.folder)
    assert sorted(model.state_dict()) == sorted(base.state_dict())
    for name, weight in encoder_state(model).items():
        if name.endswith("weight"):
            change = (weight - encoder_state(base)[name]).flatten(1)
            assert 1 <= torch.linalg.matrix_rank(change, rtol=1e-4) <= 2, name
    assert model.spec.base["source"] == source.partition("@")[0]
    assert model.spec.base["revision"] == model.spec.base["manifest"] == source.partition("@")[2]
    assert model.spec.training["tune"]["rank"] == 2
    assert model.spec.training["tune"]["trained_weights"] == sum(x.numel() for x in stored.values())
    published = publish(run.folder, "tuned", place)
    again = zoo.load(published)
    assert all(torch.equal(x, again.state_dict()[k]) for k, x in model.state_dict().items())
    assert again.spec.base == model.spec.base
    with pytest.raises(ConfigError, match="is itself a difference to"):
        tuned(quick, published, tmp_path, "of-tuned")
    whole = zoo.load(publish(run.folder, "whole", place, whole=True))
    assert whole.spec.base == {}
    assert all(torch.equal(x, whole.state_dict()[k]) for k, x in model.state_dict().items())
    assert tuned(quick, f"{place}/whole", tmp_path, "of-whole").metrics == ()


class Normed(Encoder):
    """A convolution behind a normalisation with running statistics."""

    def __init__(self, *, channels: int = 4):
        super().__init__()
        self.norm, self.conv = nn.BatchNorm1d(4), nn.Conv1d(4, channels, 3, padding=1)
        self.out_channels, self.receptive_field = channels, 3

    def grid(self, length):
        return Grid(0, 1, length)

    def forward(self, inputs):
        return torch.relu(self.conv(self.norm(inputs["one_hot"])))


def test_running_statistics_and_normalisations_stay_as_they_were_published(quick, tmp_path, monkeypatch):
    module = type(sys)("zoo_tests_normed")
    module.Normed = Normed
    monkeypatch.setitem(sys.modules, "zoo_tests_normed", module)
    monkeypatch.setattr(registry(), "components", dict(registry().components))
    registry().add("encoder", "normed", "zoo_tests_normed:Normed")
    quick |= {"encoder": {"name": "normed"}}
    trunk = train(quick | {"output_dir": str(tmp_path / "trunk")}).model_folder
    before = encoder_state(zoo.load(trunk))
    assert not torch.equal(before["norm.running_mean"], torch.zeros(4))
    after = encoder_state(zoo.load(tuned(quick, str(trunk), tmp_path).model_folder))
    assert {name for name in before if not torch.equal(before[name], after[name])} == {"conv.weight", "conv.bias"}


def test_a_base_on_this_machine_is_published_whole_with_a_word(quick, tmp_path, capsys):
    trunk = train(quick | {"output_dir": str(tmp_path / "trunk")})
    run = tuned(quick, str(trunk.folder), tmp_path)
    model = zoo.load(run.folder)
    assert model.spec.base["source"] == str(trunk.model_folder)
    alone = tmp_path / "alone"
    shutil.copytree(run.model_folder, alone)
    with pytest.raises(HubError, match="not opened on the word of"):
        zoo.load(alone)
    published = zoo.load(publish(run.folder, "tuned", str(tmp_path / "hub")))
    assert "is no place that others load from" in capsys.readouterr().err
    assert published.spec.base == {}
    assert all(torch.equal(x, published.state_dict()[k]) for k, x in model.state_dict().items())
    shutil.rmtree(trunk.folder)
    with pytest.raises(HubError, match=r"is a difference to .*, which cannot be had: there is no folder"):
        zoo.load(run.folder)


def test_members_with_averaged_weights_are_stored_as_one_difference(quick, hub, tmp_path):
    place, source = hub
    run = tuned(quick, source, tmp_path, members=2, trainer={**SHORT, "ema": 0.9})
    model = zoo.load(run.folder)
    assert model.spec.members == 2
    assert model.spec.base["members"] == [0, 0]
    first, second = (member.encoder.dense.weight for member in model.members)
    assert not torch.equal(first, second)
    pair = publish(run.folder, "pair", place)
    stored = load_file(pull(pair) / "model.safetensors")
    assert "members.1.encoder.dense.weight.lora_A" in stored
    assert not [name for name in stored if name.endswith("encoder.dense.weight")]
    # Members of an ensemble as bases: each run says which one it began from.
    whole = publish(run.folder, "whole-pair", place, whole=True)
    runs = [tuned(quick, whole, tmp_path, f"seed{seed}", seed=seed) for seed in (0, 1)]
    assert [zoo.load(r.folder).spec.base["members"] for r in runs] == [[0], [1]]
    joined = zoo.load(publish([r.folder for r in runs] + [runs[0].folder], "three", place, evaluated=False))
    assert joined.spec.base["members"] == [0, 1, 0]
    for member, r in zip(joined.members, [*runs, runs[0]], strict=True):
        assert torch.equal(member.encoder.dense.weight, zoo.load(r.folder).encoder.dense.weight)
    mixed = zoo.load(publish([runs[0].folder, source], "mixed", place, evaluated=False))
    assert mixed.spec.base == {}


def test_a_second_phase_without_augmentation_trains_the_same_adapters(quick, hub, tmp_path):
    _, source = hub
    augmentation = {"mutation": 0.1, "finetune_epochs": 1}
    run = tuned(quick, source, tmp_path, augmentation=augmentation, trainer={**SHORT, "ema": 0.9})
    model = zoo.load(run.folder)
    assert model.spec.training["finetuning"]["epochs"] == 1
    assert "encoder.dense.weight.lora_A" in load_file(run.model_folder / "model.safetensors")


def test_a_run_that_was_cut_off_goes_on_to_the_same_difference(quick, hub, tmp_path):
    from lightning.pytorch.callbacks import Callback

    _, source = hub
    longer = {"trainer": {**SHORT, "max_epochs": 2}}

    class Cut(Callback):
        def on_train_epoch_end(self, trainer, module):
            raise RuntimeError("cut")

    straight = tuned(quick, source, tmp_path, "straight", **longer)
    config = quick | {"init": source, "tune": {"name": "lora", "rank": 2}, "output_dir": str(tmp_path / "cut")} | longer
    with pytest.raises(RuntimeError, match="cut"):
        train(config, callbacks=[Cut()])
    resumed = train({"resume": str(tmp_path / "cut")})
    one, other = (load_file(r.model_folder / "model.safetensors") for r in (straight, resumed))
    assert one.keys() == other.keys()
    assert all(torch.equal(x, other[k]) for k, x in one.items())


def test_another_base_than_the_run_began_from_is_no_base(quick, hub, tmp_path, monkeypatch):
    """A name that moved while a run was cut off: the weights of the new one would give numbers that look right."""
    place, source = hub
    other = publish(train(quick | {"seed": 5, "output_dir": str(tmp_path / "other")}).folder, "other", place)
    plan = TrainingPlan.of(quick | {"init": source, "tune": {"name": "lora"}})
    model = plan.model
    for module in model.encoder.modules():
        if isinstance(module, LowRank):
            nn.init.normal_(module.up)
    merge_adapters(model, base_of(plan.config, zoo.load(other)))
    with pytest.raises(HubError, match="one of them was changed"):
        save_bundle(model, tmp_path / "m", {"codes": torch.zeros(2, 40, dtype=torch.uint8)})


def test_evaluate_show_and_pull_know_of_the_base(quick, hub, tmp_path, monkeypatch):
    from click.testing import CliRunner

    from zoo.cli.main import cli

    place, source = hub
    monkeypatch.undo()
    run = tuned(quick, source, tmp_path, evaluation={"bootstrap": 10})
    published = publish(run.folder, "tuned", place)

    def zoo_command(*words):
        result = CliRunner().invoke(cli, list(words), catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return result.output

    shown = next(line for line in zoo_command("show", published).splitlines() if line.startswith("base "))
    assert shown.split(maxsplit=1)[1].startswith("base (licence motifs: JASPAR")
    assert shown.endswith(f", {source[: source.index('@') + 13]}, by adapters of rank 2")
    assert "stored as a difference to base " in zoo_command("show", published, "--card")
    assert json.loads(zoo_command("show", published, "--json"))["spec"]["base"]["members"] == [0]
    pulled = zoo_command("pull", published, "--check")
    assert f"it is a difference to {source}, which is here too" in pulled
    assert "golden outputs: equal" in pulled
    assert "auroc" in zoo_command("evaluate", str(run.folder), "--bootstrap", "20")
    assert load_bundle(run.model_folder).adapters.keys() == {"encoder.convolution.weight", "encoder.dense.weight"}
