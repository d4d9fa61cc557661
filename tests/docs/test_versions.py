"""One version for the core and all plugins, whose ranges admit it; the changelog and the shipped models know it."""

import json
import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from zoo.registry import registry

ROOT = Path(__file__).resolve().parents[2]
PROJECTS = {p.parent.name: tomllib.loads(p.read_text())["project"] for p in ROOT.glob("plugins/*/pyproject.toml")}
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
MODELS = sorted([*ROOT.glob("zoo/weights/*/config.json"), *ROOT.glob("plugins/*/*/weights/*/config.json")])


@pytest.mark.parametrize("plugin", sorted(PROJECTS))
def test_a_plugin_has_the_version_of_the_core_and_admits_it_but_not_the_next(plugin):
    project = PROJECTS[plugin]
    ranges = [r for r in map(Requirement, project["dependencies"]) if r.name == "zoo-core"]
    major, minor = map(int, VERSION.split(".")[:2])
    assert project["version"] == VERSION
    assert [r.specifier.contains(VERSION) for r in ranges] == [True]
    assert not ranges[0].specifier.contains(f"{major}.{minor + 1}.0")


def test_the_changelog_begins_with_this_version():
    headings = re.findall(r"^## (.+)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert next(heading for heading in headings if heading != "Unreleased") == VERSION
    assert "Numbers that change" in (ROOT / "CHANGELOG.md").read_text().partition(f"## {VERSION}")[2]


@pytest.mark.parametrize("config", MODELS, ids=lambda path: path.parent.name)
def test_a_shipped_model_may_be_loaded_by_this_version(config):
    requires = json.loads(config.read_text())["requires"]
    assert requires
    assert all(SpecifierSet(text).contains(VERSION) for text in requires.values())


@pytest.mark.parametrize("config", MODELS, ids=lambda path: path.parent.name)
def test_the_data_that_a_shipped_model_names_can_still_be_built(config):
    data = dict(json.loads(config.read_text())["data"].get("config") or {})
    if data:
        assert registry().build("data", data.pop("name"), data).targets


def test_there_are_plugins_and_models():
    assert len(PROJECTS) >= 7
    assert len(MODELS) >= 4
