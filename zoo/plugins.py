"""The one door: an entry point in group `zoo` whose module implements `zoo_register(registry)`.

    [project.entry-points.zoo]
    dilated-cnn = "zoo_dilated_cnn"

Entry points are loaded one by one.  A plugin that does not load is skipped and remembered; the core
registers its own parts through the same hook.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from importlib.metadata import Distribution, EntryPoint, entry_points
from typing import TYPE_CHECKING, Any

import pluggy

from zoo.errors import ZooError

if TYPE_CHECKING:
    from zoo.registry import Registry

GROUP = "zoo"
hookspec = pluggy.HookspecMarker(GROUP)
hookimpl = pluggy.HookimplMarker(GROUP)
"""Decorator of a plugin's `zoo_register(registry)`, which makes it the hook's implementation."""


class Hooks:
    """The whole hook surface."""

    @hookspec
    def zoo_register(self, registry: Registry) -> None:
        """Add this plugin's components, configs, models and commands to `registry`."""


@dataclass
class Plugin:
    """One installed plugin and what became of it."""

    distribution: str
    version: str
    entry_point: str
    error: str | None = None
    components: list[tuple[str, str]] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "distribution": self.distribution,
            "version": self.version,
            "entry_point": self.entry_point,
            "status": "broken" if self.error else "ok",
            "error": self.error,
            "components": [f"{kind}/{name}" for kind, name in self.components],
            "commands": self.commands,
        }


def discover(registry: Registry) -> list[Plugin]:
    """Fill `registry` from every installed plugin, the core first.  `ZOO_PLUGINS=a,b` leaves out all others."""
    only = os.environ.get("ZOO_PLUGINS")
    allowed = None if only is None else {"zoo-core", *filter(None, only.split(","))}
    plugins, seen = [], set()
    for entry_point in sorted(entry_points(group=GROUP), key=lambda e: (_owner(e) != "zoo-core", _owner(e), e.name)):
        owner = _owner(entry_point)
        if (owner, entry_point.name) in seen or (allowed is not None and owner not in allowed):
            continue
        seen.add((owner, entry_point.name))
        plugins.append(load(entry_point, registry))
    if not any(p.distribution == "zoo-core" for p in plugins):
        raise ZooError("zoo-core is not installed: run `pip install zoo-core`, or `pip install -e .` in a checkout")
    return plugins


def load(entry_point: EntryPoint, registry: Registry) -> Plugin:
    """Register one plugin; whatever it raises is kept in `Plugin.error`."""
    distribution = entry_point.dist
    plugin = Plugin(_owner(entry_point), distribution.version if distribution else "", entry_point.name)
    try:
        _check_core_range(distribution)
        with registry.registering(plugin.distribution):
            before, commands = set(registry.components), set(registry.commands)
            register(entry_point.load(), registry, entry_point.name)
            plugin.components = sorted(set(registry.components) - before)
            plugin.commands = sorted(set(registry.commands) - commands)
    except (Exception, SystemExit) as error:
        text = str(error).strip().splitlines()
        plugin.error = text[0] if isinstance(error, ZooError) else f"{type(error).__name__}: {(text or [''])[0]}"
        registry.broken[plugin.distribution] = plugin.error
    return plugin


def register(module: Any, registry: Registry, name: str) -> None:
    """Call the hook of one plugin module or object.  A misspelt hook name is an error."""
    manager = pluggy.PluginManager(GROUP)
    manager.add_hookspecs(Hooks)
    manager.register(module, name=name)
    manager.check_pending()
    if not manager.hook.zoo_register.get_hookimpls():
        raise ZooError(f"{name} has no zoo_register(registry) marked with @zoo.hookimpl")
    manager.hook.zoo_register(registry=registry)


def _owner(entry_point: EntryPoint) -> str:
    return entry_point.dist.name if entry_point.dist else entry_point.value


def _check_core_range(distribution: Distribution | None) -> None:
    """Refuse a plugin that was made for another zoo-core."""
    if distribution is None or distribution.name == "zoo-core":
        return
    mentioned = [r for r in distribution.requires or [] if r.startswith("zoo-core")]
    if not mentioned:
        return
    from importlib.metadata import version

    from packaging.requirements import Requirement

    installed = version("zoo-core")
    for text in mentioned:
        requirement = Requirement(text)
        if requirement.marker is None and not requirement.specifier.contains(installed, prereleases=True):
            raise ZooError(
                f"{distribution.name} needs {requirement} but zoo-core {installed} is installed: "
                f"run `pip install -U {distribution.name}`"
            )
