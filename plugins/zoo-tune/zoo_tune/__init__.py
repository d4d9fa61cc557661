"""Hyperparameters chosen on the validation split within a budget, as a plugin of zoo."""

from __future__ import annotations

from zoo import hookimpl


@hookimpl
def zoo_register(registry) -> None:
    """The command `zoo tune`, and search spaces for the encoders that come with zoo."""
    registry.command("tune", "zoo_tune.cli.tune:command", "Choose hyperparameters within a budget of minutes")
    registry.configs("pkg://zoo_tune.conf")
