"""Which space is searched: the files of the encoder, less what the user fixed, with the defaults in it.

conf/search/training.yaml + conf/search/<encoder>.yaml of core, plugins and --config-dir, or --search FILE
    -> space_files -> fit_space(space, configuration, overrides) -> Space, notes
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from zoo.composition.option_files import SEARCH, groups
from zoo.composition.signature_check import COMPONENTS, SETTINGS
from zoo.errors import ConfigError, NameClash
from zoo.registry import registry
from zoo_tune.space import Choices, Space, read_space

_MISSING = object()


def space_files(encoder: str, folders: Iterable[Path] = ()) -> list[Path]:
    """The files of the space of an encoder: what all searches vary, then what this encoder adds, if a plugin says so.

    folders: as --config-dir names them.  Raises NameClash where two plugins give a space of one name.
    """
    every = groups(folders).folders
    return [file for name in ("training", encoder) for file in _one(name, every)]


def shipped_space(encoder: str, folders: Iterable[Path] = ()) -> tuple[Space, list[Path]]:
    """The ready space of an encoder, and the files that it is from."""
    files, space = space_files(encoder, folders), {}
    for file in files:
        space |= read_space(file)
    if not space:
        raise ConfigError(
            f"no search space for encoder {encoder!r} is installed: write one and give it by --search FILE"
        )
    return space, files


def fit_space(
    space: Space, config: Mapping[str, Any], overrides: Iterable[str], strict: bool
) -> tuple[Space, dict[str, Any], list[str]]:
    """The space that is left, the default of each of its keys, and a sentence for every change.

    config: the default configuration, composed.  overrides: the user's, which fix what they set.
    strict: a key that the configuration's parts do not take is an error, as in a file that the user wrote; else it
        is left out, as `head.pool` where another head was chosen.
    """
    typed = {word.lstrip("+~").partition("=")[0] for word in overrides}
    fitted, defaults, notes = {}, {}, []
    for key, parameter in space.items():
        if key in typed:
            notes.append(f"{key} is fixed by the command and leaves the search space")
            continue
        if not strict and key.startswith("augmentation.") and (config.get("head") or {}).get("name") != "scalar":
            notes.append(f"{key} leaves the search space: it moves bases, and with them what has a position")
            continue
        default = default_of(config, key)
        if default is _MISSING:
            section, _, name = key.rpartition(".")
            part = (config.get(section.partition(".")[0]) or {}).get("name", section)
            if strict:
                raise ConfigError(f"{key} cannot be searched: {part!r} has no {name!r}: leave it out")
            notes.append(f"{key} leaves the search space: {part!r} has no such argument")
            continue
        fitted[key], defaults[key] = parameter.widened(default, key), default
        if fitted[key] != parameter:
            notes.append(f"the search space of {key} is widened to its default, {default}")
    if not fitted:
        raise ConfigError("nothing is left to search: every key of the space is fixed: give fewer overrides")
    return fitted, defaults, notes


def default_of(config: Mapping[str, Any], key: str) -> Any:
    """What a configuration, or else the signature of the part, sets at a key; `_MISSING` where nothing takes it."""
    section, *rest = key.split(".")
    value: Any = config
    for at, step in enumerate([section, *rest]):
        if not isinstance(value, Mapping) or step not in value:
            return _of_signature(config, section, rest) if at == len(rest) == 1 else _MISSING
        value = value[step]
    return value.get("name", _MISSING) if isinstance(value, Mapping) else value


def checks(space: Space) -> list[dict[str, Any]]:
    """Parameters that together hold every choice and both ends of every range: if these compose, all do."""
    ends = {key: parameter.ends() for key, parameter in space.items()}
    longest = max(len(values) for values in ends.values())
    return [{key: values[at % len(values)] for key, values in ends.items()} for at in range(longest)]


def describe(space: Space, defaults: Mapping[str, Any]) -> list[str]:
    """A line a key: its values and its default."""
    width = max(len(key) for key in space)
    text = {key: str(parameter) for key, parameter in space.items()}
    wide = max(len(one) for one in text.values())
    return [f"{key.ljust(width)}  {text[key].ljust(wide)}  default {Choices((defaults[key],))}" for key in space]


def _one(name: str, folders: Iterable[Path]) -> list[Path]:
    files = [file for folder in folders if (file := folder / SEARCH / f"{name}.yaml").is_file()]
    if len(files) > 1:
        raise NameClash(f"search space {name!r} is given by both {files[0]} and {files[1]}: remove one of them")
    return files


def _of_signature(config: Mapping[str, Any], section: str, rest: list[str]) -> Any:
    if section in SETTINGS:
        module, _, attribute = SETTINGS[section].partition(":")
        target = getattr(import_module(module), attribute)
    elif section in COMPONENTS and isinstance(config.get(section), Mapping):
        target = registry().get(COMPONENTS[section], str(config[section].get("name")))
    else:
        return _MISSING
    parameter = inspect.signature(target).parameters.get(rest[0])
    if parameter is None or parameter.default is inspect.Parameter.empty:
        return _MISSING
    return parameter.default
