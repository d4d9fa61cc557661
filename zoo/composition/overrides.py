"""Overrides as text, `key=value`: what they set, how a value is quoted, and why one cannot be read."""

from __future__ import annotations

import re
from typing import Any


def sets(overrides: list[str], *keys: str) -> bool:
    """Whether one of the overrides sets one of the keys."""
    return any(word.lstrip("+").partition("=")[0] in keys for word in overrides)


def quoted(value: Any) -> str:
    """A value that the grammar of overrides reads as it is."""
    text = str(value).replace("\\", "\\\\").replace("'", "\\'")
    return f"'{text}'"


_CONDITION = re.compile(r"[\w.-]+=[^\s'\"\[\]{}(),=]+")


def quote_conditions(overrides: list[str] | None) -> list[str]:
    """`data.where=cell=K562` and `data.where=[cell=K562,batch=1]` as the grammar of overrides reads them.

    >>> quote_conditions(["data.where=cell=K562", "seed=1"])
    ["data.where='cell=K562'", 'seed=1']
    """
    return [_with_quoted_conditions(word) for word in overrides or []]


def _with_quoted_conditions(word: str) -> str:
    key, _, value = word.partition("=")
    is_list = value.startswith("[") and value.endswith("]")
    items = [item.strip() for item in value[1:-1].split(",")] if is_list else [value]
    if not any(map(_CONDITION.fullmatch, items)):
        return word
    items = [quoted(item) if _CONDITION.fullmatch(item) else item for item in items]
    return f"{key}=[{','.join(items)}]" if is_list else f"{key}={items[0]}"


def syntax_advice(word: str) -> str:
    """Why an override cannot be read, and how to write it."""
    key, _, value = word.partition("=")
    if value.count("[") != value.count("]") or value.count("{") != value.count("}"):
        return f"{word!r} cannot be read: a bracket is open: close it, and quote the whole: '{key}=[1,2]'"
    return f"{word!r} cannot be read: quote the value twice, once for the shell: '{key}=\"{value}\"'"


def one_line(error: BaseException | None) -> str:
    """The message of an error, without line breaks."""
    return " ".join(str(error).split())


def yaml_error(error: Exception) -> str:
    """Where a file breaks YAML, and how."""
    mark = getattr(error, "problem_mark", None)
    place = f"{mark.name} line {mark.line + 1}" if mark else "a configuration file"
    return f"{place} is no YAML: {getattr(error, 'problem', None) or one_line(error)}"
