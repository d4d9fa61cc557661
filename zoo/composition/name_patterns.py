"""Names chosen by a name or a pattern, and rows by the value of a column, as in `[CTCF*]` and `cell=K562`.

>>> match_names("CTCF*", ["CTCF_K562", "CTCF_liver", "REST"])
['CTCF_K562', 'CTCF_liver']
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from zoo.errors import ConfigError

WILDCARDS = "*?"


def is_pattern(text: str) -> bool:
    """Whether a text stands for several names: `*` is any letters, `?` is one."""
    return any(letter in text for letter in WILDCARDS)


def match_names(pattern: str, names: Iterable[str]) -> list[str]:
    """The name that the pattern is, letter by letter; else all that it fits, in their order."""
    names = list(names)
    if pattern in names:
        return [pattern]
    parts = [{"*": ".*", "?": "."}.get(letter, re.escape(letter)) for letter in re.sub(r"\*+", "*", pattern)]
    fits = re.compile("".join(parts), re.DOTALL)
    return [name for name in names if fits.fullmatch(name)]


def parse_conditions(where: str | Sequence[str] | Mapping[str, Any] | None, what: str) -> dict[str, list[str]]:
    """`cell=K562`, `cell=K562|liver*`, a list of such or {cell: K562} to {column: patterns, one of which must fit}.

    what: names the setting in the ConfigError for a text without a column.

    >>> parse_conditions(["cell=K562|liver*", "batch=1"], "data.where")
    {'cell': ['K562', 'liver*'], 'batch': ['1']}
    """
    if not where:
        return {}
    if isinstance(where, Mapping):
        pairs = [(str(k), list(v) if isinstance(v, list | tuple) else [v]) for k, v in where.items()]
    else:
        pairs = []
        for text in [where] if isinstance(where, str) else where:
            column, separator, values = str(text).partition("=")
            if not separator or not column.strip():
                raise ConfigError(f"{what} {str(text)!r} must read COLUMN=VALUE, as in {what}=cell=K562")
            pairs.append((column.strip(), values.split("|")))
    conditions: dict[str, list[str]] = {}
    for column, values in pairs:
        if column in conditions:
            raise ConfigError(f"{what} names column {column!r} twice: write {column}=A|B for either of two values")
        conditions[column] = [str(value).strip() for value in values]
    return conditions


def fits(value: str, patterns: Sequence[str]) -> bool:
    """Whether one of the patterns fits a value."""
    return any(match_names(pattern, [value]) for pattern in patterns)
