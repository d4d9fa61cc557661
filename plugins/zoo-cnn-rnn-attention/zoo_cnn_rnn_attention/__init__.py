"""Convolution, recurrence and attention pooling as a plugin of zoo."""

from __future__ import annotations

from zoo import hookimpl


@hookimpl
def zoo_register(registry) -> None:
    """One encoder, its configuration, and the models published with it."""
    registry.add("encoder", "cnn_rnn_attention", "zoo_cnn_rnn_attention.encoder:CNNRNNAttention")
    registry.configs("pkg://zoo_cnn_rnn_attention.conf")
    registry.models("zoo_cnn_rnn_attention", "registry.yaml")
