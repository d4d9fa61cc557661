"""The notebooks run, and print what they say they print."""

import importlib.util
import os
import re
import sys
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((ROOT / "docs" / "notebooks").glob("*.ipynb"))
NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?![\w.])")


@pytest.fixture(scope="module")
def runner():
    spec = importlib.util.spec_from_file_location("run_notebooks", ROOT / "docs" / "run_notebooks.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def texts(notebook, printed):
    """What each cell of code printed."""
    return ["".join(map(printed, cell.outputs)) for cell in notebook.cells if cell.cell_type == "code"]


def test_there_are_notebooks_whose_cells_assert_something():
    assert len(NOTEBOOKS) >= 2
    for path in NOTEBOOKS:
        cells = [c.source for c in nbformat.read(path, as_version=4).cells if c.cell_type == "code"]
        assert sum("assert " in source for source in cells) >= 3, path


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_prints_what_is_stored(path, runner, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("ZOO_HUB", raising=False)
    stored = texts(nbformat.read(path, as_version=4), runner.printed)
    ran = texts(runner.run(path, tmp_path), runner.printed)
    assert any(stored)
    for before, now in zip(stored, ran, strict=True):
        assert NUMBER.sub("#", now).split() == NUMBER.sub("#", before).split()
        # Training is not the same to the bit on every machine.
        assert [float(x) for x in NUMBER.findall(now)] == pytest.approx(
            [float(x) for x in NUMBER.findall(before)], rel=0.02, abs=0.06
        )
