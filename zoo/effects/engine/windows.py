"""Ragged windows: the positions of one layer that each mutant of a batch can change."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

Span = tuple[np.ndarray, np.ndarray]
"""First, and one past the last, position of every mutant: (M,), (M,) int64."""


@dataclass
class Windows:
    """low, high: (M,) int64; first: (M + 1,) the rows that the mutants take in a matrix (rows, F)."""

    low: np.ndarray
    high: np.ndarray
    first: np.ndarray
    _indices: dict = field(default_factory=dict)

    @classmethod
    def of(cls, span: Span) -> Windows:
        """Windows that lie behind each other."""
        return cls(*span, np.concatenate([[0], np.cumsum(span[1] - span[0])]))

    def part(self, a: int, b: int) -> Windows:
        """Those of mutants a to b, their rows counted from 0."""
        return Windows(self.low[a:b], self.high[a:b], self.first[a : b + 1] - self.first[a])

    @property
    def rows(self) -> int:
        """Rows of all mutants."""
        return int(self.first[-1])

    def mutant(self, device: torch.device) -> Tensor:
        """The mutant of every row."""
        return self._index("mutant", device, lambda: np.repeat(np.arange(len(self.low)), self.high - self.low))

    def position(self, device: torch.device) -> Tensor:
        """The position of every row."""

        def positions() -> np.ndarray:
            sizes = self.high - self.low
            return np.arange(self.rows) + np.repeat(self.low - self.first[:-1], sizes)

        return self._index("position", device, positions)

    def tensor(self, name: str, device: torch.device) -> Tensor:
        """low, high or first."""
        return self._index(name, device, lambda: getattr(self, name))

    def _index(self, name: str, device: torch.device, make) -> Tensor:
        key = name, device
        if key not in self._indices:
            self._indices[key] = torch.from_numpy(np.ascontiguousarray(make())).to(device)
        return self._indices[key]


def hull(*spans: Span) -> Span:
    """The smallest windows that hold all of these; empty ones do not count."""
    low, high = spans[0]
    for a, b in spans[1:]:
        empty, other = high <= low, b <= a
        low, high = (
            np.where(empty, a, np.where(other, low, np.minimum(low, a))),
            np.where(empty, b, np.where(other, high, np.maximum(high, b))),
        )
    return low, high


def limit(span: Span, first: int, last: int) -> Span:
    """What of the windows lies in [first, last); nothing is left as an empty window inside."""
    low = np.clip(span[0], first, max(first, last))
    return low, np.maximum(np.clip(span[1], first, max(first, last)), low)
