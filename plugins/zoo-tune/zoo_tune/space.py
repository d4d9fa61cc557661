"""A search space: which keys of a configuration may vary, and between which values.

search/training.yaml, search/<encoder>.yaml, or --search FILE -> parse_space -> {key: Range or Choices}

A space holds plain values; of the keys it may not name, `REFUSED` says why.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo.composition.overrides import quoted
from zoo.errors import ConfigError
from zoo.files.regular_files import read_bounded
from zoo.files.strict_yaml import parse_yaml

REFUSED = {
    **dict.fromkeys(("data", "genome"), "trials on other data cannot be compared by their loss"),
    **dict.fromkeys(("objective", "objectives", "schedules"), "another objective is another loss"),
    **dict.fromkeys(("heads", "evaluation", "interpreter"), "it does not decide how well a network learns"),
    **dict.fromkeys(
        ("name", "task", "description", "output_dir", "resume", "hydra", "experiment"), "it belongs to the run"
    ),
    "seed": "a seed that is chosen by its loss is chance: --confirm trains the best with other seeds",
    "members": "a trial is one network",
    "init": "what a model starts from is chosen by the user",
}
"""Sections that a space may not vary, and why."""

MOST_PARAMETERS, MOST_CHOICES = 50, 50
_MOST_BYTES = 1 << 16
_KEY = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*", re.ASCII)
_WHOLE = re.compile(r"[-+]?\d+(_\d+)*", re.ASCII)
_WORD = re.compile(r"[A-Za-z_][\w.-]*", re.ASCII)
_EXAMPLE = "write {low: 1e-4, high: 1e-2, log: true} or {choices: [32, 64]}"


@dataclass(frozen=True)
class Range:
    """Numbers from `low` to `high`, both included; whole ones where both are `int`.

    log: drawn on a logarithmic scale.
    """

    low: float
    high: float
    log: bool = False

    @property
    def is_whole(self) -> bool:
        return isinstance(self.low, int) and isinstance(self.high, int)

    def ends(self) -> list[Any]:
        """Values that stand for all in a check."""
        return [self.low, self.high]

    def widened(self, default: Any, key: str) -> Range:
        """The range with the default in it.  ConfigError where the default is no number."""
        if isinstance(default, bool) or not isinstance(default, int | float) or not math.isfinite(default):
            raise ConfigError(
                f"{key} is searched from {self.low} to {self.high}, but its default is {_text(default)}: "
                f"write {{choices: [{_text(default)}, {self.low}, {self.high}]}}"
            )
        if self.log and default <= 0:
            raise ConfigError(f"{key} is searched on a log scale, but its default is {default}: write {{choices: ...}}")
        whole = int(default) if self.is_whole and default == int(default) else default
        return Range(min(self.low, whole), max(self.high, whole), self.log)

    def clean(self, value: float) -> Any:
        """A drawn value in three significant digits, so that it can be read and typed; inside the range."""
        if self.is_whole:
            return int(value)
        return min(max(float(f"{value:.3g}"), float(self.low)), float(self.high))

    def __str__(self) -> str:
        return f"{self.low} to {self.high}" + (", log scale" if self.log else "")


@dataclass(frozen=True)
class Choices:
    """One of several plain values."""

    values: tuple[Any, ...]

    def ends(self) -> list[Any]:
        """Values that stand for all in a check: all of them."""
        return list(self.values)

    def widened(self, default: Any, key: str) -> Choices:
        """The choices with the default among them."""
        return self if any(is_same(default, value) for value in self.values) else Choices((*self.values, default))

    def __str__(self) -> str:
        return ", ".join(_text(value) for value in self.values)


Parameter = Range | Choices
Space = dict[str, Parameter]


def read_space(path: str | Path) -> Space:
    """The space of a file.  Raises ConfigError, with the key, for whatever cannot be searched."""
    try:
        content = parse_yaml(read_bounded(path, _MOST_BYTES, follow_links=True))
    except OSError as error:
        raise ConfigError(f"search space {path} cannot be read ({error.strerror}): name a YAML file") from error
    except ValueError as error:
        raise ConfigError(f"search space {path} is no YAML ({error}): {_EXAMPLE}") from error
    return parse_space(content, str(path))


def parse_space(content: Any, where: str) -> Space:
    """A space from a mapping whose values are texts, as `parse_yaml` gives them, or numbers.

    >>> parse_space({"encoder.layers": {"low": "2", "high": "8"}}, "mine.yaml")
    {'encoder.layers': Range(low=2, high=8, log=False)}
    """
    if not isinstance(content, Mapping):
        raise ConfigError(f"search space {where} is no mapping of keys: {_EXAMPLE} behind a key such as optimizer.lr")
    if not 1 <= len(content) <= MOST_PARAMETERS:
        raise ConfigError(f"search space {where} has {len(content)} keys: give it 1 to {MOST_PARAMETERS}")
    return {_key(str(key), where): _parameter(str(key), entry, where) for key, entry in content.items()}


def override(key: str, value: Any) -> str:
    """`key=value` as `zoo train` takes it.

    >>> override("encoder.activation", "relu"), override("trainer.gradient_clip", None), override("x.widths", [3, 5])
    ('encoder.activation=relu', 'trainer.gradient_clip=null', 'x.widths=[3,5]')
    """
    return f"{key}={_text(value)}"


def to_plain(space: Space) -> dict[str, Any]:
    """The space as JSON holds it, to compare it with that of an earlier command."""
    return {
        key: {"choices": list(p.values)}
        if isinstance(p, Choices)
        else {"low": p.low, "high": p.high, **({"log": True} if p.log else {})}
        for key, p in space.items()
    }


def _key(key: str, where: str) -> str:
    if not _KEY.fullmatch(key):
        raise ConfigError(
            f"{key!r} of search space {where} is no key of a configuration: write one such as optimizer.lr"
        )
    section = key.partition(".")[0]
    if section in REFUSED:
        raise ConfigError(f"{key} of search space {where} cannot be searched ({REFUSED[section]}): leave it out")
    return key


def _parameter(key: str, entry: Any, where: str) -> Parameter:
    what = f"{key} of search space {where}"
    if not isinstance(entry, Mapping):
        raise ConfigError(f"{what} is {entry!r}: {_EXAMPLE}")
    if set(entry) == {"choices"}:
        return _choices(what, entry["choices"])
    if not {"low", "high"} <= set(entry) <= {"low", "high", "log"}:
        raise ConfigError(f"{what} has the keys {', '.join(map(str, entry)) or 'none'}: {_EXAMPLE}")
    low, high, log = (_value(entry.get(name, "false")) for name in ("low", "high", "log"))
    for name, value in (("low", low), ("high", high)):
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ConfigError(f"{name} of {what} is {entry[name]!r}: give a number")
    if not isinstance(log, bool):
        raise ConfigError(f"log of {what} is {entry['log']!r}: write true or false")
    if not low < high:
        raise ConfigError(f"{what} goes from {low} to {high}: low must be below high")
    if log and low <= 0:
        raise ConfigError(f"{what} begins at {low} on a log scale: give a low above 0, or leave log out")
    return Range(low, high, log)


def _choices(what: str, entry: Any) -> Choices:
    if not isinstance(entry, list) or not 2 <= len(entry) <= MOST_CHOICES:
        raise ConfigError(f"choices of {what} must be a list of 2 to {MOST_CHOICES} values: write [32, 64]")
    values = [_value(value) for value in entry]
    for at, value in enumerate(values):
        if any(is_same(value, other) for other in values[:at]):
            raise ConfigError(f"choices of {what} hold {_text(value)} twice: leave one out")
    return Choices(tuple(values))


def _value(text: Any) -> Any:
    """A scalar or a list of scalars as YAML 1.2 reads it; 3e-4 is a number."""
    if isinstance(text, list):
        return [_value(item) for item in text]
    if isinstance(text, Mapping):
        raise ConfigError(f"{dict(text)} cannot be a value of a search space: give numbers, words or lists of them")
    if not isinstance(text, str):
        return text
    if text in ("true", "false"):
        return text == "true"
    if text in ("null", "~", ""):
        return None
    if _WHOLE.fullmatch(text):
        return int(text)
    try:
        number = float(text)
    except ValueError:
        return text
    if not math.isfinite(number):
        raise ConfigError(f"{text} cannot be a value of a search space: give a finite number")
    return number


def is_same(a: Any, b: Any) -> bool:
    """Equal values; 1 and 1.0 are, 1 and true are not."""
    return a == b and isinstance(a, bool) == isinstance(b, bool)


def _text(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, list | tuple):
        return f"[{','.join(_text(item) for item in value)}]"
    if isinstance(value, str):
        return value if _WORD.fullmatch(value) and value not in ("null", "true", "false") else quoted(value)
    return repr(value)
