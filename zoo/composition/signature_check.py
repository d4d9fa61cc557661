"""Does a configuration fit the constructors that it names?  Nothing is built; classes are imported to read signatures.

encoder, head, objective, interpreter, data   {name, ...arguments}       the constructor's signature decides
heads.<target>, objectives.<part>             {name, ...arguments}       likewise
data.negatives, data.sources.<name>, ...      nested settings, components  likewise, by the argument's annotation
trainer, optimizer, augmentation, tune, genome  keys that some option of the group has
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import is_dataclass
from importlib import import_module
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from zoo.errors import ConfigError, did_you_mean
from zoo.registry import INJECTED, registry
from zoo.training.schedule import COEFFICIENT_SCHEDULES, flat_schedules

COMPONENTS = {
    "encoder": "encoder",
    "head": "head",
    "objective": "objective",
    "interpreter": "interpreter",
    "data": "data",
    "heads": "head",
    "objectives": "objective",
}
"""Kind of the components that a section holds; the plural sections hold them by name."""

SETTINGS = {
    "trainer": "zoo.training.settings:TrainerSettings",
    "optimizer": "zoo.training.optimizer:OptimizerSettings",
    "augmentation": "zoo.training.evolution:AugmentationSettings",
    "tune": "zoo.training.settings:TuneSettings",
}
"""Sections that are no component, and the class whose signature they follow."""

_TOP: dict[str, Any] = {
    "name": str,
    "seed": int,
    "schedules": Mapping,
    "strand": Literal["auto", "none", "augmented", "conjoined", "tied"],
    "init": str | None,
    "freeze_encoder": bool,
    "calibrate": bool,
    "n_encoding": Literal["zero", "quarter"],
    "task": str | None,
    "description": str | None,
    "output_dir": str,
    "resume": str | None,
}
_INTERFACES = {"Source": "data", "Encoder": "encoder", "Head": "head", "Objective": "objective"}
"""Kind of the components that an argument annotated `Mapping[str, <interface>]` holds by name."""
_WIRED = {"objectives": ("coefficient", "head")}
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def check_config(config: Mapping[str, Any], keys: Mapping[str, Iterable[str]] | None = None) -> None:
    """Raises ConfigError, naming the key, for whatever the run could not use.

    keys: what the sections without a signature (genome) may hold.
    """
    for key, annotation in _TOP.items():
        if key in config and not fits(config[key], annotation):
            raise ConfigError(f"{_override(key, config[key])} must be {_text(annotation)}")
    if not _NAME.fullmatch(config.get("name", "run")):
        raise ConfigError(f"name={config['name']} names a folder: use letters, digits, dots, dashes and underscores")
    for section, kind in COMPONENTS.items():
        if section.endswith("s"):
            for name, part in (config.get(section) or {}).items():
                _check_component(f"{section}.{name}", kind, part, _WIRED.get(section, ()))
        elif section not in config:
            raise ConfigError(f"{section} is missing: choose one of {', '.join(registry().names(kind))}")
        else:
            _check_component(section, kind, config[section])
    for section, target in SETTINGS.items():
        module, _, attribute = target.partition(":")
        _check_arguments(section, section, getattr(import_module(module), attribute), config.get(section) or {})
    for key, schedule in flat_schedules(config.get("schedules")):
        if schedule not in COEFFICIENT_SCHEDULES:
            raise ConfigError(
                f"{_override(f'schedules.{key}', schedule)}{did_you_mean(schedule, COEFFICIENT_SCHEDULES)}"
            )
    for section, known in (keys or {}).items():
        for key, value in (config.get(section) or {}).items():
            if section not in SETTINGS and key not in known:
                raise ConfigError(
                    f"{_override(f'{section}.{key}', value)}: {section} has no {key!r}"
                    f"{did_you_mean(key, sorted(known))}"
                )


def fits(value: Any, annotation: Any) -> bool:
    """May a plain value stand for this annotation?  What is not understood fits.

    >>> fits(3, float), fits(3.5, int), fits([1, 2], tuple[int, ...]), fits("relu", Literal["relu", "gelu"])
    (True, False, True, True)
    """
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin in (Union, UnionType):
        return any(fits(value, a) for a in inner)
    if origin is Literal:
        return value in inner
    if annotation in (None, NoneType):
        return value is None
    if annotation is bool:
        return isinstance(value, bool)
    if annotation is int:
        return isinstance(value, int) and not isinstance(value, bool)
    if annotation is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if annotation in (str, Path):
        return isinstance(value, str | Path)
    if is_dataclass(annotation):
        return isinstance(value, Mapping | annotation)
    kind = origin or annotation
    if kind is Sequence and isinstance(value, str):
        return not inner or fits(value, inner[0])  # one name for a list of one
    if kind in (list, tuple) or kind is Sequence:
        if not isinstance(value, list | tuple):
            return False
        if kind is tuple and inner and Ellipsis not in inner:
            return len(value) == len(inner) and all(fits(v, a) for v, a in zip(value, inner, strict=True))
        return not inner or all(fits(v, inner[0]) for v in value)
    if kind is dict or kind is Mapping:
        return isinstance(value, Mapping)  # its constructor checks what it holds
    return True


def _check_component(section: str, kind: str, part: Any, wired: tuple[str, ...] = ()) -> None:
    if not isinstance(part, Mapping) or not isinstance(part.get("name"), str):
        raise ConfigError(f"{section} names no {kind}: choose {section}.name from {', '.join(registry().names(kind))}")
    if "_target_" in part:
        raise ConfigError(f"{section} holds a class path, which is never followed: give it a name instead")
    target = registry().get(kind, part["name"])
    parameters = inspect.signature(target).parameters
    arguments = {k: v for k, v in part.items() if k != "name" and (k not in wired or k in parameters)}
    _check_arguments(section, f"{kind} {part['name']!r}", target, arguments, INJECTED.get(kind, ()))


def _check_arguments(
    section: str, what: str, target: Any, arguments: Mapping[str, Any], filled: Collection[str] = ()
) -> None:
    """arguments against the signature of `target`; `filled` ones may be missing."""
    parameters = inspect.signature(target).parameters
    if any(p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD) for p in parameters.values()):
        return
    hints = argument_types(target)
    for key, value in arguments.items():
        override = _override(f"{section}.{key}", value)
        if key not in parameters:
            raise ConfigError(f"{override}: {what} has no {key!r}{did_you_mean(key, list(parameters))}")
        if key in hints and not fits(value, hints[key]):
            raise ConfigError(f"{override} must be {_text(hints[key])} for {what}")
        _check_nested(f"{section}.{key}", value, hints.get(key))
    for key, parameter in parameters.items():
        if key not in arguments and key not in filled and parameter.default is inspect.Parameter.empty:
            raise ConfigError(f"{section}.{key} is missing: {what} needs it: set {section}.{key}=...")


def _check_nested(section: str, value: Any, annotation: Any) -> None:
    """The keys of an argument that is a group of settings (a dataclass), or holds components by name."""
    if not isinstance(value, Mapping):
        return
    for choice in get_args(annotation) if get_origin(annotation) in (Union, UnionType) else (annotation,):
        inner = get_args(choice)
        if is_dataclass(choice):
            _check_arguments(section, section, choice, value)
        elif get_origin(choice) is Mapping and inspect.isclass(inner[1]) and inner[1].__name__ in _INTERFACES:
            for name, part in value.items():
                _check_component(f"{section}.{name}", _INTERFACES[inner[1].__name__], part)


def argument_types(target: Any) -> dict[str, Any]:
    """Annotations of a constructor; none where they name what only a type checker imports."""
    try:
        return get_type_hints(target.__init__ if inspect.isclass(target) else target)
    except (NameError, TypeError):
        return {}


def _override(key: str, value: Any) -> str:
    """The override as it could have been typed."""
    if value is None:
        return f"{key}=null"
    if isinstance(value, bool):
        return f"{key}={str(value).lower()}"
    return f"{key}={value}"


def _text(annotation: Any) -> str:
    """An annotation as a person would say it."""
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin in (Union, UnionType):
        return " or ".join(dict.fromkeys(_text(a) for a in inner))
    if origin is Literal:
        return "one of " + ", ".join(map(str, inner))
    plain = {int: "a whole number", float: "a number", str: "text", bool: "true or false", NoneType: "null"}
    if annotation in plain:
        return plain[annotation]
    if (origin or annotation) in (list, tuple, Sequence):
        return "a list" + (f" of {_text(inner[0]).removeprefix('a ')}s" if inner and inner[0] in (int, float) else "")
    if (origin or annotation) in (dict, Mapping) or is_dataclass(annotation):
        return "a mapping {key: value}"
    return getattr(annotation, "__name__", str(annotation))
