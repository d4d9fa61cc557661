"""`zoo demo`: a tour that can be taken again, and leaves nothing where it cannot be taken."""

import pytest

from zoo import errors
from zoo.cli.main import main

QUICK = ["--set", "data.n_train=128", "--set", "trainer.max_epochs=1", "--set", "encoder.channels=8"]


@pytest.mark.slow
def test_a_second_tour_in_one_folder_starts_afresh(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ZOO_HUB", "")
    quick = [*QUICK, "--set", "data.n_validation=32", "--set", "data.n_test=32", "--set", "evaluation.bootstrap=0"]
    for run in ("run", "run-2"):
        assert main(["demo", *quick]) == 0
        assert f"zoo-demo/{run}\n" in capsys.readouterr().out
    assert {path.name for path in (tmp_path / "zoo-demo").iterdir()} == {
        "run", "run-2", "hub", "new.fa", "predictions.tsv",
    }  # fmt: skip


def test_without_an_extra_no_folder_is_made(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(errors, "installed", lambda module: module != "lightning")
    assert main(["demo"]) == 1
    assert "pip install 'zoo-core[train]'" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_folder_of_something_else_is_left_alone(tmp_path, capsys):
    (tmp_path / "thesis.tex").write_text("x")
    assert main(["demo", "--to", str(tmp_path)]) == 1
    assert "holds 'thesis.tex', which no demo wrote: choose another folder with --to" in capsys.readouterr().err
    assert main(["demo", "--to", str(tmp_path / "thesis.tex")]) == 1
    assert "is a file" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]
