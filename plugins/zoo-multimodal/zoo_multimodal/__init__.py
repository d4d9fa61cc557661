"""Sequence, signal tracks and a context in one encoder, as a plugin of zoo."""

from __future__ import annotations

from zoo import hookimpl


@hookimpl
def zoo_register(registry) -> None:
    """One encoder, two simulated data sources with planted truth, and a section of the report."""
    registry.add("encoder", "multi_modal", "zoo_multimodal.encoder:MultiModalTowers")
    registry.add("data", "simulated_cells", "zoo_multimodal.simulation.cells:SimulatedCells")
    registry.add("data", "simulated_distant_signal", "zoo_multimodal.simulation.distant_signal:SimulatedDistantSignal")
    registry.add("section", "attention", "zoo_multimodal.attention_section:attention")
    registry.configs("pkg://zoo_multimodal.conf")
