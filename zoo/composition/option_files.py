"""Groups and options of the configuration: the YAML files of the core, of every plugin and of `--config-dir`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from inspect import signature
from pathlib import Path
from typing import Any

from zoo.composition.signature_check import COMPONENTS, check_config
from zoo.errors import ConfigError, NameClash, did_you_mean
from zoo.files.locations import core_file
from zoo.registry import registry

SEARCH = "search"
"""Folder, beside the groups, of search spaces: no part of a run's configuration."""


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

    def check_choices(self, choices: Mapping[str, Any]) -> None:
        """`check` of {group, or group@place: option}, however each was chosen, in an experiment for instance."""
        for place, option in choices.items():
            group = str(place).partition("@")[0]
            if group in self.options and isinstance(option, str) and option in self.options[group]:
                self.check(f"{place}={option}", group, option)

    def read_override(self, word: str, key: str, values: list[Any], delete: bool) -> str:
        """An override as Hydra takes it; ConfigError for a group, an option or a key that is not there.

        word: as it was typed.  key: left of its =.  values: options of a group, right of it.  delete: it is `~key`.
        """
        section, *rest = key.split(".")
        if section == "hydra" or key.startswith("hydra/"):
            return word
        if values:
            for option in values:
                if option is not None:
                    self.check(word, key, str(option))
            return word
        if "/" in key:
            raise ConfigError(f"{word}: there is no group {key!r}" + did_you_mean(key, list(self.options)))
        known = [*self.options, *self.top()]
        if section not in known:
            raise ConfigError(f"{word}: there is no group or key {section!r}" + did_you_mean(section, known))
        if rest and not delete:
            return "++" + word.lstrip("+")  # the constructor's signature decides, not what the YAML happens to list
        return word

    def as_option(self, word: str) -> str:
        """': write experiment=word' where some group has such an option."""
        holder = next((group for group, options in self.options.items() if word in options), None)
        return f": write {holder}={word}" if holder else ": write for example experiment=demo or seed=1"

    def keys(self) -> dict[str, set[str]]:
        """{group: keys of its options} for the groups whose options are no components but plain settings."""
        plain = [group for group in self.options if group not in (*COMPONENTS, "experiment") and "/" not in group]
        return {
            group: {key for files in self.options[group].values() for file in files for key in _load(file)}
            - {"defaults"}
            for group in plain
        }

    def top(self) -> list[str]:
        """Keys of a configuration that are no group."""
        return [key for key in _load(self.folders[0] / "train.yaml") if key not in ("defaults", "hydra")]

    def check_job(self, config: dict, experiment: str | None) -> None:
        """Raises ConfigError for what the user has still to set, and for what the run could not use."""
        for key in self.demanded(experiment):
            place, _, last = key.rpartition(".")
            if last in (part := value_at(config, place)) and part[last] is None:
                raise ConfigError(f"{key} is missing: experiment {experiment} needs it: set {key}=...")
        check_config(config, self.keys())

    def leave_out(self, config: dict, experiment: str | None, typed: list[str]) -> list[str]:
        """Delete what an experiment sets for a component in whose place the user chose another; says what.

        config: plain; changed in place.
        typed: the user's overrides.  `experiment=demo encoder=motif_cnn` drops demo's `encoder.layers`, which a
            motif CNN has not, and keeps demo's `encoder.dropout`, which it has.
        """
        files = self.options.get("experiment", {}).get(experiment or "", [])
        keys = [word.lstrip("+").partition("=")[0] for word in typed]
        notes = []
        for key in keys if files else ():
            group, _, package = key.partition("@")
            place = package or group
            kind = COMPONENTS.get(place.partition(".")[0])
            part, wrote = value_at(config, place), value_at(_load(files[0]), place)
            if group not in self.options or kind is None or not wrote or not part:
                continue
            taken = signature(registry().get(kind, str(part.get("name")))).parameters
            for name in [n for n in wrote if n in part and n not in taken and f"{place}.{n}" not in keys]:
                if name not in ("name", "coefficient"):
                    del part[name]
                    notes.append(
                        f"{place}.{name} of experiment {experiment} is left out: {part['name']} has no such argument"
                    )
        return notes

    def demanded(self, experiment: str | None) -> list[str]:
        """Dotted keys that an experiment leaves to the user: `???` in its file.  Hydra lets a default fill them."""
        files = self.options.get("experiment", {}).get(experiment or "", [])
        return list(_unknown(_load(files[0]))) if files else []

    def contested(self) -> dict[str, list[Path]]:
        """{group/option: files} of options that two places define."""
        return {
            f"{group}/{option}": files
            for group, options in self.options.items()
            for option, files in options.items()
            if len(files) > 1
        }


def value_at(config: dict, path: str) -> dict:
    """The mapping at a dotted path, empty where there is none."""
    for key in path.split(".") if path else ():
        inner = config.get(key)
        config = inner if isinstance(inner, dict) else {}
    return config


def groups(further: Iterable[Path] = ()) -> Groups:
    """Groups of the core, of the installed plugins in their order, and of `further` folders."""
    available = Groups([core_file("conf")])
    for package in registry().config_packages:
        try:
            available.folders.append(_folder(package.removeprefix("pkg://")))
        except Exception as error:
            available.broken[package] = f"{type(error).__name__}: {error}"
    available.folders += further
    for folder in available.folders:
        for file in sorted(folder.rglob("*.yaml")):
            group = file.parent.relative_to(folder).as_posix()
            if group not in (".", SEARCH):
                available.options.setdefault(group, {}).setdefault(file.stem, []).append(file)
    return available


def _unknown(config: dict, prefix: str = "") -> Iterator[str]:
    for key, value in config.items():
        if isinstance(value, dict):
            yield from _unknown(value, f"{prefix}{key}.")
        elif value == "???":
            yield f"{prefix}{key}"


def _load(file: Path) -> dict:
    import yaml

    try:
        loaded = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return {}  # Hydra says what is wrong with it when it is chosen
    return loaded if isinstance(loaded, dict) else {}


def _folder(package: str) -> Path:
    """Folder of a package, which need not have an __init__.py."""
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ConfigError(f"there is no package {package}")
    return Path(next(iter(spec.submodule_search_locations)))
