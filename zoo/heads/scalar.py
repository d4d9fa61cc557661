"""A few numbers for the whole window."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from zoo.errors import ConfigError
from zoo.fields import Field, Grid
from zoo.interfaces import Head
from zoo.layers.attention_pooling import AttentionPooling

POOLS = ("mean", "max", "attention", "center")


class ScalarHead(Head):
    """Pool the positions, then a dense layer, with an optional hidden one before it.

    embedding (N, D, T) -> (N, D) -> [(N, hidden) ->] (N, C).  An embedding that is one position is taken as it is.

    tasks: names of the numbers, C of them.
    classes: names of mutually exclusive classes, in place of tasks.
    pool: mean, max, attention (learned weights), or center (the middle position, the mean of the middle
        two where T is even).
    hidden: units of the hidden layer, 0 for none.
    dropout: probability with which a unit is left out in training.
    rc: where each number goes when the strand is reversed; None if they stay.
    values: what the numbers are before the activation.
    """

    def __init__(
        self,
        *,
        in_channels: int,
        tasks: Sequence[str] = ("output",),
        classes: Sequence[str] | None = None,
        pool: Literal["mean", "max", "attention", "center"] = "mean",
        hidden: int = 0,
        dropout: float = 0.0,
        rc: Sequence[int] | None = None,
        values: str = "real",
    ):
        super().__init__()
        if pool not in POOLS:
            raise ConfigError(f"pool {pool!r} of head scalar must be one of {', '.join(POOLS)}")
        self.field = Field("K" if classes else "C", tuple(classes or tasks), rc=rc, values=values)
        self.pool = pool
        self.attention = AttentionPooling(in_channels) if pool == "attention" else None
        self.dropout = nn.Dropout(dropout)
        self.hidden = nn.Linear(in_channels, hidden) if hidden else None
        self.dense = nn.Linear(hidden or in_channels, len(self.field.channels))

    def grid(self, grid: Grid) -> None:
        """No positions are left."""
        return None

    def forward(self, embedding: Tensor, inputs: Mapping[str, Tensor]) -> Tensor:
        """embedding: (N, D, T) -> prediction (N, C)."""
        x = self.dropout(self._pooled(embedding))
        if self.hidden is not None:
            x = self.dropout(torch.relu(self.hidden(x)))
        return self.dense(x)

    def _pooled(self, x: Tensor) -> Tensor:
        if self.attention is not None:
            return self.attention(x)
        if self.pool == "max":
            return x.amax(2)
        if self.pool == "center":
            positions = x.shape[2]
            return x[:, :, (positions - 1) // 2 : positions // 2 + 1].mean(2)
        return x.mean(2)
