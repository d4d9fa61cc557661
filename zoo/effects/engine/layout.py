"""How a tensor with positions is laid out, and the two forms that it takes.

natural: as the model has it, (N, C, T), (N, T, C), (M, N, C, T) ...
rows: (N * T, F), a row a position, the other axes in order as F features.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Layout:
    """Axes of a natural tensor.

    shape: sizes, the batch axis as 0.  batch, position: their axes.
    flat: the natural tensor is the one that `shape` describes, flattened behind its batch axis.
    """

    shape: tuple[int, ...]
    batch: int
    position: int
    flat: bool = False

    @property
    def length(self) -> int:
        """T."""
        return self.shape[self.position]

    @property
    def features(self) -> tuple[int, ...]:
        """Sizes of the axes that are neither examples nor positions."""
        return tuple(n for i, n in enumerate(self.shape) if i not in (self.batch, self.position))

    @property
    def width(self) -> int:
        """F."""
        return math.prod(self.features)

    def feature_of(self, axis: int) -> int:
        """Which feature axis an axis of the natural tensor is."""
        return axis - (self.batch < axis) - (self.position < axis)

    def to_rows(self, x: Tensor) -> Tensor:
        """natural (N, ...) -> (N * T, F), contiguous."""
        if self.flat:
            x = x.reshape(-1, *self.shape[1:])
        x = x.movedim((self.batch, self.position), (0, 1))
        return x.reshape(x.shape[0] * self.length, self.width).contiguous()

    def from_rows(self, rows: Tensor) -> Tensor:
        """(N * T, F) -> natural (N, ...)."""
        x = rows.reshape(-1, self.length, *self.features).movedim((0, 1), (self.batch, self.position))
        return x.reshape(x.shape[0], -1) if self.flat else x

    def with_length(self, length: int) -> Layout:
        """The same axes with another number of positions."""
        shape = list(self.shape)
        shape[self.position] = length
        return Layout(tuple(shape), self.batch, self.position, self.flat)


def expand_rows(x: Tensor, layout: Layout) -> Tensor:
    """(rows, F) -> (rows, *features)."""
    return x.reshape(len(x), *layout.features)


def axes(dim, rank: int) -> tuple[int, ...]:
    """One axis or several, negative ones counted from the end, as a sorted tuple."""
    dims = range(rank) if dim is None or dim == () else (dim,) if isinstance(dim, int) else dim
    return tuple(sorted(d % rank for d in dims))
