"""Binned signal in, segments and contact maps out: nothing that the core knows of."""

from __future__ import annotations

from zoo import hookimpl


@hookimpl
def zoo_register(registry) -> None:
    """Two encoders, two heads and a data source."""
    registry.add("encoder", "toy_signal", "zoo_toy.encoders:SignalCNN")
    registry.add("encoder", "toy_joint", "zoo_toy.encoders:JointCNN")
    registry.add("head", "toy_segments", "zoo_toy.heads:Segments")
    registry.add("head", "toy_pairs", "zoo_toy.heads:Pairs")
    registry.add("data", "toy_tracks", "zoo_toy.data:Tracks")
    registry.configs("pkg://zoo_toy.conf")
