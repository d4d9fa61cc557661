"""Encoders that read signal, alone or beside the sequence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from zoo.fields import ONE_HOT, Field, Grid
from zoo.interfaces import Encoder


class SignalCNN(Encoder):
    """signal (N, A, T) -> two convolutions of 5 bins -> (N, channels, T).  Sees 9 bins.

    channels: D.
    tracks: names of A.
    bin_size: bp of a bin.
    """

    def __init__(self, *, channels: int = 8, tracks: Sequence[str] = ("depth", "baf"), bin_size: int = 10):
        super().__init__()
        self.inputs = {"signal": Field("AT", channels=tuple(tracks), bin_size=bin_size)}
        self.out_channels = channels
        self.receptive_field = 9 * bin_size
        self.bin_size = bin_size
        self.first = nn.Conv1d(len(tracks), channels, 5, padding=2)
        self.second = nn.Conv1d(channels, channels, 5, padding=2)

    def grid(self, length: int) -> Grid:
        """One position a bin."""
        return Grid(0, 1, length).pool(self.bin_size)

    def forward(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """inputs: {signal (N, A, T)} -> (N, channels, T)."""
        return torch.relu(self.second(torch.relu(self.first(inputs["signal"]))))


class JointCNN(Encoder):
    """Sequence, pooled to bins, beside a signal that may be missing.

    channels: D.
    tracks: names of A.
    bin_size: bp of a bin.
    """

    def __init__(self, *, channels: int = 8, tracks: Sequence[str] = ("depth", "baf"), bin_size: int = 10):
        super().__init__()
        signal = Field("AT", channels=tuple(tracks), bin_size=bin_size, required=False)
        self.inputs = {"one_hot": ONE_HOT, "signal": signal}
        self.out_channels = channels
        self.receptive_field = 3 * bin_size
        self.bin_size = bin_size
        self.sequence = nn.Conv1d(4, channels, 1)
        self.signal = nn.Conv1d(len(tracks) + 1, channels, 1)
        self.join = nn.Conv1d(2 * channels, channels, 3, padding=1)

    def grid(self, length: int) -> Grid:
        """One position a bin."""
        return Grid(0, 1, length).pool(self.bin_size)

    def forward(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """inputs: {one_hot (N, 4, L), signal (N, A, T), present/signal (N,)} -> (N, channels, T)."""
        sequence = nn.functional.avg_pool1d(self.sequence(inputs["one_hot"]), self.bin_size)
        present = inputs["present/signal"].to(sequence)[:, None, None].expand(-1, 1, sequence.shape[2])
        signal = self.signal(torch.cat([inputs["signal"], present], 1))
        return torch.relu(self.join(torch.cat([sequence, signal], 1)))
