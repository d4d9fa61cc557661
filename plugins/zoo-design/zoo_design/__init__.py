"""Sequences designed under constraints, and judged by independent models, as a plugin of zoo."""

from __future__ import annotations

from zoo import hookimpl


@hookimpl
def zoo_register(registry) -> None:
    """The command `zoo design`."""
    registry.command("design", "zoo_design.cli.design:command", "Design sequences under constraints, and judge them")
