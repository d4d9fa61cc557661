"""Groups and options of the configuration: the YAML files of the core, of every plugin and of `--config-dir`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from zoo.errors import ConfigError, NameClash
from zoo.registry import did_you_mean, registry
from zoo.resources import core_file

__all__ = ["Groups", "groups"]


@dataclass
class Groups:
    """What may be chosen.

    folders: where Hydra looks, the core's first.
    options: {group: {option: files that define it}}.
    broken: {config package: why it cannot be read}.
    """

    folders: list[Path]
    options: dict[str, dict[str, list[Path]]] = field(default_factory=dict)
    broken: dict[str, str] = field(default_factory=dict)

    def check(self, override: str, group: str, option: str) -> None:
        """Raises ConfigError for an option that is not there, NameClash for one that is there twice."""
        files = self.options[group].get(option.removesuffix(".yaml"), [])
        if len(files) > 1:
            raise NameClash(
                f"{override}: {group}/{option} is given by both {files[0]} and {files[1]}: uninstall one of them"
            )
        if not files:
            message = f"{override}: no {group} option {option!r}" + did_you_mean(option, sorted(self.options[group]))
            for source, reason in {**registry().broken, **self.broken}.items():
                message += f"; {source}, which might provide it, did not load: {reason}"
            raise ConfigError(message)

    def as_option(self, word: str) -> str:
        """': write experiment=word' where some group has such an option."""
        holders = [group for group, options in self.options.items() if word in options]
        if holders:
            return f": write {holders[0]}={word}"
        return ": write for example experiment=demo or seed=1"

    def contested(self) -> dict[str, list[Path]]:
        """{group/option: files} of options that two places define."""
        return {
            f"{group}/{option}": files
            for group, options in self.options.items()
            for option, files in options.items()
            if len(files) > 1
        }


def groups(further: Iterable[Path] = ()) -> Groups:
    """Groups of the core, of the installed plugins in their order, and of `further` folders."""
    found = Groups([core_file("conf")])
    for package in registry().config_packages:
        try:
            found.folders.append(_folder(package.removeprefix("pkg://")))
        except Exception as error:
            found.broken[package] = f"{type(error).__name__}: {error}"
    found.folders += further
    for folder in found.folders:
        for file in sorted(folder.rglob("*.yaml")):
            group = file.parent.relative_to(folder).as_posix()
            if group != ".":
                found.options.setdefault(group, {}).setdefault(file.stem, []).append(file)
    return found


def _folder(package: str) -> Path:
    """Folder of a package, which need not have an __init__.py."""
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ConfigError(f"there is no package {package}")
    return Path(next(iter(spec.submodule_search_locations)))
