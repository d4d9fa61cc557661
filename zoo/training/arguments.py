"""The arguments of a run's components: what each is, and what filled it, as `--explain` prints them.

{part: {argument: Argument}} -> lines of argument, value, and whether it is a default, configured or filled by the run
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from zoo.data.source import Source
from zoo.errors import ConfigError
from zoo.fields import Field


@dataclass(frozen=True)
class Argument:
    """One argument of a component: its value, and what filled it (configuration, default, or a part of the run)."""

    value: Any
    filled_by: str


def name_and_arguments(entry: Mapping[str, Any], where: str) -> tuple[str, dict[str, Any]]:
    """{"name": n, ...} -> (n, the other keys)."""
    if not isinstance(entry, Mapping) or not entry.get("name"):
        raise ConfigError(f"{where} names no component: set {where}.name")
    return str(entry["name"]), {k: v for k, v in entry.items() if k != "name"}


def of_data(source: Source) -> dict[str, Any]:
    """What the data tell the encoder, by argument name: the contexts, and the field of the signal as plain values."""
    signal = source.inputs.get("signal")
    return {"contexts": list(source.contexts) or None, "signal": None if signal is None else signal.to_dict()}


def of_target(field: Field) -> dict[str, Any]:
    """What a target tells its head and objective, by argument name."""
    return {
        "tasks": list(field.channels) or None,
        "classes": list(field.vocabulary) or None if field.values == "class" else None,
        "bin_size": field.bin_size if field.position_axes else None,
        "values": field.values if field.values != "class" else None,
        "rc": None if field.rc is None else list(field.rc),
    }


def list_arguments(names: Mapping[str, str], arguments: Mapping[str, Mapping[str, Argument]]) -> list[str]:
    """A line for every part, with the component's name of `names`, and one for each of its arguments."""
    lines = []
    for part, filled in arguments.items():
        lines.append(f"{part}: {names[part]}")
        rows = [(*row, a.filled_by) for name, a in filled.items() for row in _flat(name, a.value)]
        width = max((len(name) for name, *_ in rows), default=0)
        lines += [f"  {name.ljust(width)}  {text.ljust(32)}  {filled_by}" for name, text, filled_by in rows]
    return lines


def _flat(name: str, value: Any) -> Iterator[tuple[str, str]]:
    """(dotted name, text) of a value, or of every value of a mapping."""
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from _flat(f"{name}.{key}", inner)
        return
    text = "null" if value is None else str(value)
    yield name, text if len(text) <= 32 else text[:29] + "..."
