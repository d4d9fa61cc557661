"""An interpreter as it is typed: a name, and arguments as KEY=VALUE."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from zoo.composition.key_value import key_values
from zoo.composition.signature_check import argument_types, fits
from zoo.errors import ConfigError
from zoo.registry import registry


def named_interpreter(name: str, settings: Sequence[str] = ()) -> dict[str, Any]:
    """("ism", ["start=10"]) -> {"name": "ism", "start": 10}, values read as YAML and held to their types.

    Raises ConfigError for a text that is no KEY=VALUE, an argument that there is not and a value of another type, and
    UnknownComponent for another interpreter.
    """
    values = key_values(settings, "--set n_references=10")
    if "name" in values:
        raise ConfigError(f"--set name={values['name']} is no argument of {name}: name another with --interpreter")
    registry().resolve("interpreter", name, values)
    hints = argument_types(registry().get("interpreter", name))
    for key, value in values.items():
        if key in hints and not fits(value, hints[key]):
            kind = getattr(hints[key], "__name__", None) or str(hints[key])
            raise ConfigError(f"--set {key}={value}: {key} of {name} must be {kind}")
    return {"name": name, **values}
