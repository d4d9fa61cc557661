"""Saturation mutagenesis drawn as a mutational landscape: letters above, every single substitution below."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from zoo.data.region import format_region
from zoo.errors import DataError
from zoo.pictures.canvas import blank, drawn_text
from zoo.pictures.logo import ROW, draw_logo, limits, mark_positions, position_label

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from zoo.effects.mutational_landscape import Landscape

LABEL = "mean loss\nwhen replaced"
QUANTILE = 0.995
NEARLY = 0.98

# Inches.
LEFT, RIGHT, TOP, BOTTOM = 0.95, 1.15, 0.75, 0.45
LETTERS, CELLS, BETWEEN, NEXT_ROW = 0.95, 0.5, 0.06, 0.45


def draw_landscape(
    landscape: Landscape,
    *,
    heights: np.ndarray | None = None,
    title: str | None = None,
    row_length: int = ROW,
) -> Figure:
    """The landscape in rows of at most `row_length` bp.

    1. The reference bases, each as high as minus the mean effect of replacing it: a letter that points up is a
       base whose loss lowers the output.
    2. Below each, the effect of the four letters that may stand there, blue for loss and red for gain; a dot
       marks the reference.

    All rows share one scale of heights and one of colours, which ends at the 99.5 % quantile of the absolute
    effects.  Positions count from 1.

    heights: (4, W) attributions, as heights of the letters; DataError where they are of other bases.
    title: in place of the coordinates.
    """
    label = LABEL if heights is None else "contribution"
    width = landscape.effects.shape[1]
    rows = -(-width // row_length)
    each = -(-width // rows)
    inch = min(0.3, max(0.1, 4 / each))
    row_height = LETTERS + BETWEEN + CELLS + NEXT_ROW
    size = max(6.0, LEFT + each * inch + RIGHT), TOP + rows * row_height - NEXT_ROW + BOTTOM
    figure = blank(*size, layout=None)

    def place(left: float, top: float, wide: float, high: float) -> Axes:
        """Axes by inches from the upper left corner."""
        box = left / size[0], 1 - (top + high) / size[1], wide / size[0], high / size[1]
        return figure.add_axes(box)

    heights = _heights(landscape, heights)
    limit = _limit(landscape)
    for row in range(rows):
        columns = slice(row * each, min((row + 1) * each, width))
        wide, top = (columns.stop - columns.start) * inch, TOP + row * row_height
        letters = place(LEFT, top, wide, LETTERS)
        cells = place(LEFT, top + LETTERS + BETWEEN, wide, CELLS)
        _draw_letters(letters, heights, columns, landscape.start)
        image = _draw_cells(cells, landscape, columns, limit)
        if row == 0:
            scale = place(LEFT + wide + 0.15, TOP, 0.12, LETTERS + BETWEEN + CELLS)
            bar = figure.colorbar(image, cax=scale, extend="both", extendfrac=0.04)
            bar.ax.tick_params(labelsize=7)
            bar.set_label("effect of the substitution", fontsize=8)
            letters.set_ylabel(label, fontsize=8)
    cells.set_xlabel(position_label(landscape.chrom), fontsize=8)
    _title(figure, landscape, title, LEFT / size[0], size[1])
    return figure


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


def _heights(landscape: Landscape, heights: np.ndarray | None) -> np.ndarray:
    """(4, W): `heights`; else minus the mean effect at the reference base, 0 elsewhere and where that is N."""
    if heights is not None:
        if heights.shape != landscape.effects.shape:
            shapes = f"attributions {heights.shape} do not lie above a landscape of {landscape.effects.shape}"
            raise DataError(f"{shapes}: cut both alike")
        return heights
    heights = np.zeros(landscape.effects.shape)
    columns = np.flatnonzero(landscape.codes < 4)
    heights[landscape.codes[columns], columns] = -landscape.mean()[columns]
    return heights


def _limit(landscape: Landscape) -> float:
    absolute = np.abs(landscape.effects)[landscape.substitutions()]
    return float(np.quantile(absolute, QUANTILE)) or float(absolute.max()) or 1.0


def _draw_letters(axes: Axes, heights: np.ndarray, columns: slice, start: int) -> None:
    draw_logo(axes, heights[:, columns], start + columns.start)
    axes.set(xlim=(start + columns.start, start + columns.stop), ylim=limits(heights))
    axes.axhline(0, color="black", linewidth=0.5)
    axes.tick_params(labelsize=7, bottom=False, labelbottom=False)
    axes.spines[["top", "right", "bottom"]].set_visible(False)


def _draw_cells(axes: Axes, landscape: Landscape, columns: slice, limit: float):
    first, last = landscape.start + columns.start, landscape.start + columns.stop
    image = axes.imshow(
        landscape.effects[:, columns],
        cmap="RdBu_r",
        vmin=-limit,
        vmax=limit,
        aspect="auto",
        interpolation="nearest",
        extent=(first, last, 4, 0),
    )
    codes = landscape.codes[columns]
    known = np.flatnonzero(codes < 4)
    axes.plot(first + known + 0.5, codes[known] + 0.5, ".", color="0.35", markersize=3, markeredgewidth=0)
    axes.set_yticks(np.arange(4) + 0.5, "ACGT", fontsize=7)
    axes.tick_params(axis="y", length=0)
    mark_positions(axes, first, last)
    axes.spines[:].set_linewidth(0.5)
    return image


def _title(figure: Figure, landscape: Landscape, title: str | None, x: float, height: float) -> None:
    end = landscape.start + landscape.effects.shape[1]
    where = title or format_region(landscape.chrom or "sequence", landscape.start, end)
    model = landscape.comments.get("model")
    of = drawn_text(f"{landscape.output} of {model}" if model else landscape.output, 120)
    figure.text(x, 1 - 0.27 / height, drawn_text(where, 120), fontsize=11, weight="bold")
    figure.text(x, 1 - 0.47 / height, f"{of}, {landscape.reference:.4g} without a mutation", fontsize=9)
