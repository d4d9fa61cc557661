"""A class for every bin, and a number for every pair of bins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from zoo.fields import Field
from zoo.interfaces import Head


class Segments(Head):
    """embedding (N, D, T) -> class scores (N, K, T).

    classes: names of K.
    bin_size: bp of a bin.
    """

    needs_positions = True

    def __init__(self, *, in_channels: int, classes: Sequence[str] = ("loss", "neutral", "gain"), bin_size: int = 1):
        super().__init__()
        self.field = Field("KT", channels=tuple(classes), bin_size=bin_size)
        self.score = nn.Conv1d(in_channels, len(classes), 1)

    def forward(self, embedding: Tensor, inputs: Mapping[str, Tensor]) -> Tensor:
        """embedding (N, D, T) -> (N, K, T)."""
        return self.score(embedding)


class Pairs(Head):
    """embedding (N, D, T) -> contact maps (N, C, T, T), symmetric.

    tasks: names of C.
    rank: size of the inner product of two bins.
    bin_size: bp of a bin.
    """

    needs_positions = True

    def __init__(self, *, in_channels: int, tasks: Sequence[str] = ("contacts",), rank: int = 4, bin_size: int = 1):
        super().__init__()
        self.field = Field("CTT", channels=tuple(tasks), bin_size=bin_size)
        self.rank = rank
        self.key = nn.Conv1d(in_channels, len(tasks) * rank, 1)

    def forward(self, embedding: Tensor, inputs: Mapping[str, Tensor]) -> Tensor:
        """embedding (N, D, T) -> (N, C, T, T)."""
        n, _, t = embedding.shape
        key = self.key(embedding).view(n, -1, self.rank, t)
        return torch.einsum("ncrt,ncrs->ncts", key, key)
