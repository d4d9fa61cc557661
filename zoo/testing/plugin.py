"""The contract of a whole plugin, installed or as a folder."""

from __future__ import annotations

import importlib
import os
import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, distribution, entry_points
from pathlib import Path

from zoo.errors import ZooError, did_you_mean
from zoo.plugins import GROUP, Plugin
from zoo.registry import registry
from zoo.testing.component import check_component
from zoo.testing.report import Check, Refused, about, measure

HEAVY = ("torch", "lightning", "numba", "pandas", "hydra")


def check_plugin(name: str, *, length: int | None = None) -> list[Check]:
    """Measure a distribution: how it loads, what it brings besides, and each of its components.

    Raises ZooError for a distribution that is no installed plugin.
    """
    plugin = _plugin(name)
    owned = [c for c in registry().components.values() if c.owner == plugin.distribution]
    checks = [
        measure("loads", lambda: _loads(plugin)),
        measure("imports nothing heavy", lambda: _light(plugin)),
        measure("says which zoo-core it needs", lambda: _range(plugin)),
        measure("configurations", lambda: _configurations(plugin, owned)),
        measure("published models", lambda: _models(plugin)),
        measure("commands", lambda: _commands(plugin)),
    ]
    checks = about(plugin.distribution, checks)
    for component in sorted(owned, key=lambda c: (c.kind, c.name)):
        checks += check_component(component.kind, component.name, length=length)
    return checks


@contextmanager
def as_if_installed(folder: Path) -> Iterator[str]:
    """The distribution's name; inside, the plugin in `folder` is found as if pip had installed it.

    What its pyproject.toml says is written beside as the metadata that an installation leaves.
    """
    project = _project(folder)
    name, version = project["name"], str(project.get("version", "0"))
    points = project.get("entry-points", {}).get(GROUP, {})
    if not points:
        raise ZooError(f"{folder / 'pyproject.toml'} has no [project.entry-points.{GROUP}]: name the plugin's module")
    with tempfile.TemporaryDirectory() as place:
        info = Path(place) / f"{re.sub(r'[-_.]+', '_', name)}-{version}.dist-info"
        info.mkdir()
        needs = "".join(f"Requires-Dist: {r}\n" for r in project.get("dependencies", []))
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needs}")
        lines = "".join(f"{key} = {value}\n" for key, value in points.items())
        (info / "entry_points.txt").write_text(f"[{GROUP}]\n{lines}")
        packages = {str(value).partition(":")[0].partition(".")[0] for value in points.values()}
        before, elsewhere = list(sys.path), _take_out(packages)
        sys.path[:0] = [str(folder), *([str(folder / "src")] if (folder / "src").is_dir() else []), place]
        try:
            _rediscover()
            yield name
        finally:
            sys.path[:] = before
            _take_out(packages)
            sys.modules.update(elsewhere)
            _rediscover()


def _take_out(packages: set[str]) -> dict:
    """Forget modules of these packages, so that another copy of them is imported; returns what was there."""
    return {name: sys.modules.pop(name) for name in list(sys.modules) if name.partition(".")[0] in packages}


def _project(folder: Path) -> dict:
    path = folder / "pyproject.toml"
    try:
        project = tomllib.loads(path.read_text(encoding="utf-8")).get("project", {})
    except FileNotFoundError as error:
        raise ZooError(f"{folder} holds no pyproject.toml: give the folder of a plugin") from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ZooError(f"{path} cannot be read: {error}") from error
    if not isinstance(project.get("name"), str):
        raise ZooError(f"{path} has no [project] name")
    return project


def _rediscover() -> None:
    importlib.invalidate_caches()
    registry.cache_clear()


def _plugin(name: str) -> Plugin:
    plain = _normal(name)
    for plugin in registry().plugins:
        if _normal(plugin.distribution) == plain:
            return plugin
    try:
        distribution(name)
    except PackageNotFoundError as error:
        known = [p.distribution for p in registry().plugins]
        raise ZooError(f"no plugin {name!r} is installed" + did_you_mean(name, known)) from error
    raise ZooError(f"{name} is installed but has no entry point in group {GROUP!r}: see `zoo new-plugin`")


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _loads(plugin: Plugin) -> str:
    if plugin.error:
        raise Refused(plugin.error)
    return f"{plugin.distribution} {plugin.version}: {len(plugin.components)} components"


def _light(plugin: Plugin) -> str:
    """Importing the plugin's module in a fresh interpreter brings no heavy library along."""
    modules = {e.module for e in entry_points(group=GROUP) if e.dist and e.dist.name == plugin.distribution}
    code = "import sys, importlib; [importlib.import_module(m) for m in sys.argv[2:]]; "
    code += "print(*[m for m in sys.argv[1].split(',') if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code, ",".join(HEAVY), *sorted(modules)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    if done.returncode:
        raise Refused((done.stderr.strip().splitlines() or ["the import failed"])[-1])
    if done.stdout.strip():
        raise Refused(
            f"importing {', '.join(sorted(modules))} imports {done.stdout.strip()}: import it where it is used"
        )
    return ", ".join(sorted(modules))


def _range(plugin: Plugin) -> str:
    if plugin.distribution == "zoo-core":
        return "is zoo-core"
    needs = [r for r in distribution(plugin.distribution).requires or [] if re.match(r"zoo[-_.]core\b", r)]
    if not needs or not re.search("[<=~]", needs[0]):
        raise Refused('depend on a range, as in "zoo-core>=0.2,<0.3": a later core may change the interfaces')
    return needs[0]


def _configurations(plugin: Plugin, owned: list) -> str:
    """Every YAML of a component's group belongs to a component that is registered."""
    from zoo.composition.option_files import groups
    from zoo.testing.component import INTERFACES

    found = groups()
    if found.broken:
        raise Refused("; ".join(f"{package}: {why}" for package, why in found.broken.items()))
    contested = found.contested()
    mine = {f"{c.kind}/{c.name}" for c in owned}
    twice = [option for option in contested if option in mine]
    if twice:
        raise Refused(f"{twice[0]} is given by {' and '.join(map(str, contested[twice[0]]))}")
    configured = sorted(o for o in mine if o.split("/")[0] in INTERFACES)
    return ", ".join(configured) or "none needed"


def _models(plugin: Plugin) -> str:
    """The registry of published models can be read, and what lies inside the package gives its golden outputs."""
    from zoo.hub.golden import check_golden
    from zoo.hub.loader import load, pull
    from zoo.hub.names import published

    mine = [f for f in registry().model_files if f.owner == plugin.distribution]
    if not mine:
        return "none"
    entries = [entry for entry in published() if entry.registry == plugin.distribution]
    for source in (str(entry.source) for entry in entries if entry.source.scheme == "pkg"):
        check_golden(load(source), pull(source))
    return ", ".join(entry.name for entry in entries) or "an empty registry"


def _commands(plugin: Plugin) -> str:
    import click

    for name in plugin.commands:
        module, _, attribute = registry().commands[name].target.partition(":")
        if not isinstance(getattr(importlib.import_module(module), attribute), click.Command):
            raise Refused(f"command {name} is no click command")
    return ", ".join(plugin.commands) or "none"
