"""Windows at the peaks of many experiments, and what each experiment says of every window.

centres of all peaks -> merge_centers -> windows;  windows, peaks of one experiment -> label_windows -> 1, 0 or -1

Places lie on one line: contigs one behind the other, so far apart that no window reaches into the next.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

POSITIVE, NEGATIVE, UNKNOWN = 1, 0, -1


@dataclass(frozen=True)
class LinePeaks:
    """Peaks of one file on the line: start, end, center (n,) int64, and whether each counts as a positive (n,)."""

    start: np.ndarray
    end: np.ndarray
    center: np.ndarray
    counts: np.ndarray

    def __len__(self) -> int:
        return len(self.start)


def merge_centers(centers: np.ndarray, length: int, core: int) -> np.ndarray:
    """Starts (n,), ascending, of the fewest windows of `length` bp that hold every centre in their middle `core` bp.

    centers: (m,) on the line.  A centre that is alone stands in the middle of its window.

    >>> merge_centers(np.array([500, 530, 900]), length=200, core=100).tolist()
    [415, 800]
    """
    ordered = np.unique(centers)
    if not len(ordered):
        return ordered
    following = np.searchsorted(ordered, ordered + core, "left").tolist()
    first, i = [], 0
    while i < len(ordered):
        first.append(i)
        i = following[i]
    last = np.array([*first[1:], len(ordered)], np.int64) - 1
    slack = core - 1 - (ordered[last] - ordered[first])
    return ordered[last] - core + 1 + slack // 2 - core_start(length, core)


def core_start(length: int, core: int) -> int:
    """First base of the middle `core` bp of a window."""
    return (length - core) // 2


def label_windows(starts: np.ndarray, length: int, core: int, near: int, peaks: LinePeaks) -> np.ndarray:
    """What the peaks of one file say of windows: (N,) int8, 1 positive, 0 negative, -1 unknown.

    starts: (N,) on the line, ascending.
    Positive: the centre of a peak lies in the middle `core` bp, or a peak covers at least half of the window.
    Negative: no peak comes nearer to the window than `near` bp.  Unknown: neither, or only peaks that do not count.
    """
    half = (length + 1) // 2
    touched = _in_ranges(starts, peaks.start - near - length + 1, peaks.end + near)
    first = peaks.center - core_start(length, core) - core + 1
    at = peaks.counts.astype(bool)
    positive = _in_ranges(starts, first[at], (first + core)[at])
    wide = at & (peaks.end - peaks.start >= half)
    if wide.any():
        positive |= _in_ranges(starts, (peaks.start + half - length)[wide], (peaks.end - half + 1)[wide])
    return np.where(positive, POSITIVE, np.where(touched, UNKNOWN, NEGATIVE)).astype(np.int8)


def keep_drawn_negatives(labels: np.ndarray, order: np.ndarray, per_positive: float) -> tuple[np.ndarray, int]:
    """Labels of which every task keeps its positives and so many negatives for each, the first of an order.

    labels: (N, S, C) int8.  order: windows that may be negatives, in the order in which they are taken, for every task
    from the first, so that tasks share them.  Returns labels, the others UNKNOWN, and in how many columns too few were.
    """
    kept = np.where(labels == POSITIVE, labels, UNKNOWN).astype(labels.dtype)
    short = 0
    for sample, task in np.ndindex(*labels.shape[1:]):
        n = round(per_positive * int((labels[:, sample, task] == POSITIVE).sum()))
        able = order[labels[order, sample, task] == NEGATIVE][:n]
        kept[able, sample, task] = NEGATIVE
        short += len(able) < n
    return kept, short


def combine_replicates(labels: list[np.ndarray], how: str) -> np.ndarray:
    """(N,) labels of an experiment from those of its replicates.

    how: "all": positive where every replicate is, negative where every one is, else unknown.
        "any": positive where one is, negative where every one is, else unknown.

    >>> combine_replicates([np.array([1, 1, 0]), np.array([1, 0, 0])], "all").tolist()
    [1, -1, 0]
    """
    if len(labels) == 1:
        return labels[0]
    stacked = np.stack(labels)
    positive = (stacked == POSITIVE).all(0) if how == "all" else (stacked == POSITIVE).any(0)
    negative = (stacked == NEGATIVE).all(0)
    return np.where(positive, POSITIVE, np.where(negative, NEGATIVE, UNKNOWN)).astype(np.int8)


def _in_ranges(starts: np.ndarray, first: np.ndarray, end: np.ndarray) -> np.ndarray:
    """(N,) bool: the start lies in one of the half-open ranges [first, end)."""
    n = len(starts)
    opened = np.bincount(np.searchsorted(starts, first, "left"), minlength=n + 1)
    closed = np.bincount(np.searchsorted(starts, end, "left"), minlength=n + 1)
    return np.cumsum(opened - closed)[:n] > 0
