"""Components by (kind, name), and what else plugins bring: configs, published models, commands.

Targets are strings `module:attribute`, so that listing imports nothing.  Kinds are open: encoder, head,
objective, interpreter, data, and whatever a plugin adds.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any

from zoo.errors import ConfigError, NameClash, UnknownComponent, ZooError, did_you_mean
from zoo.plugins import Plugin, discover

_OF_TARGET = {
    "tasks": "channels of the target",
    "classes": "vocabulary of the target",
    "bin_size": "bin size of the target",
    "values": "values of the target",  # binary, count, real
    "rc": "strand table of the target",
}
INJECTED: Mapping[str, Mapping[str, str]] = {
    "data": {"genome": "genome of the run", "seed": "seed of the run"},
    "encoder": {"contexts": "contexts of the data", "signal": "tracks of the data", "tied": "strand=tied"},
    "head": {
        "in_channels": "out_channels of the encoder",
        "resolution": "bin size of the embedding",
        "mean": "mean of the training labels",
        "sd": "standard deviation of the training labels",
        **_OF_TARGET,
    },
    "objective": {
        "in_channels": "out_channels of the encoder",
        "head": "name of the head",
        "domains": "domains of the data",
        "covariates": "covariates of the data",
        "contexts": "contexts of the data",
        "sd": "standard deviation of the training labels",
        "task_sizes": "labels of every task in training",
        "task_positives": "positive labels of every task in training",
        **_OF_TARGET,
    },
}
"""{kind: {argument: what the run fills it with}}; a configuration may still set them."""

_CORE_COMMANDS = Path(__file__).with_name("cli")


@dataclass(frozen=True)
class Component:
    """One registered class or function, and the distribution that owns it."""

    kind: str
    name: str
    target: str
    owner: str


@dataclass(frozen=True)
class Command:
    """A command that a plugin adds to `zoo`."""

    name: str
    target: str
    help: str
    owner: str


@dataclass(frozen=True)
class ModelFile:
    """A registry.yaml inside a package."""

    package: str
    file: str
    owner: str


@dataclass
class Registry:
    """What installed plugins registered.  The public surface of a plugin is the five `add` methods."""

    components: dict[tuple[str, str], Component] = field(default_factory=dict)
    config_packages: list[str] = field(default_factory=list)
    model_files: list[ModelFile] = field(default_factory=list)
    commands: dict[str, Command] = field(default_factory=dict)
    contested: dict[tuple[str, str], str] = field(default_factory=dict)
    broken: dict[str, str] = field(default_factory=dict)
    plugins: list[Plugin] = field(default_factory=list)
    owner: str = "here"

    def add(self, kind: str, name: str, target: str) -> None:
        """Register `target` ("package.module:Class") as the `kind` called `name`.

        >>> r = Registry()
        >>> r.add("encoder", "mine", "mine.encoder:Mine")
        >>> r.names("encoder")
        ['mine']
        """
        if ":" not in target:
            raise ZooError(f"target {target!r} of {kind} {name!r} must read 'package.module:Class'")
        self._refuse_clash(self.components, (kind, name), f"{kind} {name!r}", target)
        self.components[kind, name] = Component(kind, name, target, self.owner)

    def configs(self, package: str) -> None:
        """Add a package of YAML files, "pkg://package.conf", to Hydra's search path."""
        if not package.startswith("pkg://"):
            raise ZooError(f"config package {package!r} must begin with pkg://")
        self.config_packages.append(package)

    def models(self, package: str, file: str = "registry.yaml") -> None:
        """Add the published models that `file` inside `package` lists."""
        self.model_files.append(ModelFile(package, file, self.owner))

    def command(self, name: str, target: str, help: str = "") -> None:
        """Add a click command ("package.module:function") to `zoo`; the core's own names are taken."""
        if (_CORE_COMMANDS / f"{name.replace('-', '_')}.py").exists():
            core = Command(name, f"zoo.cli.{name.replace('-', '_')}:command", "", "zoo-core")
            self._refuse_clash({name: core}, name, f"command {name!r}", target)
        self._refuse_clash(self.commands, name, f"command {name!r}", target)
        self.commands[name] = Command(name, target, help, self.owner)

    def _refuse_clash(self, known: Mapping, key: Any, what: str, target: str) -> None:
        if key in known:
            first = known[key]
            message = (
                f"{what} is provided by both {first.owner} ({first.target}) and {self.owner} ({target}): "
                "uninstall one of them"
            )
            self.contested[key if isinstance(key, tuple) else ("command", key)] = message
            raise NameClash(message)

    @contextmanager
    def registering(self, owner: str):
        """Everything added inside belongs to `owner`; an exception takes all of it back."""
        before = (dict(self.components), list(self.config_packages), list(self.model_files), dict(self.commands))
        previous, self.owner = self.owner, owner
        try:
            yield self
        except BaseException:
            self.components, self.config_packages, self.model_files, self.commands = before
            raise
        finally:
            self.owner = previous

    def kinds(self) -> list[str]:
        """Kinds of which something is registered, sorted."""
        return sorted({kind for kind, _ in self.components})

    def names(self, kind: str) -> list[str]:
        """Names of one kind, sorted."""
        return sorted(name for k, name in self.components if k == kind)

    def component(self, kind: str, name: str) -> Component:
        """Raises NameClash for a contested name, UnknownComponent with a suggestion for an unknown one."""
        if (kind, name) in self.contested:
            raise NameClash(self.contested[kind, name])
        if (kind, name) in self.components:
            return self.components[kind, name]
        names = self.names(kind)
        message = f"no {kind} named {name!r}" + did_you_mean(name, names, command="zoo list components")
        for plugin, reason in self.broken.items():
            message += f"; plugin {plugin}, which might provide it, did not load: {reason}"
        raise UnknownComponent(message)

    def get(self, kind: str, name: str) -> Any:
        """Import the class or function behind a name."""
        component = self.component(kind, name)
        module, _, attribute = component.target.partition(":")
        try:
            return getattr(import_module(module), attribute)
        except (ImportError, AttributeError) as error:
            raise UnknownComponent(
                f"{kind} {name!r} of {component.owner} cannot be imported from {component.target}: {error}"
            ) from error

    def resolve(
        self, kind: str, name: str, arguments: Mapping[str, Any] | None = None, inject: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Every argument `kind`/`name` is to be built with: defaults, then injected ones, then `arguments`.

        inject: offered by name and taken only where the constructor has such a parameter.
        Raises ConfigError for an argument that the constructor does not take or still lacks.
        """
        arguments = dict(arguments or {})
        parameters = inspect.signature(self.get(kind, name)).parameters
        unknown = [key for key in arguments if key not in parameters]
        if unknown:
            raise ConfigError(f"{kind} {name!r} has no {unknown[0]!r}" + did_you_mean(unknown[0], list(parameters)))
        resolved: dict[str, Any] = {}
        for key, parameter in parameters.items():
            if key in arguments:
                resolved[key] = arguments[key]
            elif inject and inject.get(key) is not None:
                resolved[key] = inject[key]
            elif parameter.default is not inspect.Parameter.empty:
                resolved[key] = parameter.default
            else:
                raise ConfigError(f"{kind} {name!r} needs {key!r}: set {kind}.{key}=...")
        return {k: list(v) if isinstance(v, tuple) else v for k, v in resolved.items()}

    def build(
        self, kind: str, name: str, arguments: Mapping[str, Any] | None = None, inject: Mapping[str, Any] | None = None
    ) -> Any:
        """Construct `kind`/`name` from the resolved arguments."""
        return self.get(kind, name)(**self.resolve(kind, name, arguments, inject))


@lru_cache(maxsize=1)
def registry() -> Registry:
    """The registry of this process, filled from the installed plugins at first use."""
    installed = Registry()
    installed.plugins = discover(installed)
    return installed
