"""An interpreter as it is typed: a name, and arguments as KEY=VALUE."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from zoo.composition.key_value import key_values
from zoo.composition.signature_check import fits
from zoo.errors import ConfigError
from zoo.registry import registry

__all__ = ["named_interpreter"]


def named_interpreter(name: str, settings: Sequence[str] = ()) -> dict[str, Any]:
    """("ism", ["start=10"]) -> {"name": "ism", "start": 10}, values read as YAML and held to their types.

    Raises ConfigError for a text that is no KEY=VALUE, an argument that there is not and a value of another type, and
    UnknownComponent for another interpreter.
    """
    values = key_values(settings, "--set n_references=10")
    if "name" in values:
        raise ConfigError(f"--set name={values['name']} is no argument of {name}: name another with --interpreter")
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
