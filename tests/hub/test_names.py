"""Names: which registry answers, and what it says when none does."""

from __future__ import annotations

import subprocess
import sys

import pytest

import zoo
from zoo.errors import HubError
from zoo.hub.names import find
from zoo.registry import registry


@pytest.fixture
def write_registry(tmp_path, monkeypatch):
    """Write a registry file and make it ZOO_REGISTRY."""

    def write(text, name="registry.yaml"):
        path = tmp_path / name
        path.write_text(text)
        monkeypatch.setenv("ZOO_REGISTRY", str(path))
        return path

    return write


@pytest.fixture
def plugin(tmp_path, monkeypatch):
    """An installed plugin `zoo-toy` that lists models."""

    def install(text):
        package = tmp_path / "site" / "zoo_toy"
        package.mkdir(parents=True)
        (package / "__init__.py").write_text("")
        (package / "registry.yaml").write_text(text)
        monkeypatch.syspath_prepend(tmp_path / "site")
        with registry().registering("zoo-toy"):
            registry().models("zoo_toy", "registry.yaml")

    return install


def entry(name, source, more=""):
    return f"models:\n  {name}:\n    source: {source}\n{more}"


def test_an_entry_says_what_the_model_is(write_registry):
    write_registry(
        entry(
            "ctcf",
            "hf://genomics/ctcf",
            "    task: binding\n    licence: MIT\n    input_length: 200\n    plugin: zoo-toy\n",
        )
    )
    found = next(m for m in zoo.list_models() if m["name"] == "ctcf")
    assert {k: found[k] for k in ("task", "licence", "input_length", "plugin", "source", "cached", "clash")} == {
        "task": "binding",
        "licence": "MIT",
        "input_length": 200,
        "plugin": "zoo-toy",
        "source": "hf://genomics/ctcf",
        "cached": False,
        "clash": [],
    }


def test_a_path_in_a_registry_is_relative_to_it(write_registry, bundle):
    write_registry(entry("mine", f"./{bundle.name}"))
    assert zoo.load("mine").source == str(bundle)


def test_the_users_registry_wins_over_a_plugins_and_the_clash_is_shown(write_registry, plugin, bundle, caplog):
    write_registry(entry("ctcf", f"./{bundle.name}"))
    plugin(entry("ctcf", "hf://genomics/ctcf") + "  other:\n    source: hf://genomics/other\n")
    listed = {m["name"]: m for m in zoo.list_models()}
    assert listed["ctcf"]["clash"] == ["zoo-toy"]
    assert listed["other"]["plugin"] == "zoo-toy"
    zoo.load("ctcf")
    assert "zoo-toy has one too" in caplog.text


def test_zoo_hub_wins_over_every_registry(write_registry, bundle, tmp_path, monkeypatch):
    source = zoo.publish(bundle, "ctcf", str(tmp_path / "hub"))
    write_registry(entry("ctcf", "hf://genomics/ctcf"))
    monkeypatch.setenv("ZOO_HUB", f"file://{tmp_path}/hub")
    assert zoo.load("ctcf").source == source
    found = next(m for m in zoo.list_models() if m["name"] == "ctcf")
    assert (found["task"], found["input_length"], len(found["clash"])) == ("CTCF binding", 20, 1)


def test_zoo_hub_is_the_place_to_publish_to(bundle, tmp_path, monkeypatch):
    with pytest.raises(HubError, match="no place to publish to"):
        zoo.publish(bundle, "ctcf")
    monkeypatch.setenv("ZOO_HUB", str(tmp_path / "hub"))
    zoo.publish(bundle, "ctcf")
    assert zoo.load("ctcf").spec.name == "ctcf"


def test_a_pinned_revision_must_match(write_registry, bundle):
    from zoo.hub import manifest

    revision = manifest.revision_of(bundle)
    write_registry(entry("ctcf", f"./{bundle.name}", f"    revision: {revision}\n"))
    assert zoo.load("ctcf").revision == revision
    write_registry(entry("ctcf", f"./{bundle.name}", f"    revision: {'0' * 64}\n"))
    with pytest.raises(HubError, match="is of revision"):
        zoo.load("ctcf")


def test_name_at_revision_and_the_argument_mean_the_same(write_registry):
    write_registry(entry("ctcf", "hf://genomics/ctcf", "    revision: abc\n"))
    assert str(find("ctcf")[0]) == "hf://genomics/ctcf@abc"
    assert str(find("ctcf@v2")[0]) == str(find("ctcf", "v2")[0]) == "hf://genomics/ctcf@v2"


def test_an_unknown_name_gets_a_suggestion_and_the_broken_plugins(write_registry, monkeypatch, tmp_path):
    write_registry(entry("ctcf-motif-cnn", "hf://genomics/ctcf"))
    with pytest.raises(HubError, match="did you mean 'ctcf-motif-cnn'"):
        zoo.load("ctcf-motif-cn")
    monkeypatch.setitem(registry().broken, "zoo-toy", "ImportError: no module")
    with pytest.raises(HubError, match="plugin zoo-toy, which might list it, did not load: ImportError"):
        zoo.load("nonesuch")
    (tmp_path / "my_run").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(HubError, match="the folder my_run holds no model"):
        zoo.load("my_run")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("models: [1", "is no YAML"),
        ("model: {}", "no key `models`"),
        ("models: 7", "must map"),
        ("- a", "no key `models`"),
        (entry("Big Name", "hf://a/b"), "entry 'Big Name'"),
        (entry("a", "ftp://a/b"), "entry 'a': .* is no source"),
        (entry("a", "hf://a/b", "    sorce: x\n"), "no key 'sorce': did you mean 'source'"),
        (entry("a", "hf://a/b", "    revision: [12]\n"), "revision must be one text"),
        (entry("a", "hf://a/b", "    revision: a/b\n"), "entry 'a': .*revision"),
        (entry("a", "hf://a/b", "    input_length: long\n"), "must be a number of bp"),
        (entry("a", "hf://a/b@v1", "    revision: v2\n"), "disagree"),
        ("models:\n  a: 7\n", "needs a `source`"),
        ("models: !!python/object/apply:os.system [ls]", "must map"),
        ("x: " + "y" * (1 << 20), "larger than"),
    ],
)
def test_a_broken_registry_names_its_file_and_entry(write_registry, text, message):
    path = write_registry(text)
    with pytest.raises(HubError, match=message) as caught:
        zoo.list_models()
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_plugin_with_a_broken_registry_hides_nobody_elses_models(write_registry, plugin, caplog):
    write_registry(entry("ctcf", "hf://genomics/ctcf"))
    plugin("models: 7")
    with registry().registering("zoo-gone"):
        registry().models("zoo_gone")
    assert "ctcf" in [m["name"] for m in zoo.list_models()]
    assert "the models of zoo-toy are left out" in caplog.text
    assert "the models of zoo-gone are left out" in caplog.text


def test_an_empty_registry_lists_nothing_and_a_missing_one_is_named(write_registry, tmp_path, monkeypatch):
    write_registry("models: {}\n")
    zoo.list_models()
    monkeypatch.setenv("ZOO_REGISTRY", str(tmp_path / "nonesuch.yaml"))
    with pytest.raises(HubError, match=r"nonesuch\.yaml"):
        zoo.list_models()


def test_listing_imports_no_torch():
    code = "import sys, zoo.cli.main; zoo.cli.main.main(['list']); print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "False"
