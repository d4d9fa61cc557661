"""Ranks of all positions of all examples, counted once: how many negatives lie between every two positives.

target, prediction (n, T) -> PositionCounts, sparse -> under counts (R, n): positives, negatives (R, bins)

A rare label, such as a splice site in a gene, has millions of positions and thousands of positives.  What a metric of
ranks needs are the negatives between two positives that follow one another, whatever their order, so that resampling
examples is a product with a matrix in place of a sort.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import ref

import numpy as np

if TYPE_CHECKING:
    from scipy import sparse


class PositionCounts:
    """Positives and negatives of every example by score: bin 2i + 1 holds the i-th distinct score of a positive and
    what is tied with it, bin 2i what lies between it and the one before."""

    def __init__(self, target: np.ndarray, prediction: np.ndarray):
        """target: (n, T) of 0, 1 and NaN, which is left out; prediction: (n, T)."""
        known = np.isfinite(target)
        example = np.repeat(np.arange(len(target)), known.sum(1))
        label, score = target[known] > 0.5, prediction[known]
        scores = np.unique(score[label])
        bins = np.searchsorted(scores, score).astype(np.int64)
        tied = np.zeros(len(bins), bool) if not len(scores) else scores[np.minimum(bins, len(scores) - 1)] == score
        key = example * (2 * len(scores) + 1) + 2 * bins + tied
        self.positive, self.negative = (_count(key[x], len(target), 2 * len(scores) + 1) for x in (label, ~label))

    def under(self, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """counts: (R, n).  Positives and negatives (R, bins), by ascending score."""
        return (self.positive.T @ counts.T).T, (self.negative.T @ counts.T).T


def position_counts(target: np.ndarray, prediction: np.ndarray) -> PositionCounts:
    """`PositionCounts`, kept for the next metric of the same two arrays."""
    if _last and _last[0]() is target and _last[1]() is prediction:
        return _last[2]
    counted = PositionCounts(target, prediction)
    _last[:] = [ref(target), ref(prediction), counted]
    return counted


_last: list[Any] = []


def _count(key: np.ndarray, n: int, bins: int) -> sparse.csr_matrix:
    """(n, bins) how often example * bins + bin is among the keys."""
    from scipy import sparse

    key, times = np.unique(key, return_counts=True)
    return sparse.csr_matrix((times.astype(np.float64), (key // bins, key % bins)), shape=(n, bins))
