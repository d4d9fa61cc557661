"""The encoder: convolution, recurrence, attention pooling."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from zoo.errors import ConfigError, ContractError
from zoo.fields import Grid
from zoo.interfaces import Encoder
from zoo.layers.attention_pooling import AttentionPooling
from zoo.layers.recurrent import Bidirectional
from zoo.layers.tied_conv import convolution


class CNNRNNAttention(Encoder):
    """Motif detectors, a recurrent layer that reads their order, and attention that picks what counts.

    1. one_hot (N, 4, L)
    2. convolution of `filters` filters, `width` bp wide, relu -> (N, F, L)
    3. the maximum of every `pool` bp -> (N, F, L / pool), as DanQ (Quang and Xie 2016) does
    4. bidirectional GRU or LSTM -> (N, 2 hidden, L / pool)
    5. `heads` weighted means over positions -> (N, heads * 2 hidden, 1)

    Differs from DanQ in the attention (after Lanchantin et al. 2017 and Hu et al. 2019) where DanQ flattens
    all positions into one dense layer: the window's length stays free, and the weights can be read.

    filters: number of motif detectors.
    width: bp of a detector, odd.
    pool: bp that a step of the recurrent layer covers.
    hidden: units of the recurrent layer in each direction.
    cell: gru or lstm.
    heads: number of attention heads.
    dropout: probability with which a feature is left out in training, before and after the recurrent layer.
    tied: weights are shared between the strands.  The pool must then divide the window.
    """

    pools = True
    receptive_field = None

    def __init__(
        self,
        *,
        filters: int = 64,
        width: int = 21,
        pool: int = 4,
        hidden: int = 32,
        cell: Literal["gru", "lstm"] = "gru",
        heads: int = 4,
        dropout: float = 0.1,
        tied: bool = False,
    ):
        super().__init__()
        if width % 2 == 0:
            raise ConfigError(f"width {width} of cnn_rnn_attention must be odd to keep every base in place")
        self.strand = "equivariant" if tied else "none"
        self.pool, self.tied = pool, tied
        self.convolution = convolution(4, filters, width, tied=tied, padding=width // 2)
        self.recurrent = Bidirectional(filters, hidden, cell=cell, tied=tied)
        self.attention = AttentionPooling(2 * hidden, heads, tied=tied)
        self.dropout = nn.Dropout(dropout)
        self.out_channels = heads * 2 * hidden

    def grid(self, length: int) -> Grid:
        """One position, the whole window."""
        if self.tied and length % self.pool:
            raise ContractError(
                f"a pool of {self.pool} bp does not divide a window of {length:,} bp, so the strands would be binned "
                f"apart: use {length - length % self.pool:,} bp, or set encoder.pool to a divisor"
            )
        return Grid(0, length, 1)

    def attention_weights(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """Where the model looks: inputs {one_hot (N, 4, L)} -> (N, heads, T), summing to 1 over T.

        Position t covers bases [t * pool, (t + 1) * pool).
        """
        return self.attention.weights(self._steps(inputs))

    def forward(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """inputs: {one_hot (N, 4, L)} -> embedding (N, D, 1)."""
        return self.attention(self._steps(inputs)).unsqueeze(2)

    def _steps(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """(N, 4, L) -> (N, 2 hidden, L / pool); a shorter last bin is kept."""
        x = torch.relu(self.convolution(inputs["one_hot"]))
        x = functional.max_pool1d(x, self.pool, ceil_mode=True)
        return self.dropout(self.recurrent(self.dropout(x)))
