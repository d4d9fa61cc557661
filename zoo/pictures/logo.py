"""Letters of a sequence, each as high as a number: attributions, effects of mutations, motifs."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from zoo.errors import DataError
from zoo.pictures.canvas import drawn_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.collections import PathCollection
    from matplotlib.path import Path

COLOURS = {"A": "#009e73", "C": "#0072b2", "G": "#e69f00", "T": "#c1272d"}
"""The usual colours of the bases, in shades that differ in lightness too."""

WIDTH = 0.94
ROW = 130
"""Most bases in one row of a picture; a letter stays wide enough to be read."""


def draw_logo(axes: Axes, heights: np.ndarray, start: float = 0) -> list[PathCollection]:
    """Draw stacked letters; returns one collection a base, A C G T, with one path a letter.

    heights: (4, W), A C G T, in units of the y axis.  Positive letters stack upwards and negative ones, upside
    down, downwards, the largest outermost; a height of 0 draws nothing.
    start: x of the left edge of the first column; each column is 1 wide.

    Raises DataError for another shape and for heights that are not finite.
    """
    from matplotlib.collections import PathCollection

    heights = np.asarray(heights, float)
    if heights.ndim != 2 or heights.shape[0] != 4:
        raise DataError(f"heights {heights.shape} of a logo must be (4, W), A C G T: transpose or reduce them")
    if not np.isfinite(heights).all():
        raise DataError("heights of a logo hold NaN or infinity: replace them by 0 to draw nothing there")
    bottoms = _stacked(heights)
    drawn = []
    for row, (base, colour) in enumerate(COLOURS.items()):
        columns = np.flatnonzero(heights[row])
        letters = _letters(base, start + columns, bottoms[row, columns], heights[row, columns])
        collection = PathCollection(letters, facecolors=colour, linewidths=0)
        axes.add_collection(collection, autolim=False)
        drawn.append(collection)
    low, high = np.minimum(heights, 0).sum(0), np.maximum(heights, 0).sum(0)
    axes.update_datalim([(start, low.min(initial=0)), (start + heights.shape[1], high.max(initial=0))])
    axes.autoscale_view()
    return drawn


def limits(heights: np.ndarray) -> tuple[float, float]:
    """Ends of the y axis for heights (4, W): 0 is in it, and letters do not touch them."""
    low, high = min(float(heights.min()), 0.0), max(float(heights.max()), 0.0)
    margin = 0.05 * (high - low) or 1.0
    return low - margin, high + margin


def mark_positions(axes: Axes, left: int, right: int) -> None:
    """Label bases of [left, right), 0-based, by their positions from 1: about every tenth of long rows."""
    width = right - left
    step = 5 if width <= 20 else 10
    while width / step > 14:
        step *= 5 if str(step)[0] == "1" else 2
    positions = np.arange(-(-(left + 1) // step) * step, right + 1, step)
    if not len(positions):
        positions = np.array([left + 1])
    axes.set_xticks(positions - 0.5, [f"{p:,}" for p in positions], fontsize=7)


def position_label(chrom: str | None) -> str:
    """Of the x axis; None for a sequence that is not from a genome."""
    return "position, bp" if chrom is None else f"position on {drawn_text(chrom)}, bp"


def _stacked(heights: np.ndarray) -> np.ndarray:
    """heights (4, W) -> (4, W), where each letter begins: at the sum of the smaller ones of its sign."""
    order = np.abs(heights).argsort(axis=0, kind="stable")
    ordered = np.take_along_axis(heights, order, 0)
    bottoms = np.zeros_like(heights)
    for part in (np.maximum(ordered, 0), np.minimum(ordered, 0)):
        below = np.where(part != 0, part.cumsum(axis=0) - part, 0)
        np.put_along_axis(bottoms, order, np.take_along_axis(bottoms, order, 0) + below, 0)
    return bottoms


def _letters(base: str, lefts: np.ndarray, bottoms: np.ndarray, heights: np.ndarray) -> list[Path]:
    from matplotlib.path import Path

    glyph = _glyph(base)
    outline = np.asarray(glyph.vertices)
    margin = (1 - WIDTH) / 2
    x = lefts[:, None] + margin + WIDTH * outline[:, 0]
    y = bottoms[:, None] + heights[:, None] * outline[:, 1]
    return [Path(corners, glyph.codes) for corners in np.stack([x, y], axis=2)]


@lru_cache(maxsize=4)
def _glyph(base: str) -> Path:
    """Outline of a letter in the unit square; the font comes with Matplotlib."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.path import Path
    from matplotlib.textpath import TextPath

    outline = TextPath((0, 0), base, size=100, prop=FontProperties(family="DejaVu Sans", weight="bold"))
    box = outline.get_extents()
    return Path((outline.vertices - box.min) / box.size, outline.codes)
