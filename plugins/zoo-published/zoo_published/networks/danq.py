"""DanQ: one convolution, a recurrent layer that reads it in both directions, and a dense layer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import torch
from torch import Tensor, nn

from zoo.errors import ConfigError, ContractError
from zoo.fields import Grid
from zoo.interfaces import Encoder


class HardSigmoidLSTM(nn.Module):
    """An LSTM in both directions whose gates are clip(0.2 x + 0.5, 0, 1), the default of Keras before 2.3.

    x (N, T, channels) -> (N, T, 2 hidden).  Its weights are named and shaped as those of torch.nn.LSTM.
    """

    def __init__(self, channels: int, hidden: int):
        super().__init__()
        self.weights = nn.LSTM(channels, hidden, batch_first=True, bidirectional=True)

    def forward(self, x: Tensor) -> Tensor:
        """x: (N, T, channels) -> (N, T, 2 hidden)."""
        return torch.cat([self._read(x, ""), self._read(x.flip(1), "_reverse").flip(1)], 2)

    def _read(self, x: Tensor, direction: str) -> Tensor:
        inner, recurrent, bias, second = (
            getattr(self.weights, f"{name}_l0{direction}") for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        )
        arriving = nn.functional.linear(x, inner, bias + second)
        size = recurrent.shape[1]
        hidden = cell = x.new_zeros(len(x), size)
        states = []
        for t in range(x.shape[1]):
            gates = arriving[:, t] + nn.functional.linear(hidden, recurrent)
            i, f, g, o = (gates[:, k * size : (k + 1) * size] for k in range(4))
            cell = _gate(f) * cell + _gate(i) * torch.tanh(g)
            hidden = _gate(o) * torch.tanh(cell)
            states.append(hidden)
        return torch.stack(states, 1)


def _gate(x: Tensor) -> Tensor:
    return torch.clamp(0.2 * x + 0.5, 0, 1)


class DanQ(Encoder):
    """DanQ (Quang and Xie 2016, Nucleic Acids Research 44).

    1. one_hot (N, 4, 1000)
    2. convolution of 320 filters 26 bp wide, relu, the maximum of 13 -> (N, 320, 75)
    3. an LSTM of 320 units in either direction -> (N, 75, 640)
    4. a dense layer of 925 over all positions, relu -> embedding (N, 925, 1)

    The 919 features are a head `scalar` with a sigmoid.

    length: bp of a window.  filters, width, pool: of the convolution.  hidden: units of the LSTM in one direction.
    dense: units of the dense layer.
    gates: sigmoid, or hard_sigmoid, which is what the authors' Keras took.
    dropout, dense_dropout: in training, before and after the LSTM.
    """

    pools = True
    receptive_field = None

    def __init__(
        self,
        *,
        length: int = 1000,
        filters: int = 320,
        width: int = 26,
        pool: int = 13,
        hidden: int = 320,
        dense: int = 925,
        gates: Literal["sigmoid", "hard_sigmoid"] = "hard_sigmoid",
        dropout: float = 0.2,
        dense_dropout: float = 0.5,
    ):
        super().__init__()
        if gates not in ("sigmoid", "hard_sigmoid"):
            raise ConfigError(f"gates {gates!r} of danq must be sigmoid or hard_sigmoid")
        self.length, self.pool, self.out_channels = length, pool, dense
        self.positions = (length - width + 1) // pool
        if self.positions < 1:
            raise ConfigError(f"nothing is left of a window of {length} bp: use a longer one")
        self.convolution = nn.Conv1d(4, filters, width)
        if gates == "sigmoid":
            self.recurrent: nn.Module = nn.LSTM(filters, hidden, batch_first=True, bidirectional=True)
        else:
            self.recurrent = HardSigmoidLSTM(filters, hidden)
        self.dense = nn.Linear(self.positions * 2 * hidden, dense)
        self.dropout, self.dense_dropout = nn.Dropout(dropout), nn.Dropout(dense_dropout)

    def grid(self, length: int) -> Grid:
        """The whole window."""
        if length != self.length:
            raise ContractError(f"this network reads windows of {self.length:,} bp, not of {length:,}: set length")
        return Grid(0, length, 1)

    def forward(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """inputs: {one_hot (N, 4, L)} -> embedding (N, dense, 1)."""
        x = torch.relu(self.convolution(inputs["one_hot"]))
        x = self.dropout(nn.functional.max_pool1d(x, self.pool)).transpose(1, 2)
        x = self.recurrent(x)
        x = self.dense_dropout(x if isinstance(x, Tensor) else x[0])
        return torch.relu(self.dense(x.flatten(1))).unsqueeze(2)
