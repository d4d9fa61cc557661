"""KEY=VALUE as people type it: -s n_references=10, --data n_test=500, --engine-option workers=4."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from zoo.errors import ConfigError


def key_values(texts: Iterable[str], example: str) -> dict[str, Any]:
    """Values by key, read as YAML.  example: of such a text, for errors.

    >>> key_values(["start=10", "centre=true"], "--set start=10")
    {'start': 10, 'centre': True}
    """
    import yaml

    values = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals or not key:
            raise ConfigError(f"{text!r} does not read key=value: write it as in {example}")
        try:
            values[key] = yaml.safe_load(value)
        except yaml.YAMLError as error:
            raise ConfigError(f"the value of {text!r} cannot be read: quote it") from error
    return values
