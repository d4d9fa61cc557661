"""The encoder for constructs: motif detectors, a recurrent layer and self-attention over the whole construct."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from zoo.errors import ConfigError, ContractError, did_you_mean
from zoo.fields import Grid
from zoo.interfaces import Encoder
from zoo.layers.attention_pooling import AttentionPooling
from zoo.layers.dilated_block import DilatedBlock
from zoo.layers.recurrent import Bidirectional
from zoo.layers.tied_conv import convolution
from zoo_cnn_rnn_attention.position import ByPosition
from zoo_cnn_rnn_attention.self_attention import SelfAttention

POOLING = ("none", "attention", "max_mean")


class ConstructCNNRNN(Encoder):
    """Local motifs, what stands where in the construct, their order, and which of them look at each other.

    1. one_hot (N, 4, L)
    2. convolution of `filters` filters, `width` bp wide, the maximum of every `pool` bp, relu -> (N, F, L / pool)
    3. scaled and shifted by place, if `position`: constructs are aligned
    4. `layers` residual convolutions -> (N, F, L / pool)
    5. bidirectional GRU or LSTM -> (N, 2 hidden, L / pool)
    6. self-attention of `heads` heads over all positions, added to it; `attention_weights` reads its weights
    7. 4 and 6 side by side -> (N, F + 2 hidden, L / pool)
    8. pooled over positions, unless the head does that (`pooling=none`, which every head can follow)

    filters: number of motif detectors.
    width: bp of a detector, odd.
    both_strands: whether every detector comes with its reverse complement, as factors bind either strand; what follows
        reads the construct in its direction all the same.  `filters` counts both.
    pool: bp that a position covers, 1 for a prediction of every base.
    layers: residual convolutions of three positions.
    hidden: units of the recurrent layer in each direction, 0 for none.
    cell: gru or lstm.
    heads: of the self-attention, 0 for none; a divisor of 2 hidden (of F without a recurrent layer; of half as many
        where tied).
    position: whether features know their place in the construct.
    pooling: none; attention, a weighted mean whose weights `pooling_weights` reads; or max_mean, both side by side.
    dropout: probability with which a feature is left out in training, at every layer.
    tied: weights are shared between the strands.  The pool must then divide the window.
    """

    receptive_field = None

    def __init__(
        self,
        *,
        filters: int = 128,
        width: int = 15,
        both_strands: bool = False,
        pool: int = 4,
        layers: int = 1,
        hidden: int = 32,
        cell: Literal["gru", "lstm"] = "gru",
        heads: int = 4,
        position: bool = True,
        pooling: Literal["none", "attention", "max_mean"] = "none",
        dropout: float = 0.1,
        tied: bool = False,
    ):
        super().__init__()
        if width % 2 == 0:
            raise ConfigError(f"width {width} of construct_cnn_rnn must be odd to keep every base in place")
        if pooling not in POOLING:
            raise ConfigError(f"pooling {pooling!r} of construct_cnn_rnn is not known" + did_you_mean(pooling, POOLING))
        if not hidden and not heads and not position:
            raise ConfigError("construct_cnn_rnn without hidden, heads and position is encoder=residual_cnn: use that")
        self.strand = "equivariant" if tied else "none"
        self.pool, self.tied, self.pooling, self.pools = pool, tied, pooling, pooling != "none"
        self.convolution = convolution(4, filters, width, tied=tied or both_strands, padding=width // 2)
        self.position = ByPosition(filters, bin_size=pool, tied=tied) if position else None
        self.blocks = nn.ModuleList(DilatedBlock(filters, dropout=dropout, tied=tied) for _ in range(layers))
        self.recurrent = Bidirectional(filters, hidden, cell=cell, tied=tied) if hidden else None
        context = 2 * hidden or filters
        self.attention = (
            SelfAttention(context, heads=heads, bin_size=pool, dropout=dropout, tied=tied) if heads else None
        )
        self.dropout = nn.Dropout(dropout)
        channels = filters + 2 * hidden
        self.pooled = AttentionPooling(channels, tied=tied) if pooling == "attention" else None
        self.out_channels = 2 * channels if pooling == "max_mean" else channels

    def grid(self, length: int) -> Grid:
        """A position every `pool` bp; one, the whole window, where they are pooled."""
        if self.tied and length % self.pool:
            raise ContractError(
                f"a pool of {self.pool} bp does not divide a window of {length:,} bp, so the strands would be binned "
                f"apart: use {length - length % self.pool:,} bp, or set encoder.pool to a divisor"
            )
        return Grid(0, length, 1) if self.pools else self.steps(length)

    def steps(self, length: int) -> Grid:
        """Where the positions lie that attend to each other; the last may be shorter."""
        return Grid(0, self.pool, -(-length // self.pool))

    def attention_weights(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """Which position looks at which: inputs {one_hot (N, 4, L)} -> (N, heads, T, T), rows summing to 1.

        Row t holds where position t looks, position t covering bases [t * pool, (t + 1) * pool).  A tied encoder has
        the heads of both strands, in the coordinates of the strand that it is given.
        """
        if self.attention is None:
            raise ContractError("this encoder has no self-attention: train it with encoder.heads=4")
        return self.attention.weights(self._before_attention(inputs)[1])

    def pooling_weights(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """What the pooling listens to: inputs {one_hot (N, 4, L)} -> (N, T), summing to 1 over T."""
        if self.pooled is None:
            raise ContractError("this encoder does not pool by attention: train it with encoder.pooling=attention")
        return self.pooled.weights(self._positions(inputs))[:, 0]

    def forward(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """inputs: {one_hot (N, 4, L)} -> embedding (N, D, L / pool), or (N, D, 1) pooled."""
        x = self._positions(inputs)
        if self.pooled is not None:
            return self.pooled(x).unsqueeze(2)
        return _side_by_side(x.amax(2, keepdim=True), x.mean(2, keepdim=True)) if self.pools else x

    def _positions(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """(N, 4, L) -> (N, F + 2 hidden, T)."""
        motifs, context = self._before_attention(inputs)
        if self.attention is not None:
            context = self.attention(context)
        return context if self.recurrent is None else _side_by_side(motifs, context)

    def _before_attention(self, inputs: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Motifs (N, F, T), and what the recurrent layer makes of them (N, 2 hidden, T)."""
        one_hot = inputs["one_hot"]
        x = self.convolution(one_hot)
        if self.pool > 1:  # before the relu, which then passes over `pool` times fewer numbers: the same function
            x = functional.max_pool1d(x, self.pool, ceil_mode=True)
        x = torch.relu(x)
        if self.position is not None:
            x = self.position(x, one_hot.shape[2])
        for block in self.blocks:
            x = block(x)
        return x, x if self.recurrent is None else self.dropout(self.recurrent(self.dropout(x)))


def _side_by_side(x: Tensor, y: Tensor) -> Tensor:
    """(N, D, T) and (N, E, T) -> (N, D + E, T), the halves so arranged that the other strand reads it backwards."""
    (x1, x2), (y1, y2) = x.tensor_split(2, 1), y.tensor_split(2, 1)
    return torch.cat([x1, y1, y2, x2], 1)
