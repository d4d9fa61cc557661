"""The dilated residual network as a plugin of zoo."""

from __future__ import annotations

from zoo import hookimpl


@hookimpl
def zoo_register(registry) -> None:
    """One encoder, its configuration, and the models published with it."""
    registry.add("encoder", "dilated_cnn", "zoo_dilated_cnn.encoder:DilatedCNN")
    registry.configs("pkg://zoo_dilated_cnn.conf")
    registry.models("zoo_dilated_cnn", "registry.yaml")
