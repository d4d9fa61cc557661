import json
import shutil

import numpy as np
import pytest
import torch

from zoo.cli.main import main
from zoo.data.sources.simulation import Simulated
from zoo.errors import ConfigError, HubError, ZooError
from zoo.evaluation.strand_consistency import strand_errors
from zoo.files.tables import read_table
from zoo.hub import manifest
from zoo.hub.model_folder import save_bundle
from zoo.model import build
from zoo.spec import ModelSpec
from zoo.training.model_and_data import open_evaluated

DATA = {"name": "simulated", "n_train": 60, "n_validation": 40, "n_test": 80}


def make_run(folder, strand="none", data=DATA):
    torch.manual_seed(0)
    tied = strand == "tied"
    encoder = {"name": "motif_cnn", "filters": 8, "width": 9, "hidden": 0, "tied": tied}
    head = {"name": "scalar", "in_channels": 16 if tied else 8, "tasks": ["CTCF"]}
    spec = ModelSpec(
        "small", encoder, {"binding": head}, 200, activation={"binding": "sigmoid"}, conjoined=strand == "conjoined"
    )
    folder.mkdir()
    batch = Simulated(n_test=8).examples("test").batch(np.arange(8))
    save_bundle(build(spec).eval(), folder / "model", batch)
    (folder / "config.json").write_text(json.dumps({"data": data, "strand": strand, "seed": 0}))
    return folder


@pytest.fixture
def run(tmp_path):
    return make_run(tmp_path / "run")


def test_a_run_folder_names_its_own_data(run):
    opened = open_evaluated(str(run))
    assert len(opened.source.examples("test")) == 80
    assert opened.model.spec.name == "small"


def test_arguments_of_the_data_can_be_changed_and_the_data_replaced(run):
    assert len(open_evaluated(str(run), data=["n_test=30"]).source.examples("test")) == 30
    other = open_evaluated(str(run), data=["name=simulated", "motifs=[GATA1, SPI1]"]).source
    assert other.targets["binding"].channels == ("GATA1", "SPI1")


def test_a_model_without_data_asks_for_a_configuration_and_takes_one(run, tmp_path):
    alone = (run / "model").rename(tmp_path / "alone")
    with pytest.raises(ConfigError, match="give --config"):
        open_evaluated(str(alone))
    opened = open_evaluated(str(alone), config=run / "config.json")
    assert len(opened.source.examples("test")) == 80


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"data": ["n_tset=3"]}, "did you mean 'n_test'"),
        ({"data": ["n_test"]}, "does not read key=value"),
        ({"data": ["motifs=[CTCF"]}, "quote it"),
        ({"device": "tpu"}, "is not here"),
        ({"config": "/nowhere/config.json"}, "cannot be read as JSON"),
    ],
)
def test_a_wrong_argument_is_one_sentence(run, arguments, message):
    with pytest.raises(ZooError, match=message):
        open_evaluated(str(run), **arguments)


def test_a_run_without_a_model_is_said_to_be_unfinished(tmp_path):
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(HubError, match="has no model yet"):
        open_evaluated(str(tmp_path))


def test_simulated_data_are_built_again_from_their_description():
    first = Simulated(motifs=["CTCF", "SPI1"], n_test=20, seed=4)
    config = json.loads(json.dumps(first.describe()["config"]))
    assert config.pop("name") == "simulated"
    again = Simulated(**config)
    assert (first.examples("test").batch([3])["codes"] == again.examples("test").batch([3])["codes"]).all()


def test_the_command_prints_a_table_and_writes_predictions(run, tmp_path, capsys):
    out = tmp_path / "p.tsv"
    assert main(["evaluate", str(run), "--motif", "CTCF", "--bootstrap", "20", "-o", str(out)]) == 0
    text = capsys.readouterr().out
    assert text.startswith("test: binding/CTCF, n = 80 (40 positive, prevalence 0.5)")
    assert all(name in text for name in ("small", "GC", "6-mer logistic", "PWM MA0139.2"))
    comments, rows = read_table(out)
    assert comments["model"] == "small"
    assert len(comments["revision"]) > 10
    assert len(rows) == 80


def test_the_command_prints_json_alone(run, capsys):
    assert main(["evaluate", str(run), "--no-baselines", "--json", "--bootstrap", "0"]) == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert [row["metric"] for row in rows] == ["auroc", "auprc", "log_loss", "accuracy", "brier", "ece"]
    assert all(row["n"] == 80 for row in rows)


def test_a_mistake_on_the_command_line_is_one_line_and_exit_code_1(run, capsys):
    assert main(["evaluate", str(run), "--motif", "CTCFF"]) == 1
    assert capsys.readouterr().err == "zoo: error: JASPAR2026 has no motif 'CTCFF': did you mean 'CTCF'?\n"


def test_strand_errors_tell_tied_networks_from_others(tmp_path):
    errors = []
    for strand in ("none", "conjoined", "tied"):
        opened = open_evaluated(str(make_run(tmp_path / strand, strand)))
        ((error, spread),) = strand_errors(opened.model, opened.source.examples("test").batch(np.arange(80))).values()
        assert spread > 0
        errors.append(error)
    plain, averaged, tied = errors
    assert tied < 1e-5 < plain
    assert averaged == plain


def test_an_ensemble_of_strangers_models_is_evaluated_on_nothing_that_their_cards_name(run, tmp_path):
    from zoo.training.publication import publish

    folders = []
    for name in ("a", "b"):
        folder = tmp_path / name
        shutil.copytree(run / "model", folder)
        plain = json.loads((folder / "config.json").read_text())
        plain["data"] = {"name": "table", "table": "/dev/zero"}
        (folder / "config.json").write_text(json.dumps(plain))
        (folder / "manifest.json").unlink()
        manifest.write(folder)
        (folder / "model").mkdir()
        folders.append(str(folder))
    assert publish(folders, "both", str(tmp_path / "hub")).startswith("file://")
