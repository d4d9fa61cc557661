"""Convolution, recurrence and attention pooling as a plugin of zoo."""

from __future__ import annotations

from zoo import hookimpl


@hookimpl
def zoo_register(registry) -> None:
    """Two encoders, a section of the report, configurations, and the models published with them."""
    registry.add("encoder", "cnn_rnn_attention", "zoo_cnn_rnn_attention.encoder:CNNRNNAttention")
    registry.add("encoder", "construct_cnn_rnn", "zoo_cnn_rnn_attention.construct:ConstructCNNRNN")
    registry.add("section", "self_attention", "zoo_cnn_rnn_attention.attention_section:self_attention")
    registry.configs("pkg://zoo_cnn_rnn_attention.conf")
    registry.models("zoo_cnn_rnn_attention", "registry.yaml")
