"""Windows of a genome that share bases, made one track: a base that several windows cover gets their mean.

contig 0     [ 1 1 1 1 ]                      two windows of 4 bp
                 [ 3 3 3 3 ]
mean_track   1 1 2 2 3 3, from the start of the first
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np


def mean_track(contig: np.ndarray, start: np.ndarray, values: np.ndarray) -> Iterator[tuple[int, int, np.ndarray]]:
    """(contig, start, mean (M,)) of every run of windows that overlap, by contig, then by start.

    contig, start: (N,) of the windows, which have one width.  values: (N, W); NaN at a base is no value, and the mean
    is of those there are.
    """
    width = values.shape[1]
    for rows in _clusters(contig, start, width):
        first = int(start[rows[0]])
        size = int(start[rows[-1]]) - first + width
        total, n = np.zeros(size), np.zeros(size, np.int64)
        for row in rows:
            part = slice(int(start[row]) - first, int(start[row]) - first + width)
            known = ~np.isnan(values[row])
            total[part][known] += values[row][known]
            n[part] += known
        yield int(contig[rows[0]]), first, np.divide(total, n, out=np.full(size, np.nan), where=n > 0)


def shared_bases(contig: np.ndarray, start: np.ndarray, width: int) -> int:
    """How many bases lie in two windows of `width` bp or more; contig, start: (N,).

    >>> shared_bases(np.zeros(3, int), np.array([0, 2, 2]), 4)
    4
    """
    shared = 0
    for rows in _clusters(contig, start, width):
        begins, ends = start[rows[1:]], start[rows[:-1]] + width
        # Each pair of neighbours shares a stretch; what the pair before has shared is not counted again.
        before = np.r_[np.iinfo(np.int64).min, ends[:-1]][: len(ends)]
        shared += int(np.maximum(ends - np.maximum(begins, before), 0).sum())
    return shared


def _clusters(contig: np.ndarray, start: np.ndarray, width: int) -> Iterator[np.ndarray]:
    """Rows of windows that overlap in a chain, by contig and start."""
    order = np.lexsort((start, contig))
    if not len(order):
        return
    new = np.flatnonzero((np.diff(contig[order]) != 0) | (np.diff(start[order]) >= width)) + 1
    yield from np.split(order, new)
