"""Outputs by a pattern, or by a column of the sheet that a model was trained on: `CTCF*:raw`, `cell=K562:mean`.

text, names of the tasks, what the card says of them -> the same text with a name in place of every pattern
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from zoo.composition.name_patterns import fits, is_pattern, match_names
from zoo.errors import ConfigError, did_you_mean

_SEVERAL = re.compile(r"^(?P<names>[^@:\s,]*[*?=][^@:\s,]*)(?P<rest>(?:@-?\d+\.\.-?\d+)?(?::[a-z0-9]+)*)$")
_FACTOR = re.compile(r"^(?:\d+(?:\.\d*)?|\.\d+)\*[^*?=]+$")


def expand_patterns(text: str, names: Sequence[Sequence[str]], tasks: Sequence[Mapping[str, Any]]) -> list[str]:
    """Expressions between the commas of `text`, those that stand for several outputs written out, none twice.

    names: of every output, the texts that it can be called by; the last is the one that is written.
    tasks: what the card says of them, {"name": ..., column: value}.
    Raises ConfigError for a pattern or a column that fits nothing.

    >>> expand_patterns("C*:raw, 0.5*REST", [["CTCF"], ["CEBPB"], ["REST"]], [])
    ['CTCF:raw', 'CEBPB:raw', '0.5*REST']
    """
    expressions: list[str] = []
    for expression in (part.strip() for part in text.split(",")):
        match = _SEVERAL.match(expression)
        exact = match is not None and any(match["names"] in own for own in names)
        if match is None or exact or _FACTOR.match(match["names"]):
            expressions.append(expression)
            continue
        chosen = _by_column(match["names"], names, tasks) if "=" in match["names"] else _by_name(match["names"], names)
        new = [f"{name}{match['rest']}" for name in chosen]
        expressions += [e for e in new if e not in expressions]
    return expressions


def _by_name(pattern: str, names: Sequence[Sequence[str]]) -> list[str]:
    chosen = [own[-1] for own in names if match_names(pattern, own)]
    if not chosen:
        known = [own[-1] for own in names]
        shown = ", ".join(known[:8]) + (", ..." if len(known) > 8 else "")
        raise ConfigError(f"no output of the model fits {pattern!r}: they are {shown}")
    return chosen


def _by_column(condition: str, names: Sequence[Sequence[str]], tasks: Sequence[Mapping[str, Any]]) -> list[str]:
    """condition: cell=K562, or cell=K562|liver*."""
    column, _, values = condition.partition("=")
    columns = list(dict.fromkeys(key for task in tasks for key in task if isinstance(task[key], str)))
    if column not in columns:
        if not columns:
            raise ConfigError(
                f"output {condition!r} chooses by a column, and the model's card has none: name the outputs"
            )
        raise ConfigError(f"the model's tasks have no column {column!r}" + did_you_mean(column, columns))
    of = {str(task.get("name")): str(task.get(column, "")) for task in tasks}
    patterns = values.split("|")
    chosen = [own[-1] for own in names if any(fits(of[name], patterns) for name in own if name in of)]
    if not chosen:
        known = list(dict.fromkeys(of.values()))
        what = "fits" if any(map(is_pattern, patterns)) else "has"
        raise ConfigError(f"no output of the model {what} {condition}" + did_you_mean(values, known))
    return chosen
