"""The door: one broken plugin is one broken plugin."""

import subprocess
import sys
import textwrap
from importlib.metadata import EntryPoint
from types import SimpleNamespace

import pytest

from zoo.plugins import Hooks, hookimpl, load
from zoo.registry import Registry, registry


def entry(module, name="zoo-test", requires=(), version="1.0"):
    distribution = SimpleNamespace(name=name, version=version, requires=list(requires))
    point = SimpleNamespace(name="p", value="m", dist=distribution, load=lambda: module)
    return point


def plugin(function):
    return SimpleNamespace(zoo_register=hookimpl(function))


def test_the_core_registers_itself_through_the_hook():
    core = registry().plugins[0]
    assert core.distribution == "zoo-core"
    assert core.error is None
    assert ("encoder", "motif_cnn") in core.components


def test_a_plugin_is_owned_by_its_distribution():
    registry = Registry()
    found = load(entry(plugin(lambda registry: registry.add("encoder", "a", "m:A"))), registry)
    assert found.error is None
    assert registry.component("encoder", "a").owner == "zoo-test"


def test_a_plugin_that_raises_is_skipped_whole_and_remembered():
    def register(registry):
        registry.add("encoder", "a", "m:A")
        raise ImportError("no such library")

    registry = Registry()
    found = load(entry(plugin(register)), registry)
    assert found.error == "ImportError: no such library"
    assert registry.names("encoder") == []
    assert "zoo-test" in registry.broken


def test_a_plugin_that_exits_does_not_take_the_program_with_it():
    registry = Registry()
    assert "SystemExit" in load(entry(plugin(lambda registry: sys.exit(3))), registry).error


def test_a_misspelt_hook_is_an_error():
    module = SimpleNamespace(zoo_registre=hookimpl(lambda registry: None))
    assert "zoo_registre" in load(entry(module), Registry()).error


def test_a_plugin_without_the_hook_is_an_error():
    assert "zoo_register" in load(entry(SimpleNamespace()), Registry()).error


def test_a_plugin_for_another_core_is_named_with_the_remedy():
    module = plugin(lambda registry: registry.add("encoder", "a", "m:A"))
    registry = Registry()
    assert "pip install -U zoo-test" in load(entry(module, requires=["zoo-core>=99"]), registry).error
    assert registry.names("encoder") == []


def test_there_is_one_hook():
    assert [name for name in vars(Hooks) if not name.startswith("_")] == ["zoo_register"]


@pytest.mark.parametrize("code", ["import zoo", "from zoo.registry import registry; registry()"])
def test_import_and_discovery_leave_torch_alone(code):
    program = textwrap.dedent(f"""
        import sys
        {code}
        heavy = {{"torch", "lightning", "pandas", "numba", "hydra", "omegaconf", "matplotlib"}} & set(sys.modules)
        sys.exit(", ".join(heavy) or 0)
    """)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_entry_points_are_read_from_installed_distributions():
    points = {p.entry_point for p in registry().plugins}
    assert "core" in points
    assert EntryPoint("core", "zoo.builtin", "zoo").load().__name__ == "zoo.builtin"
