"""`zoo train` from the outside: a real run, and a real sweep."""

import json
import re
from pathlib import Path

import pytest

from zoo.files.tables import read_table

SMALL = ["experiment=demo", "data.n_train=256", "data.n_validation=64", "data.n_test=64", "trainer.max_epochs=1"]


@pytest.fixture(autouse=True)
def somewhere_else(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_help_names_groups_options_and_the_plugins_among_them(zoo, install):
    code = "import zoo\n\n@zoo.hookimpl\ndef zoo_register(registry):\n    registry.configs('pkg://zoo_toy.conf')\n"
    install("zoo-toy", {"__init__.py": code, "conf/encoder/from_a_plugin.yaml": "name: x\n"})
    code, out, _ = zoo("train", "experiment=demo", "--help")
    assert code == 0
    assert "from_a_plugin" in out
    for group in ("encoder", "head", "objective", "data", "genome", "optimizer", "trainer", "experiment"):
        assert f"\n  {group} " in out


def test_a_run_leaves_a_model_and_its_metrics(zoo):
    code, out, err = zoo("train", *SMALL)
    assert code == 0, err
    (metrics,) = Path("runs/demo").rglob("metrics.json")
    assert json.loads(metrics.read_text())
    assert (metrics.parent / "model/model.safetensors").exists()
    assert (metrics.parent / ".hydra/overrides.yaml").exists()
    assert "zoo publish" in out


def test_a_user_s_mistake_inside_the_run_is_one_line(zoo):
    code, _, err = zoo("train", *SMALL, "data.motifs=[NO_SUCH_MOTIF]")
    assert code == 1
    assert err.splitlines()[-1].startswith("zoo: error: ")
    assert "Traceback" not in err


def test_explain_says_what_fills_every_argument_and_trains_nothing(zoo):
    code, out, err = zoo("train", *SMALL, "strand=tied", "--explain")
    assert code == 0, err
    parts = {part.splitlines()[0]: part for part in re.split(r"\n(?=\S)", out)}
    assert list(parts) == ["data: simulated", "encoder: dilated_cnn", "heads.binding: scalar", *list(parts)[3:]]
    for part, argument, value, filled_by in (
        ("data: simulated", "n_train", "256", "configuration"),
        ("encoder: dilated_cnn", "channels", "24", "configuration"),
        ("encoder: dilated_cnn", "tied", "True", "strand=tied"),
        ("heads.binding: scalar", "in_channels", "24", "out_channels of the encoder"),
        ("heads.binding: scalar", "tasks", r"\['CTCF'\]", "channels of the target"),
        ("objectives.binding: cross_entropy", "classes", "null", "default"),
        ("objectives.binding: cross_entropy", "head", "binding", "name of the head"),
    ):
        assert re.search(rf"^  {argument} +{value} +{filled_by}$", parts[part], re.M), (part, argument)
    assert not list(Path().iterdir())
    code, _, err = zoo("train", *SMALL, "--explain", "-m", "seed=1,2")
    assert (code, "one run" in err) == (1, True)


@pytest.mark.slow
def test_a_sweep_of_real_runs_has_their_metrics_in_its_table(zoo):
    code, out, err = zoo("train", *SMALL, "-m", "seed=1,2", "encoder=dilated_cnn,motif_cnn")
    assert code == 0, err
    (table,) = Path("multirun").rglob("sweep.tsv")
    _, rows = read_table(table)
    assert [(row["seed"], row["encoder"]) for row in rows] == [
        ("1", "dilated_cnn"), ("1", "motif_cnn"), ("2", "dilated_cnn"), ("2", "motif_cnn"),
    ]  # fmt: skip
    assert all(0 <= float(row["test.binding.CTCF.auroc"]) <= 1 for row in rows)
    assert "sweep.tsv (4 jobs)" in out
