"""Attributions drawn: of each window, letters as high as what each base contributes.

chr20:1,001-1,200   CTCF:raw of ctcf-motif-cnn, 3.1
  .  . T G G C C A C C A G . .              up to 520 bp: letters alone, in rows of at most 130 bp
  ____|_|||__________||____                 longer: the whole as bars,
      1         2                           and letters of the windows that contribute most
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from zoo.data.region import format_region
from zoo.pictures.canvas import blank, drawn_text
from zoo.pictures.logo import COLOURS, ROW, draw_logo, limits, mark_positions, position_label

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from zoo.attribution.result import Attributed

LIMIT = 12
"""Most windows in one picture."""

ALL_LETTERS = 4 * ROW
ZOOMS, CORE = 3, 30

# Inches.
LEFT, RIGHT, TOP = 0.95, 0.3, 0.62
LETTERS, TRACK, NEXT_ROW, NEXT_WINDOW, NOTE = 0.95, 0.8, 0.38, 0.18, 0.35


@dataclass(frozen=True)
class _Panel:
    """Columns [first, last) of a window in one row; label of a zoom, "" for a row of all; bars in place of letters."""

    first: int
    last: int
    label: str = ""
    bars: bool = False

    @property
    def height(self) -> float:
        return TRACK if self.bars else LETTERS


def draw_attribution(attributed: Attributed, *, shown: tuple[int, int] | None = None, limit: int = LIMIT) -> Figure:
    """One block a window: the region, the output and its prediction, then letters.

    shown: columns of the windows to draw, 0-based half-open; all where it is not given.
    limit: most windows; of more, those with the largest predictions are drawn, and the picture says so.

    All rows of a window share one scale of heights.  Positions count from 1.
    """
    first, last = shown or (0, attributed.codes.shape[1])
    rows = chosen(attributed, limit)
    heights = [attributed.select([i]).actual()[0, :, first:last] for i in rows]
    panels = [_panels(h) for h in heights]
    longest = max(p.last - p.first for window in panels for p in window if not p.bars)
    inch = min(0.3, max(0.1, 4 / longest))
    note = NOTE if len(rows) < len(attributed) else 0.0
    tall = note + sum(TOP + sum(p.height + NEXT_ROW for p in window) + NEXT_WINDOW for window in panels)
    size = max(6.0, LEFT + longest * inch + RIGHT), tall
    # A picture has at most 65,535 pixels a side.
    figure = blank(*size, dpi=min(130, 60_000 / tall), layout=None)
    top = 0.0
    if note:
        note_text = f"{len(rows)} of {len(attributed):,} windows: those with the largest predictions"
        figure.text(LEFT / size[0], 1 - 0.25 / tall, note_text, fontsize=9, style="italic")
        top = note
    for row, height, window in zip(rows, heights, panels, strict=True):
        _title(figure, attributed, row, (first, last), LEFT / size[0], top, tall)
        top += TOP
        start = first + (0 if attributed.start is None else int(attributed.start[row]))
        scale = limits(height)
        for panel in window:
            wide = size[0] - LEFT - RIGHT if panel.bars else (panel.last - panel.first) * inch
            box = LEFT / size[0], 1 - (top + panel.height) / tall, wide / size[0], panel.height / tall
            axes = figure.add_axes(box)
            _draw(axes, height, panel, start, scale)
            if panel.bars:
                _mark(axes, [p for p in window if p.label], start)
            top += panel.height + NEXT_ROW
        axes.set_xlabel(position_label(None if attributed.chrom is None else attributed.chrom[row]), fontsize=8)
        top += NEXT_WINDOW
    return figure


def chosen(attributed: Attributed, limit: int = LIMIT) -> list[int]:
    """The sequences that a picture of `limit` windows shows: all in their order, or those predicted highest."""
    if len(attributed) <= limit:
        return list(range(len(attributed)))
    return np.argsort(-attributed.predictions, kind="stable")[:limit].tolist()


def _panels(heights: np.ndarray) -> list[_Panel]:
    """heights (4, W) -> rows of the picture."""
    width = heights.shape[1]
    if width <= ALL_LETTERS:
        rows = -(-width // ROW)
        each = -(-width // rows)
        return [_Panel(i, min(i + each, width)) for i in range(0, width, each)]
    zooms = sorted(_best(np.abs(heights).sum(0)))
    return [_Panel(0, width, bars=True), *(_Panel(i, i + ROW, str(n)) for n, i in enumerate(zooms, 1))]


def _best(weight: np.ndarray) -> list[int]:
    """Starts of rows around the CORE bp of weight (W,) that hold most, then most of what no row shows yet."""
    sums = np.convolve(weight, np.ones(CORE), "valid")
    starts: list[int] = []
    while len(starts) < ZOOMS and sums.max() > 0:
        core = int(sums.argmax())
        start = min(max(core + CORE // 2 - ROW // 2, 0), len(weight) - ROW)
        starts.append(start)
        sums[max(start - CORE + 1, 0) : start + ROW] = 0
    return starts or [0]


def _draw(axes: Axes, heights: np.ndarray, panel: _Panel, start: int, scale: tuple[float, float]) -> None:
    columns = slice(panel.first, panel.last)
    left, right = start + panel.first, start + panel.last
    if panel.bars:
        _draw_bars(axes, heights[:, columns], left)
    else:
        draw_logo(axes, heights[:, columns], left)
    axes.set(xlim=(left, right), ylim=scale)
    axes.axhline(0, color="black", linewidth=0.5)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=7)
    axes.set_ylabel("contribution", fontsize=8)
    if panel.label:
        axes.text(0.004, 0.98, panel.label, transform=axes.transAxes, fontsize=8, weight="bold", va="top")
    mark_positions(axes, left, right)


def _draw_bars(axes: Axes, heights: np.ndarray, left: int) -> None:
    """A bar a base in the colour of its letter."""
    from matplotlib.collections import PolyCollection

    for letter, colour in zip(heights, COLOURS.values(), strict=True):
        columns = np.flatnonzero(letter)
        x = left + columns[:, None] + np.array([0, 0, 1, 1])
        y = letter[columns, None] * np.array([0, 1, 1, 0])
        axes.add_collection(PolyCollection(np.stack([x, y], 2), facecolors=colour, linewidths=0), autolim=False)


def _mark(axes: Axes, zooms: list[_Panel], start: int) -> None:
    """Where the letters below are from."""
    for zoom in zooms:
        axes.axvspan(start + zoom.first, start + zoom.last, color="0.9", zorder=0, linewidth=0)
        axes.text(start + zoom.first, 1, zoom.label, transform=axes.get_xaxis_transform(), fontsize=8, weight="bold")


def _title(
    figure: Figure, attributed: Attributed, row: int, shown: tuple[int, int], x: float, top: float, tall: float
) -> None:
    name = str(attributed.names[row])
    if attributed.chrom is not None and attributed.start is not None:
        start = int(attributed.start[row])
        where = format_region(attributed.chrom[row], start + shown[0], start + shown[1])
        name = where if name == where else f"{where}, {name}"
    model = attributed.comments.get("model")
    of = f"{attributed.output} of {model}" if model else attributed.output
    value = attributed.predictions[row]
    by = f", by {attributed.interpreter.get('name', '')}"
    predicted = f" predicted {value:.4g}" if np.isfinite(value) else ""
    figure.text(x, 1 - (top + 0.27) / tall, drawn_text(name, 120), fontsize=11, weight="bold")
    figure.text(x, 1 - (top + 0.47) / tall, drawn_text(f"{of}{predicted}{by}", 120), fontsize=9)
