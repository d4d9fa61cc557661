"""Attention weights of a model, read out with the coordinates of what they lie on.

model, batch {codes (N, L), signal (N, A, T), ...} -> AttentionWeights(sequence (N, heads, K), signal (N, heads, A, T))
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from zoo.errors import ConfigError, ContractError
from zoo.model import Ensemble, Model
from zoo.prediction.inference import batch_rows, inferring
from zoo_multimodal.encoder import MultiModalTowers


@dataclass(frozen=True)
class AttentionWeights:
    """Where the model looks from one place of the window; weights sum to 1 over sequence and signal together.

    sequence: (N, heads, K).  signal: (N, heads, A, T), A = 0 for a model without tracks; 0 where a track is missing.
    sequence_distance, signal_distance: (K,) and (T,) bp from the query to the middle of each position.
    sequence_bin, signal_bin: bp that a position covers.  tracks: names of A.
    The heads of an ensemble's members follow one another.
    """

    sequence: np.ndarray
    signal: np.ndarray
    sequence_distance: np.ndarray
    signal_distance: np.ndarray
    sequence_bin: int
    signal_bin: int
    tracks: tuple[str, ...]

    @property
    def on_signal(self) -> np.ndarray:
        """(N,) share of the weights that lies on the signal, the mean over the heads."""
        return self.signal.sum((2, 3)).mean(1)


def attention_weights(model: Model, batch: Mapping[str, Tensor], at: int | None = None) -> AttentionWeights:
    """Read the weights of a `multi_modal` model, or of an ensemble of them, on the strand that the batch holds.

    batch: as the model takes it; a missing signal is legal and has weight 0.
    at: bp from the window's start to the query, such as a variant's, of a model whose queries are positions; the
        centre by default.

    Weights say what the model listened to, not what the prediction would be without it.
    Raises ContractError for another encoder, ConfigError for a query that the model does not make.
    """
    members = list(model.members) if isinstance(model, Ensemble) else [model]
    encoder = members[0].encoder
    if not isinstance(encoder, MultiModalTowers):
        raise ContractError(
            f"encoder {model.spec.encoder['name']!r} has no attention over sequence and signal: use multi_modal"
        )
    length = model.spec.input_length
    grid, row = encoder.sequence_grid(length), _query(encoder, length, at)
    parts = []
    with inferring(model):
        for member in members:
            parts.append(_of_member(member, batch, row))
    middle = length / 2 if encoder.pools else grid.offset + (row + 0.5) * grid.bin_size
    field = encoder.inputs.get("signal")
    signal_bin = field.bin_size if field is not None else 1
    bins = parts[0][1].shape[3]
    return AttentionWeights(
        np.concatenate([sequence for sequence, _ in parts], 1),
        np.concatenate([signal for _, signal in parts], 1),
        grid.offset + (np.arange(grid.length) + 0.5) * grid.bin_size - middle,
        (np.arange(bins) + 0.5) * signal_bin - middle,
        grid.bin_size,
        signal_bin,
        () if field is None else field.channels,
    )


def _query(encoder: MultiModalTowers, length: int, at: int | None) -> int:
    """Which query of the encoder stands at a base."""
    if encoder.pools:
        if at is not None:
            raise ConfigError(
                "this model asks from the centre alone: train with encoder.query=positions to ask elsewhere"
            )
        return 0
    grid = encoder.sequence_grid(length)
    at = length // 2 if at is None else at
    if not grid.offset <= at < grid.end:
        raise ConfigError(
            f"at {at} is not among the bases {grid.offset} to {grid.end - 1} of the sequence tower: give one of them"
        )
    return (at - grid.offset) // grid.bin_size


def _of_member(model: Model, batch: Mapping[str, Tensor], row: int) -> tuple[np.ndarray, np.ndarray]:
    """(N, heads, K) and (N, heads, A, T) of one query, a few examples at a time."""
    n, step = len(next(iter(batch.values()))), max(4, batch_rows(model.spec.input_length, model.device.type))
    sequence, signal = [], []
    for first in range(0, n, step):
        rows = {key: x[first : first + step].to(model.device) for key, x in batch.items()}
        encoder: MultiModalTowers = model.encoder  # type: ignore[assignment]  # the caller has looked
        of_sequence, of_signal = encoder.attention_weights(model.prepare(rows))
        sequence.append(of_sequence[:, :, row].cpu().float())
        empty = of_sequence.new_zeros(*of_sequence.shape[:2], 0, 0)
        signal.append((empty if of_signal is None else of_signal[:, :, row]).cpu().float())
    return torch.cat(sequence).numpy(), torch.cat(signal).numpy()
