"""The encoder: towers for sequence, signal and context, joined by attention."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import torch
from torch import Tensor, nn

from zoo.errors import ConfigError, ContractError
from zoo.fields import ONE_HOT, Field, Grid
from zoo.interfaces import Encoder
from zoo_multimodal.attention import CrossAttention
from zoo_multimodal.towers import ContextEmbedding, SequenceTower, SignalTowers

SIGNAL_CHANNELS, CONTEXT_CHANNELS = 16, 8


@dataclass(frozen=True)
class Features:
    """What the towers make of a batch.

    sequence: (N, C, K), first: bp from the window's start to its first position.  signal: (N, A, S, T), present:
    (N, A) bool, None without tracks.  context: (N, E), None without.
    """

    sequence: Tensor
    first: int
    signal: Tensor | None = None
    present: Tensor | None = None
    context: Tensor | None = None


class MultiModalTowers(Encoder):
    """A deep sequence tower beside light towers for signal tracks, joined by attention from the centre.

    1. one_hot (N, 4, L), of which the `sequence_window` in the middle is read: convolution, relu, maximum of every
       `pool` bp, dilated residual convolutions -> (N, C, K)
    2. signal (N, A, T) at its own resolution: for every track its means over 1, 5 and 21 bins, two convolutions
       -> (N, A, S, T)
    3. context (N,): a learned vector, that of an unknown context for one that was never trained -> (N, E)
    4. query: features of sequence and signal at the centre, which tracks are there, and the context -> (N, C, 1)
    5. attention of `heads` heads from the query over all positions of sequence and signal
    6. query, what the heads pick, and the maximum over the sequence, through a dense layer -> (N, 2 C, 1)

    Signal and context may be missing: in training each track and the context are withheld from a share of the
    examples, so that the model has learnt to do without.

    channels: C.
    first_width: bp of a motif detector, odd.
    pool: bp that a position of the sequence tower covers; it must divide the window.
    layers: dilated convolutions.
    sequence_window: bp in the middle that the sequence tower reads, so that signal may be read further out; 0 for all.
    centre_window: bp in the middle, the maximum of whose sequence features is the query; with query=positions a
        position's own features are.
    heads: attention heads, each with its own weights.
    query: centre, or positions: every position of the sequence tower is a query, and the embedding keeps positions.
    signal: the field of the tracks as plain values, such as {axes: AT, channels: [atac], bin_size: 32, transform:
        log1p}; None for none.
    contexts: names of the contexts (cell types); the input `context` is an index into them.
    modality_dropout: share of examples, in training, from which a track, and the context, is withheld.
    dropout: probability with which a feature is left out in training.
    """

    receptive_field = None

    def __init__(
        self,
        *,
        channels: int = 64,
        first_width: int = 15,
        pool: int = 4,
        layers: int = 3,
        sequence_window: int = 0,
        centre_window: int = 32,
        heads: int = 4,
        query: Literal["centre", "positions"] = "centre",
        signal: Mapping[str, Any] | None = None,
        contexts: Sequence[str] = (),
        modality_dropout: float = 0.2,
        dropout: float = 0.1,
    ):
        super().__init__()
        _require(first_width % 2 == 1, f"first_width {first_width} of multi_modal must be odd to keep bases in place")
        _require(pool >= 1, f"pool {pool} of multi_modal must be 1 bp or more")
        _require(query in ("centre", "positions"), f"query {query!r} of multi_modal must be centre or positions")
        _require(0 <= modality_dropout < 1, f"modality_dropout {modality_dropout} must be 0 or more and less than 1")
        self.pool, self.sequence_window, self.centre_window = pool, sequence_window, centre_window
        self.modality_dropout = modality_dropout
        self.pools = query == "centre"
        self.out_channels = 2 * channels
        self.inputs = {"one_hot": ONE_HOT}
        self.tower = SequenceTower(channels, first_width=first_width, pool=pool, layers=layers, dropout=dropout)
        tracks, at_centre = 0, channels
        if signal:
            self.inputs["signal"] = _track_field(signal)
            self.signal_bin_size, tracks = self.inputs["signal"].bin_size, len(self.inputs["signal"].channels)
            self.signal_towers = SignalTowers(tracks, SIGNAL_CHANNELS)
            at_centre += tracks * (SIGNAL_CHANNELS + 1)
        if contexts:
            self.inputs["context"] = Field("", values="class", vocabulary=tuple(contexts), required=False)
            self.context_embedding = ContextEmbedding(len(contexts), CONTEXT_CHANNELS)
            at_centre += CONTEXT_CHANNELS
        self.tracks = tracks
        self.query = nn.Conv1d(at_centre, channels, 1)
        self.attention = CrossAttention(channels, sequence=channels, signal=SIGNAL_CHANNELS, tracks=tracks, heads=heads)
        picked = heads * (channels + tracks * SIGNAL_CHANNELS)
        self.dropout = nn.Dropout(dropout)
        self.fusion = nn.Conv1d(at_centre + channels + picked, self.out_channels, 1)

    def grid(self, length: int) -> Grid:
        """One position, the whole window; with query=positions those of the sequence tower."""
        first, window = self._window(length)
        if window % self.pool:
            raise ContractError(
                f"a pool of {self.pool} bp does not divide the {window:,} bp that the sequence tower reads: use "
                f"{window - window % self.pool:,} bp, or set encoder.pool to a divisor"
            )
        if self.tracks and length % self.signal_bin_size:
            raise ContractError(
                f"bins of {self.signal_bin_size} bp do not divide a window of {length:,} bp: "
                f"use {length - length % self.signal_bin_size:,} bp"
            )
        return Grid(0, length, 1) if self.pools else Grid(first, self.pool, window // self.pool)

    def forward(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """inputs: {one_hot (N, 4, L), signal (N, A, T), context (N,), present/...} -> embedding (N, D, positions)."""
        features = self._features(inputs)
        length = inputs["one_hot"].shape[2]
        here = self._at_queries(features, length)
        weights, of_signal = self._weights(here, features, length)
        picked = self.attention.pick(weights, features.sequence, of_signal, features.signal)
        most = features.sequence.amax(2, keepdim=True).expand(-1, -1, here.shape[2])
        return torch.relu(self.fusion(self.dropout(torch.cat([here, most, picked], 1))))

    def attention_weights(self, inputs: Mapping[str, Tensor]) -> tuple[Tensor, Tensor | None]:
        """Where each query looks: weights of the sequence (N, heads, Q, K) and of the signal (N, heads, Q, A, T).

        They sum to 1 over both together.  Position k of the sequence covers `pool` bp from `grid`'s offset on (that of
        query=positions), bin t of the signal [t * bin_size, (t + 1) * bin_size).
        """
        features, length = self._features(inputs), inputs["one_hot"].shape[2]
        return self._weights(self._at_queries(features, length), features, length)

    def sequence_grid(self, length: int) -> Grid:
        """Where the positions of the sequence tower lie in a window of `length` bp."""
        first, window = self._window(length)
        return Grid(first, self.pool, window // self.pool)

    def _window(self, length: int) -> tuple[int, int]:
        """(first base, bp) of what the sequence tower reads."""
        window = min(self.sequence_window or length, length)
        return (length - window) // 2, window

    def _features(self, inputs: Mapping[str, Tensor]) -> Features:
        one_hot = inputs["one_hot"]
        first, window = self._window(one_hot.shape[2])
        sequence = self.tower(one_hot[:, :, first : first + window] if window < one_hot.shape[2] else one_hot)
        signal = present = context = None
        if self.tracks:
            present = self._present(inputs, "signal", self.tracks)
            signal = self.signal_towers(inputs["signal"], present)
        if "context" in self.inputs:
            context = self.context_embedding(inputs["context"], self._present(inputs, "context", 1)[:, 0])
        return Features(sequence, first, signal, present, context)

    def _present(self, inputs: Mapping[str, Tensor], key: str, columns: int) -> Tensor:
        """(N, columns) bool: what is there, less what training withholds; `present/<key>` is (N,) or (N, columns)."""
        n, flags = inputs[key].shape[0], inputs.get(f"present/{key}")
        if flags is None:
            flags = torch.ones(n, device=inputs[key].device)
        there = (flags.reshape(n, -1) > 0).expand(-1, columns)
        if self.training and self.modality_dropout:
            there = there & (torch.rand(n, columns, device=there.device) >= self.modality_dropout)
        return there

    def _at_queries(self, features: Features, length: int) -> Tensor:
        """(N, E, Q): features of sequence and signal where the queries lie, which tracks are there, the context."""
        near = max(1, self.centre_window // (2 * self.pool))
        parts = [_middle(features.sequence, near).amax(2, keepdim=True) if self.pools else features.sequence]
        queries = parts[0].shape[2]
        if features.signal is not None and features.present is not None:
            signal = features.signal.flatten(1, 2)
            bins = self._query_places(length, signal).long() // self.signal_bin_size
            parts.append(_middle(signal, 1).mean(2, keepdim=True) if self.pools else signal[:, :, bins])
            parts.append(features.present.to(signal.dtype).unsqueeze(2).expand(-1, -1, queries))
        if features.context is not None:
            parts.append(features.context.unsqueeze(2).expand(-1, -1, queries))
        return torch.cat(parts, 1)

    def _weights(self, here: Tensor, features: Features, length: int) -> tuple[Tensor, Tensor | None]:
        query = torch.relu(self.query(here))
        at = self._query_places(length, here).unsqueeze(1)
        apart = _places(features.first, self.pool, features.sequence) - at
        if features.signal is None:
            return self.attention.weights(query, features.sequence, apart)
        signal_apart = _places(0, self.signal_bin_size, features.signal) - at
        return self.attention.weights(query, features.sequence, apart, features.signal, signal_apart, features.present)

    def _query_places(self, length: int, like: Tensor) -> Tensor:
        """(Q,) bp of the queries' middles from the window's start."""
        grid = self.sequence_grid(length)
        places = grid.offset + grid.bin_size * (torch.arange(grid.length) + 0.5)
        places = torch.tensor([length / 2]) if self.pools else places
        return places.to(device=like.device, dtype=like.dtype)


def _places(first: int, step: int, x: Tensor) -> Tensor:
    """x: (..., T) -> (T,) bp of the middles of its positions of `step` bp."""
    return first + step * (torch.arange(x.shape[-1]).to(device=x.device, dtype=x.dtype) + 0.5)


def _middle(x: Tensor, reach: int) -> Tensor:
    """x: (N, C, T) -> (N, C, 2 reach): the positions about the middle, of which an odd T has one less."""
    positions = x.shape[2]
    return x[:, :, max(0, (positions + 1) // 2 - reach) : positions // 2 + reach]


def _track_field(signal: Mapping[str, Any]) -> Field:
    field = Field.from_dict({"axes": "AT", **signal})
    _require(
        field.axes in ("AT", "CT"), f"signal with axes {field.axes!r} is no track by position: multi_modal reads AT"
    )
    _require(bool(field.channels), "signal names no tracks: set encoder.signal.channels, such as [atac]")
    return replace(field, required=False)


def _require(true: bool, sentence: str) -> None:
    if not true:
        raise ConfigError(sentence)
