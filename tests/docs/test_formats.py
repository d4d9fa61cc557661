"""docs/formats.md and docs/stability.md agree with the code: columns, formats, files of folders, what is stable."""

import importlib
import inspect
import re
from pathlib import Path

import pytest

import zoo.interfaces
from zoo import spec
from zoo.fields import Field
from zoo.hub import manifest
from zoo.registry import Registry
from zoo.training.run_folder import RunFolder

ROOT = Path(__file__).resolve().parents[2]
FORMATS = (ROOT / "docs" / "formats.md").read_text()
STABILITY = (ROOT / "docs" / "stability.md").read_text()


def columns(command):
    """Columns of a command's table, as the page lists them."""
    row = re.search(rf"^\| `{re.escape(command)}` \| (.*) \|$", FORMATS, re.MULTILINE)
    return re.findall(r"`(\w+)`", row[1])


@pytest.mark.parametrize(
    ("command", "module", "names"),
    [
        ("zoo score", "zoo.effects.variants.rows", ["COLUMNS", "NORMAL"]),
        ("zoo score --phased", "zoo.effects.variants.rows", ["HAPLOTYPE_COLUMNS"]),
        ("zoo epistasis", "zoo.effects.variants.epistasis", ["COLUMNS"]),
        ("zoo mutate", "zoo.effects.mutational_landscape", ["COLUMNS"]),
    ],
)
def test_the_columns_of_a_table_are_those_of_the_code(command, module, names):
    expected = [column for name in names for column in getattr(importlib.import_module(module), name)]
    assert columns(command)[: len(expected)] == expected


def test_the_formats_are_those_of_the_code():
    assert f"format {spec.FORMAT}" in FORMATS
    assert f"`config.json`, format {spec.FORMAT}" in STABILITY


def test_the_page_of_the_model_folder_names_every_key():
    page = (ROOT / "docs" / "format.md").read_text()
    keys = ["format", *spec.ModelSpec.__dataclass_fields__, *manifest.REQUIRED, *Field.__dataclass_fields__]
    assert [key for key in keys if f"`{key}`" not in page] == []
    assert all(f"`{key}`" in page.split("## Numbers")[1] for key in spec.LATER_KEYS)
    assert f"number {spec.FORMAT};" in page
    assert all(suffix in page for suffix in manifest._SUFFIXES)


def test_the_files_of_folders_are_named():
    run = RunFolder(Path("run"))
    for path in (run.config, run.metrics, run.last, run.best, run.model):
        assert f"`{path.name}" in FORMATS
    for name in (manifest.CONFIG, manifest.WEIGHTS, manifest.GOLDEN, manifest.MANIFEST):
        assert f"`{name}`" in FORMATS


def test_what_is_stable_is_there():
    interfaces = [
        name
        for name, value in vars(zoo.interfaces).items()
        if inspect.isabstract(value) and value.__module__ == "zoo.interfaces"
    ]
    assert [f"`{name}`" for name in interfaces if f"`{name}`" not in STABILITY] == []
    assert len(interfaces) == 4
    adders = [name for name in ("add", "configs", "models", "command") if hasattr(Registry, name)]
    assert len(adders) == 4
