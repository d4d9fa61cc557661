"""Attention weights of a model of this plugin, read out with the coordinates of the positions.

model, batch {codes (N, L)} -> AttentionWeights(between (N, heads, T, T), pooled (N, heads, T), places (T,))
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from zoo.errors import ContractError
from zoo.model import Ensemble, Model
from zoo.prediction.inference import batch_rows, inferring
from zoo_cnn_rnn_attention.construct import ConstructCNNRNN
from zoo_cnn_rnn_attention.encoder import CNNRNNAttention


@dataclass(frozen=True)
class AttentionWeights:
    """Which position of the sequence looks at which, and which of them the pooling listens to.

    between: (N, heads, T, T), row t where position t looks, summing to 1; no heads without self-attention.
    pooled: (N, heads, T), summing to 1 over T; no heads where the encoder does not pool by attention.
    places: (T,) bp from the first base to the middle of each position.  bin_size: bp that a position covers.
    The heads of an ensemble's members follow one another.
    """

    between: np.ndarray
    pooled: np.ndarray
    places: np.ndarray
    bin_size: int

    def position(self, base: int) -> int:
        """The position that covers a base, counted from 0."""
        if not 0 <= base < len(self.places) * self.bin_size:
            raise ContractError(
                f"base {base} is not among the {len(self.places) * self.bin_size:,} that were read: give one of them"
            )
        return base // self.bin_size


def attention_weights(model: Model, batch: Mapping[str, Tensor]) -> AttentionWeights:
    """Read the weights of a `construct_cnn_rnn` or `cnn_rnn_attention` model, or of an ensemble of them.

    batch: as the model takes it; it is read on the strand that it holds.  Weights say what the model listened to, not
    what the prediction would be without it.  Raises ContractError for another encoder, and for one without attention.
    """
    members = list(model.members) if isinstance(model, Ensemble) else [model]
    encoder = members[0].encoder
    if not isinstance(encoder, ConstructCNNRNN | CNNRNNAttention):
        raise ContractError(
            f"encoder {model.spec.encoder['name']!r} has no attention between positions: use construct_cnn_rnn"
        )
    with inferring(model):
        parts = [_of_member(member, batch) for member in members]
    between, pooled = (np.concatenate(part, 1) for part in zip(*parts, strict=True))
    if not between.shape[1] and not pooled.shape[1]:
        raise ContractError("this encoder has no attention: train it with encoder.heads=4 or encoder.pooling=attention")
    return AttentionWeights(between, pooled, encoder.pool * (np.arange(pooled.shape[2]) + 0.5), encoder.pool)


def _of_member(model: Model, batch: Mapping[str, Tensor]) -> tuple[np.ndarray, np.ndarray]:
    """between and pooled of one network, a few examples at a time."""
    n, step = len(next(iter(batch.values()))), max(4, batch_rows(model.spec.input_length, model.device.type))
    between, pooled = [], []
    for first in range(0, n, step):
        inputs = model.prepare({key: x[first : first + step].to(model.device) for key, x in batch.items()})
        of_positions, of_pooling = _weights(model.encoder, inputs)
        between.append(of_positions.cpu().float())
        pooled.append(of_pooling.cpu().float())
    return torch.cat(between).numpy(), torch.cat(pooled).numpy()


def _weights(encoder: object, inputs: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
    n, _, length = inputs["one_hot"].shape
    if isinstance(encoder, ConstructCNNRNN):
        positions = encoder.steps(length).length
        none = inputs["one_hot"].new_zeros(n, 0, positions, positions)
        between = none if encoder.attention is None else encoder.attention_weights(inputs)
        pooled = none[:, :, 0] if encoder.pooled is None else encoder.pooling_weights(inputs).unsqueeze(1)
        return between, pooled
    assert isinstance(encoder, CNNRNNAttention)  # the caller has looked
    pooled = encoder.attention_weights(inputs)
    return pooled.new_zeros(n, 0, pooled.shape[2], pooled.shape[2]), pooled
