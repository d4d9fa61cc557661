"""Probabilities as a network's own output, for those whose authors average them over the strands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from zoo.fields import Field, Grid
from zoo.interfaces import Head


class ProbabilitiesHead(Head):
    """A dense layer and a sigmoid: what is averaged over strands or networks is the probability, not its logit.

    embedding (N, D, T) -> the mean over positions -> prediction (N, C), 0 to 1.

    tasks: names of the numbers, C of them.
    """

    def __init__(self, *, in_channels: int, tasks: Sequence[str] = ("output",)):
        super().__init__()
        self.field = Field("C", tuple(tasks), values="real")
        self.dense = nn.Linear(in_channels, len(self.field.channels))

    def grid(self, grid: Grid) -> None:
        """No positions are left."""
        return None

    def forward(self, embedding: Tensor, inputs: Mapping[str, Tensor]) -> Tensor:
        """embedding: (N, D, T) -> prediction (N, C)."""
        return torch.sigmoid(self.dense(embedding.mean(2)))
