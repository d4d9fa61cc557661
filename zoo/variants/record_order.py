"""Records out of order: the few of a file that have to be left out for the positions of the others to ascend."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

import numpy as np

SORTED = 20
"""One record of so many may be out of order; a file with more is not sorted."""


def out_of_order(positions: Sequence[int] | np.ndarray) -> list[int]:
    """Places, ascending, of the fewest positions without which the others never descend (patience sorting).

    >>> out_of_order([5, 6, 99, 7, 8])
    [2]
    """
    positions = np.asarray(positions, np.int64)
    if (np.diff(positions) >= 0).all():
        return []
    tops: list[int] = []
    top_at: list[int] = []
    before = []
    for i, value in enumerate(positions.tolist()):
        pile = bisect_right(tops, value)
        before.append(top_at[pile - 1] if pile else -1)
        tops[pile : pile + 1], top_at[pile : pile + 1] = [value], [i]
    kept, i = set(), top_at[-1]
    while i >= 0:
        kept.add(i)
        i = before[i]
    return [i for i in range(len(positions)) if i not in kept]


def is_unsorted(out: int, records: int) -> bool:
    """Whether so many of the records out of order are no matter of single records."""
    return out > max(1, records // SORTED)
