"""An interpreter as it is typed: a name, and arguments as KEY=VALUE."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from zoo.composition.signature_check import fits
from zoo.errors import ConfigError
from zoo.registry import registry

__all__ = ["named_interpreter"]


def named_interpreter(name: str, settings: Sequence[str] = ()) -> dict[str, Any]:
    """("ism", ["start=10"]) -> {"name": "ism", "start": 10}, values read as YAML and held to their types.

    Raises ConfigError for a text that is no KEY=VALUE, an argument that there is not and a value of another type, and
    UnknownComponent for another interpreter.
    """
    import yaml

    values = {}
    for text in settings:
        key, equals, value = text.partition("=")
        if not equals or not key or key == "name":
            raise ConfigError(f"--set {text!r} does not read key=value: write it as in --set n_references=10")
        try:
            values[key] = yaml.safe_load(value)
        except yaml.YAMLError as error:
            raise ConfigError(f"--set {text!r}: the value cannot be read: quote it") from error
    registry().resolve("interpreter", name, values)
    hints = _hints(registry().get("interpreter", name))
    for key, value in values.items():
        if key in hints and not fits(value, hints[key]):
            wanted = getattr(hints[key], "__name__", None) or str(hints[key])
            raise ConfigError(f"--set {key}={value}: {key} of {name} must be {wanted}")
    return {"name": name, **values}


def _hints(target: Any) -> dict[str, Any]:
    """Types of the constructor's arguments; none where they cannot be read."""
    from typing import get_type_hints

    try:
        return get_type_hints(target.__init__)
    except (AttributeError, NameError, TypeError):
        return {}
