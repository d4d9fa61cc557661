"""Runs of equal value along a contig: what every kind of track is stored as.

intervals, cut sites or values -> (starts, ends, values), sorted, disjoint, never 0, neighbours of one value joined
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

FEW_BORDERS = 200
"""Of a file with fewer borders of runs nothing is said of the bins that it was written with."""


@dataclass(frozen=True)
class Runs:
    """starts, ends: (n,) int32, 0-based half-open, ascending and disjoint.  values: (n,) float32, none of them 0."""

    starts: np.ndarray
    ends: np.ndarray
    values: np.ndarray

    def __len__(self) -> int:
        return len(self.starts)

    @classmethod
    def of(cls, starts: np.ndarray, ends: np.ndarray, values: np.ndarray) -> Runs:
        """From sorted, disjoint runs: zeros left out, touching runs of one value joined."""
        kept = (values != 0) & (ends > starts)
        starts, ends, values = starts[kept], ends[kept], values[kept]
        begins = np.ones(len(starts), bool)
        begins[1:] = (starts[1:] != ends[:-1]) | (values[1:] != values[:-1])
        first = np.flatnonzero(begins)
        last = np.append(first[1:], len(starts)) - 1 if len(first) else first
        return cls(starts[first].astype(np.int32), ends[last].astype(np.int32), values[first].astype(np.float32))

    @classmethod
    def coverage(cls, starts: np.ndarray, ends: np.ndarray) -> Runs:
        """How many of the intervals (n,), in any order, cover each base.

        >>> runs = Runs.coverage(np.array([5, 0]), np.array([15, 10]))
        >>> runs.starts.tolist(), runs.ends.tolist(), runs.values.tolist()
        ([0, 5, 10], [5, 10, 15], [1.0, 2.0, 1.0])
        """
        kept = ends > starts
        borders = np.concatenate([starts[kept], ends[kept]])
        steps = np.concatenate([np.ones(kept.sum(), np.int64), -np.ones(kept.sum(), np.int64)])
        places, inverse = np.unique(borders, return_inverse=True)
        depth = np.cumsum(np.bincount(inverse.reshape(-1), steps, len(places))).round()
        return cls.of(places[:-1], places[1:], depth[:-1])

    @classmethod
    def counts(cls, places: np.ndarray) -> Runs:
        """How often each base is named: places (n,), in any order, of cut sites.

        >>> runs = Runs.counts(np.array([7, 3, 7]))
        >>> runs.starts.tolist(), runs.values.tolist()
        ([3, 7], [1.0, 2.0])
        """
        places, counts = np.unique(places, return_counts=True)
        return cls.of(places, places + 1, counts)


class BinGuess:
    """The bins that a file was written with: the greatest common divisor of where its runs begin and end."""

    def __init__(self) -> None:
        self.divisor, self.borders = 0, 0

    def add(self, runs: Runs, length: int) -> None:
        """length: bp of the contig, whose end is no border of a bin."""
        borders = np.concatenate([runs.starts, runs.ends[runs.ends < length]])
        self.borders += len(borders)
        if len(borders) and self.divisor != 1:
            self.divisor = int(np.gcd(self.divisor, np.gcd.reduce(borders)))

    @property
    def bin_size(self) -> int:
        """bp; 1 where there are too few borders to tell."""
        return self.divisor if self.borders >= FEW_BORDERS and self.divisor else 1
