"""Scores of variants on Ray, as a plugin of zoo."""

from __future__ import annotations

from zoo import hookimpl


@hookimpl
def zoo_register(registry) -> None:
    """An engine: `zoo score --engine ray`."""
    registry.add("engine", "ray", "zoo_ray.engine:Ray")
