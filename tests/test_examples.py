"""The examples of all plugins run as they stand, each in seconds, and each plugin has one."""

import runpy
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1] / "plugins"
PLUGINS = sorted(path.parent for path in ROOT.glob("*/pyproject.toml"))
EXAMPLES = [example for plugin in PLUGINS for example in sorted((plugin / "examples").glob("*.py"))]
NEEDS = {"zoo-ray": "ray"}


def test_every_plugin_has_an_example_that_its_guide_names():
    assert len(PLUGINS) >= 6
    for plugin in PLUGINS:
        names = [f"examples/{path.name}" for path in EXAMPLES if path.parents[1] == plugin]
        assert names, f"{plugin.name} has no example"
        assert all(name in (plugin / "README.md").read_text() for name in names), f"{plugin.name}: {names}"


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: f"{path.parents[1].name}-{path.stem}")
def test_an_example_prints_numbers(example, capsys, monkeypatch, tmp_path):
    if example.parents[1].name in NEEDS:
        pytest.importorskip(NEEDS[example.parents[1].name])
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [str(example)])
    runpy.run_path(str(example), run_name="__main__")
    lines = capsys.readouterr().out.splitlines()
    assert any(character.isdigit() for line in lines for character in line)
