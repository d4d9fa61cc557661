"""One word for a folder: the same text means the same run and model wherever a model or a run is asked for."""

from __future__ import annotations

import json

import pytest
import torch

import zoo
from zoo.cli.main import main
from zoo.errors import ConfigError, HubError
from zoo.hub.names import find
from zoo.hub.path import run_of
from zoo.training.fine_tuning import published_model
from zoo.training.model_and_data import open_evaluated
from zoo.training.resume import open_run

WORDS = (
    "runs/a",
    "runs/a/",
    "./runs/a",
    "runs/a/model",
    "{root}/runs/a",
    "{root}/runs/a/model",
    "file://{root}/runs/a",
)


@pytest.fixture
def root(bundle, tmp_path, monkeypatch):
    """A working folder with a finished run in runs/a."""
    root = tmp_path / "work"
    run = root / "runs" / "a"
    run.mkdir(parents=True)
    bundle.rename(run / "model")
    (run / "checkpoints").mkdir()
    (run / "config.json").write_text(json.dumps({"data": {"name": "fasta"}, "seed": 0}))
    (run / "metrics.json").write_text(json.dumps([{"predictor": "tiny-ctcf", "baseline": False, "metric": "auroc"}]))
    monkeypatch.chdir(root)
    return root


@pytest.fixture(params=WORDS)
def word(request, root):
    return request.param.format(root=root)


def test_it_is_loaded_and_begun_from(word, root, model):
    for loaded in (zoo.load(word), published_model({"init": word})):
        for own, stored in zip(loaded.state_dict().values(), model.state_dict().values(), strict=True):
            torch.testing.assert_close(own, stored, rtol=0, atol=0)


def test_what_was_loaded_says_a_word_that_loads_it_again(word):
    assert zoo.load(zoo.load(word).source).revision == zoo.load(word).revision


def test_it_is_a_run_to_resume_which_is_finished(word):
    with pytest.raises(ConfigError, match="is finished: start a new one from it with init=") as caught:
        open_run({"resume": word})
    advice = str(caught.value).rpartition("init=")[2]
    assert zoo.load(advice).spec.name == "tiny-ctcf"


def test_an_unfinished_run_is_resumed(word, root):
    (root / "runs" / "a" / "metrics.json").unlink()
    folder, config = open_run({"resume": word})
    assert folder.path.resolve() == root / "runs" / "a"
    assert config["seed"] == 0


def test_it_is_published_with_the_metrics_of_its_run(word, root):
    loaded = zoo.load(zoo.publish(word, "mine", str(root / "hub")))
    assert [row["predictor"] for row in loaded.spec.metrics] == ["mine"]


def test_it_is_evaluated_on_the_data_of_its_run(word, root):
    from zoo.data.sources.simulation import Simulated

    (root / "runs" / "a" / "config.json").write_text(json.dumps({"data": {"name": "simulated", "n_test": 8}}))
    opened = open_evaluated(word)
    assert isinstance(opened.source, Simulated)
    assert opened.config["data"]["n_test"] == 8


@pytest.mark.parametrize("command", ["predict", "show", "pull"])
def test_commands_take_it(command, word, root, capsys):
    (root / "x.fa").write_text(f">x\n{'ACGT' * 5}\n")
    arguments = ["--sequences", "x.fa"] if command == "predict" else []
    assert main([command, word, *arguments]) == 0, capsys.readouterr().err


def test_a_model_s_folder_in_a_hub_is_that_hub_s_model(root):
    published = zoo.publish("runs/a", "mine", str(root / "hub"))
    for word in ("hub/mine", f"{root}/hub/mine", f"file://{root}/hub/mine"):
        assert zoo.load(word).source == published
    assert zoo.load(f"hub/mine/{published.partition('@')[2]}").spec.name == "mine"


def test_a_bare_word_is_a_name_first_and_a_folder_then(root, monkeypatch):
    (root / "runs" / "a").rename(root / "mine")
    assert find("mine")[0].scheme == "path"
    assert zoo.load("mine").spec.name == "tiny-ctcf"
    zoo.publish("mine", "mine", str(root / "hub"))
    monkeypatch.setenv("ZOO_HUB", str(root / "hub"))
    assert find("mine")[0].scheme == "file"
    assert find("./mine")[0].scheme == "path"


def test_a_folder_that_holds_no_run_is_none(root):
    for word in ("runs", "runs/b", "runs/a/checkpoints", "hf://runs/a", "file://runs/a", "ctcf\0"):
        assert run_of(word) is None
    with pytest.raises(HubError, match="there is no folder runs/b: check the path"):
        zoo.load("runs/b")
    with pytest.raises(HubError, match="runs holds no model: a model folder has"):
        zoo.load("runs/")
    with pytest.raises(HubError, match="the folder runs holds no model"):
        zoo.load("runs")
