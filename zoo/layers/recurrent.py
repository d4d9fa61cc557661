"""A bidirectional recurrent layer over positions, plain or shared between the strands."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from zoo.errors import ConfigError


class Bidirectional(nn.Module):
    """x: (N, channels, T) -> (N, 2 * hidden, T), each position knowing both sides of it.

    tied: one network reads both strands, from their 5' ends.  Reading x it gives half of the channels;
        reading rc(x) = x.flip(1, 2), and turned back, the other half.  Twins lie at c and 2 hidden - 1 - c.
    """

    def __init__(self, channels: int, hidden: int, *, cell: Literal["gru", "lstm"] = "gru", tied: bool = False):
        super().__init__()
        if cell not in ("gru", "lstm"):
            raise ConfigError(f"cell {cell!r} must be gru or lstm")
        layer = nn.GRU if cell == "gru" else nn.LSTM
        self.tied = tied
        self.recurrent = layer(channels, hidden, batch_first=True, bidirectional=not tied)

    def forward(self, x: Tensor) -> Tensor:
        """x: (N, channels, T) -> (N, 2 * hidden, T)."""
        if not self.tied:
            return self._read(x)
        return torch.cat([self._read(x), self._read(x.flip(1, 2)).flip(1, 2)], dim=1)

    def _read(self, x: Tensor) -> Tensor:
        return self.recurrent(x.transpose(1, 2))[0].transpose(1, 2)
