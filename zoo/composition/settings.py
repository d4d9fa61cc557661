"""A group of settings: a mapping of the configuration, checked, as a dataclass."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from zoo.errors import ConfigError, did_you_mean

__all__ = ["settings_of"]

T = TypeVar("T")


def settings_of(kind: type[T], section: str, values: T | Mapping[str, Any] | None) -> T:
    """The dataclass `kind` filled from a section of the configuration; ConfigError for an unknown key.

    >>> from zoo.data.splits import Fractions
    >>> settings_of(Fractions, "data.splits", {"test": 0.2})
    Fractions(validation=0.1, test=0.2)
    """
    if isinstance(values, kind):
        return values
    if not isinstance(values, Mapping | None):
        raise ConfigError(f"{section} is {values!r}: give a mapping with {', '.join(kind.__dataclass_fields__)}")
    for key in values or {}:
        if key not in kind.__dataclass_fields__:
            raise ConfigError(f"{section} has no {key!r}" + did_you_mean(key, list(kind.__dataclass_fields__)))
    return kind(**(values or {}))
