"""Copy number from read depth."""

from __future__ import annotations

from zoo import hookimpl


@hookimpl
def zoo_register(registry) -> None:
    """An encoder of bins, heads for corrected depth, its level and copies, and simulated samples."""
    registry.add("encoder", "depth_cnn", "zoo_copy_number.encoder:DepthCNN")
    registry.add("head", "corrected", "zoo_copy_number.head:CorrectedHead")
    registry.add("head", "level", "zoo_copy_number.head:LevelHead")
    registry.add("head", "copy_states", "zoo_copy_number.head:StatesHead")
    registry.add("data", "simulated_depth", "zoo_copy_number.source:SimulatedDepth")
    registry.command("call-cnv", "zoo_copy_number.cli.call_cnv:command", "Call copy number from read depth")
    registry.command("calibrate-cnv", "zoo_copy_number.cli.calibrate_cnv:command", "Fit qualities of copy number calls")
    registry.configs("pkg://zoo_copy_number.conf")
    registry.models("zoo_copy_number", "registry.yaml")
