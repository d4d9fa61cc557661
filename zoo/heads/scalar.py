"""A few numbers for the whole window."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from zoo.errors import ConfigError
from zoo.fields import Field, Grid
from zoo.interfaces import Head
from zoo.layers.attention_pooling import AttentionPooling
from zoo.layers.pooling import pool_positions

POOLS = ("mean", "max", "max_mean", "attention", "center")


class ScalarHead(Head):
    """Pool the positions, then a dense layer, with an optional hidden one before it.

    embedding (N, D, T) -> (N, D) -> [(N, hidden) ->] (N, C).  An embedding that is one position is taken as it is.

    tasks: names of the numbers, C of them.
    classes: names of mutually exclusive classes, in place of tasks.
    pool: mean, max, max_mean (both, side by side), attention (learned weights), or center (the middle position, the
        mean of the middle two where T is even).
    hidden: units of the hidden layer, 0 for none.
    dropout: probability with which a unit is left out in training.
    rc: where each number goes when the strand is reversed; None if they stay.
    values: what the numbers are before the activation.
    mean, sd: of measured values, one a task: what the layers predict is multiplied by sd and the mean added, so that
        a new head starts at the mean of its labels, whatever their unit.  None for 0 and 1.
    """

    mean: Tensor | None
    sd: Tensor | None

    def __init__(
        self,
        *,
        in_channels: int,
        tasks: Sequence[str] = ("output",),
        classes: Sequence[str] | None = None,
        pool: Literal["mean", "max", "max_mean", "attention", "center"] = "mean",
        hidden: int = 0,
        dropout: float = 0.0,
        rc: Sequence[int] | None = None,
        values: str = "real",
        mean: Sequence[float] | None = None,
        sd: Sequence[float] | None = None,
    ):
        super().__init__()
        if pool not in POOLS:
            raise ConfigError(f"pool {pool!r} of head scalar must be one of {', '.join(POOLS)}")
        self.field = Field("K" if classes else "C", tuple(classes or tasks), rc=rc, values=values)
        self.pool = pool
        self.attention = AttentionPooling(in_channels) if pool == "attention" else None
        self.dropout = nn.Dropout(dropout)
        pooled = 2 * in_channels if pool == "max_mean" else in_channels
        self.hidden = nn.Linear(pooled, hidden) if hidden else None
        self.dense = nn.Linear(hidden or pooled, len(self.field.channels))
        # Arguments of the head, not weights: a stored model has them in its spec.
        self.register_buffer("mean", _one_a_channel("mean", mean, self.field), persistent=False)
        self.register_buffer("sd", _one_a_channel("sd", sd, self.field), persistent=False)

    def grid(self, grid: Grid) -> None:
        """No positions are left."""
        return None

    def forward(self, embedding: Tensor, inputs: Mapping[str, Tensor]) -> Tensor:
        """embedding: (N, D, T) -> prediction (N, C)."""
        x = self.dropout(self._pooled(embedding))
        if self.hidden is not None:
            x = self.dropout(torch.relu(self.hidden(x)))
        x = self.dense(x)
        if self.sd is not None:
            x = x * self.sd
        return x if self.mean is None else x + self.mean

    @torch.no_grad()
    def rescale(self, scale: Tensor, shift: Tensor) -> None:
        """scale, shift: (C,).  Make the prediction `scale * prediction + shift` from now on, for good."""
        weight, bias = self.dense.weight, self.dense.bias
        scale, shift = scale.to(weight), shift.to(weight)
        if self.mean is not None:
            shift = shift + (scale - 1) * self.mean
        weight.mul_(scale[:, None])
        bias.mul_(scale).add_(shift if self.sd is None else shift / self.sd)

    def _pooled(self, x: Tensor) -> Tensor:
        if self.attention is not None:
            return self.attention(x)
        if self.pool == "center":
            positions = x.shape[2]
            return x[:, :, (positions - 1) // 2 : positions // 2 + 1].mean(2)
        return pool_positions(x, self.pool)


def _one_a_channel(name: str, values: Sequence[float] | None, field: Field) -> Tensor | None:
    if values is None:
        return None
    numbers = tuple(float(value) for value in values)
    if len(numbers) != len(field.channels) or not all(map(math.isfinite, numbers)):
        raise ConfigError(
            f"{name} {list(values)!r} of head scalar must be a finite number for each of {field.channels}"
        )
    return torch.tensor(numbers)
