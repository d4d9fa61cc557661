"""Windows of bins that do not cross a contig's end."""

from __future__ import annotations

from itertools import pairwise

import numpy as np


def cut_windows(contig: np.ndarray, size: int, step: int | None = None) -> list[tuple[int, int]]:
    """contig (n,) -> [(first, last)] of at most `size` bins, half-open, that cover every bin.

    step: bins from one window to the next, `size` where it is not given.  The last window of a contig ends with it,
    and is shorter only where the contig is.

    >>> cut_windows(np.array([0, 0, 0, 0, 0, 1, 1]), 3)
    [(0, 3), (2, 5), (5, 7)]
    """
    step = step or size
    windows = []
    edges = [0, *(np.flatnonzero(np.diff(contig)) + 1).tolist(), len(contig)]
    for first, last in pairwise(edges):
        starts = range(first, max(first + 1, last - size + 1), step)
        windows += [(start, min(start + size, last)) for start in starts]
        if last > first and windows[-1][1] < last:
            windows.append((last - size, last))
    return windows
