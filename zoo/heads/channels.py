"""Channels of the embedding as they are: the head of a network that makes its own prediction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import Tensor

from zoo.errors import ConfigError
from zoo.fields import Field, Grid
from zoo.interfaces import Head


class ChannelsHead(Head):
    """C channels of an embedding, without a weight of its own.

    embedding (N, D, T) -> prediction (N, C), the mean over positions, or (N, C, T).

    tasks: names of the numbers, C of them.
    classes: names of mutually exclusive classes, in place of tasks.
    first: the first of the channels.
    positions: whether the prediction is by position.
    resolution: bp a position covers.
    rc: where each number goes when the strand is reversed; None if they stay.
    values: what the numbers are before the activation.
    """

    def __init__(
        self,
        *,
        in_channels: int,
        tasks: Sequence[str] = ("output",),
        classes: Sequence[str] | None = None,
        first: int = 0,
        positions: bool = False,
        resolution: int = 1,
        rc: Sequence[int] | None = None,
        values: str = "real",
    ):
        super().__init__()
        names = tuple(classes or tasks)
        if not 0 <= first <= in_channels - len(names):
            raise ConfigError(f"head channels needs {len(names)} channels from {first} on, of {in_channels}")
        axes = ("K" if classes else "C") + ("T" if positions else "")
        self.field = Field(axes, names, bin_size=resolution if positions else 1, rc=rc, values=values)
        self.first, self.last, self.positions = first, first + len(names), positions

    def grid(self, grid: Grid) -> Grid | None:
        """That of the embedding, or None."""
        return grid if self.positions else None

    def forward(self, embedding: Tensor, inputs: Mapping[str, Tensor]) -> Tensor:
        """embedding: (N, D, T) -> prediction (N, C) or (N, C, T)."""
        x = embedding[:, self.first : self.last]
        return x if self.positions else x.mean(2)
