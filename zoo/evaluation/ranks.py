"""Order statistics of resampled examples; counts (R, n): how often each example is taken in each of R resamples."""

from __future__ import annotations

import numpy as np


def positives_by_score(target: np.ndarray, prediction: np.ndarray, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Positives and negatives (R, distinct scores) at every score, ascending."""
    order, starts = tied_groups(prediction)
    label = (target > 0.5)[order]
    ordered = counts[:, order]
    positive = np.add.reduceat(ordered * label, starts, axis=1)
    return positive, np.add.reduceat(ordered, starts, axis=1) - positive


def mean_ranks(x: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """(R, n) mean rank of every example among those taken."""
    order, starts = tied_groups(x)
    together = np.add.reduceat(counts[:, order], starts, axis=1)
    rank = np.cumsum(together, axis=1) - together / 2 + 0.5
    sizes = np.diff(starts, append=len(x))
    out = np.empty_like(counts, dtype=np.float64)
    out[:, order] = np.repeat(rank, sizes, axis=1)
    return out


def tied_groups(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Ascending order, and where in it every distinct value starts."""
    order = np.argsort(x, kind="stable")
    ordered = x[order]
    return order, np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
