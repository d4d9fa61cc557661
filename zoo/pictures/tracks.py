"""Attributions of one sequence above its mutational landscape: two views of the same bases, on one x axis.

A T G [C C A C] T G      letters as high as what each base contributes
A . . # . .              cells: what each substitution does
C .
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from zoo.errors import DataError
from zoo.pictures.mutational_landscape import ROW, draw_landscape

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from zoo.effects.mutational_landscape import Landscape

__all__ = ["best_window", "draw_tracks"]

NEARLY = 0.98


def draw_tracks(
    landscape: Landscape,
    heights: np.ndarray,
    *,
    label: str = "contribution",
    title: str | None = None,
    row_length: int = ROW,
) -> Figure:
    """Letters by attribution above the cells of a landscape of the same W bases, in rows of at most `row_length` bp.

    heights: (4, W), A C G T, as zoo.pictures.logo draws them.
    label: what they are.  title: of the picture, in place of the coordinates.

    Raises DataError where they are of another number of bases.
    """
    if heights.shape != landscape.effects.shape:
        raise DataError(
            f"attributions {heights.shape} do not lie above a landscape of {landscape.effects.shape}: cut both alike"
        )
    return draw_landscape(landscape, heights=heights, label=label, title=title, row_length=row_length)


def best_window(scores: np.ndarray, width: int) -> tuple[int, int]:
    """scores (L,) -> (start, end), 0-based half-open: the `width` bp with the largest sum of absolute scores.

    Of those that hold 98 % of the largest sum it is the one in the middle, so that what matters has flanks.
    All where L is no larger than `width`.

    >>> best_window(np.array([0.0, 0, 0, -3, 1, 0, 0, 0]), 4)
    (2, 6)
    """
    if len(scores) <= width:
        return 0, len(scores)
    total = np.concatenate([[0.0], np.abs(scores).cumsum()])
    sums = total[width:] - total[:-width]
    good = np.flatnonzero(sums >= NEARLY * sums.max())
    start = int(good[len(good) // 2])
    return start, start + width
