"""A group of settings: a mapping of the configuration, checked, as a dataclass."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, TypeVar

from zoo.errors import ConfigError, did_you_mean

T = TypeVar("T")


def settings_of(kind: type[T], section: str, values: T | Mapping[str, Any] | None) -> T:
    """The dataclass `kind` filled from a section of the configuration; ConfigError for an unknown key.

    >>> from zoo.data.splits import Fractions
    >>> settings_of(Fractions, "data.splits", {"test": 0.2})
    Fractions(validation=0.1, test=0.2)
    """
    if isinstance(values, kind):
        return values
    known = [field.name for field in fields(kind)]  # type: ignore[arg-type]  # T is a dataclass
    if not isinstance(values, Mapping | None):
        raise ConfigError(f"{section} is {values!r}: give a mapping with {', '.join(known)}")
    for key in values or {}:
        if key not in known:
            raise ConfigError(f"{section} has no {key!r}" + did_you_mean(key, known))
    return kind(**(values or {}))
