"""Heads: corrected log2 depth, its level without noise, and the copies of every bin."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from zoo.fields import Field
from zoo.interfaces import Head

FEATURES = 10


class CorrectedHead(Head):
    """The embedding's first channels as they are; of depth_cnn the first is log2 depth less the sample's bias.

    Fitted to the true log2 ratio it trains the bias alone, since nothing else lies between depth and output.

    tasks: its name.
    bin_size: of a position.
    """

    needs_positions = True

    def __init__(self, *, in_channels: int, tasks: Sequence[str] = ("log2_ratio",), bin_size: int = 1):
        super().__init__()
        self.field = Field("CT", channels=tuple(tasks), unit="log2 of copies over 2", bin_size=bin_size)

    def forward(self, embedding: Tensor, inputs: Mapping[str, Tensor]) -> Tensor:
        """embedding (N, D, T) -> (N, C, T)."""
        return embedding[:, : len(self.field.channels)]


class LevelHead(Head):
    """One linear layer to the log2 of copies over 2, from the bin and its neighbours: depth without its noise.

    Fitted to the true log2 ratio it is near the mean of what may be true, so it lies between two states in doubt.

    tasks: its name.
    bin_size: of a position.
    """

    needs_positions = True

    def __init__(self, *, in_channels: int, tasks: Sequence[str] = ("log2_ratio",), bin_size: int = 1):
        super().__init__()
        self.field = Field("CT", channels=tuple(tasks), unit="log2 of copies over 2", bin_size=bin_size)
        self.linear = nn.Conv1d(in_channels, len(self.field.channels), 1)

    def forward(self, embedding: Tensor, inputs: Mapping[str, Tensor]) -> Tensor:
        """embedding (N, D, T) -> (N, C, T)."""
        return self.linear(embedding)


class StatesHead(Head):
    """One linear layer to the classes, bin by bin, and the numbers that turn a segment into a quality.

    penalty: nats that a change of state costs when segments are decoded.
    quality: coefficients of zoo_copy_number.quality; all 0 until they are fitted to held-out samples.
    Both are kept with the weights, so that a published model carries its own calibration.

    classes: names of the states, K of them.
    bin_size: of a position.
    """

    needs_positions = True

    def __init__(self, *, in_channels: int, classes: Sequence[str] = ("0", "1", "2", "3", "4+"), bin_size: int = 1):
        super().__init__()
        self.field = Field("KT", values="class", vocabulary=tuple(classes), bin_size=bin_size)
        self.linear = nn.Conv1d(in_channels, len(classes), 1)
        self.register_buffer("penalty", torch.tensor(4.0))
        self.register_buffer("quality", torch.zeros(FEATURES))

    def forward(self, embedding: Tensor, inputs: Mapping[str, Tensor]) -> Tensor:
        """embedding (N, D, T) -> (N, K, T)."""
        return self.linear(embedding)
