"""Contact maps drawn: a square, and triangles above the contig's axis.

    square            upper right half observed, lower left half predicted (or both predicted)
    triangles         /\\  observed, pointing up        reference  /\\
                      \\/  predicted, pointing down     edited     /\\
                                                       difference /\\

Log(O/E) is white at 0, red above and blue below it; grey is unknown.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from zoo.pictures.canvas import blank, drawn_text
from zoo_hic.effects.disruption import MapChange
from zoo_hic.effects.edits import WindowEdit

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS, UNKNOWN = "RdBu_r", "0.82"
LABEL = "log(observed / expected)"
MOST_DRAWN = 1_000
"""Bins of a picture; of more, neighbours are averaged."""


def draw_region(
    square: np.ndarray,
    contig: str,
    start: int,
    bin_size: int,
    *,
    observed: np.ndarray | None = None,
    title: str = "",
    subtitle: str = "",
) -> Figure:
    """A predicted map (T, T), and the observed one of the same bins, where there is one.

    start: bp of the first bin.  title, subtitle: above it.
    One scale holds for all of the picture: the 99th percentile of the absolute values.
    """
    square, width = _coarse(square, bin_size)
    both, limit, heights = square, _limit(square), [6.0, 3.0]
    if observed is not None:
        observed, _ = _coarse(observed, bin_size)
        both = np.where(np.triu(np.ones(square.shape, bool)), observed, square)
        limit, heights = _limit(square, observed), [6.0, 3.0, 3.0]
    figure = blank(7.6, sum(heights) + 1.1)
    axes = figure.subplots(len(heights), 1, sharex=True, gridspec_kw={"height_ratios": heights})
    extent = (start, start + len(square) * width)
    scale, unit = _unit(extent)
    box = (extent[0] / scale, extent[1] / scale)
    axes[0].imshow(_paint(both, limit), extent=(*box, box[1], box[0]), interpolation="nearest", aspect="auto")
    axes[0].set(ylabel=f"{drawn_text(contig)} ({unit})", box_aspect=1)
    depth = _depth(square)  # of both triangles: what is not predicted is in the square alone
    if observed is not None:
        _corner(axes[0], "observed", "top")
        _corner(axes[0], "predicted", "bottom")
        _triangle(axes[1], observed, extent, limit, "observed", depth=depth)
    _triangle(axes[-1], square, extent, limit, "predicted", depth=depth, down=observed is not None)
    axes[-1].set_xlabel(f"{drawn_text(contig)} ({unit})")
    _head(axes[0], title, subtitle, 90, width, bin_size)
    _bar(figure, list(axes), limit, LABEL)
    return figure


def draw_edits(compared: MapChange, channel: str, *, title: str = "", subtitle: str = "") -> Figure:
    """Reference, edited and difference as triangles over one axis.

    The edited map lies at its own coordinates, from the same left end; the difference at the reference's.  Dotted lines
    are the ends of the edits, in each map where they lie.
    """
    maps = [compared.reference[channel], compared.edited[channel], compared.difference[channel]]
    names = ["reference", "edited, by its own coordinates", "edited - reference, pair by pair of the same sequence"]
    (reference, width), (edited, _), (difference, _) = (_coarse(m, compared.bin_size) for m in maps)
    figure = blank(9.0, 9.4)
    axes = figure.subplots(3, 1, sharex=True)
    extent = (compared.start, compared.start + len(reference) * width)
    scale, unit = _unit(extent)
    limit, change = _limit(reference, edited), _limit(difference)
    depth = max(map(_depth, (reference, edited, difference)))
    for row, (square, most) in enumerate(((reference, limit), (edited, limit), (difference, change))):
        _triangle(axes[row], square, extent, most, names[row], depth=depth)
        for at in _ends(compared.edits, moved=row == 1):
            axes[row].axvline(at / scale, color="black", linewidth=0.8, linestyle=":")
    axes[2].set_xlabel(f"{drawn_text(compared.contig)} ({unit})")
    _head(axes[0], title, subtitle, 110, width, compared.bin_size)
    _bar(figure, list(axes[:2]), limit, LABEL)
    _bar(figure, [axes[2]], change, "difference of\n" + LABEL)
    return figure


def _paint(values: np.ndarray, limit: float, outside: np.ndarray | None = None) -> np.ndarray:
    """RGBA (..., 4): NaN grey, and nothing at all where `outside`."""
    import matplotlib

    colours = matplotlib.colormaps[COLOURS].with_extremes(bad=UNKNOWN)
    painted = colours(np.ma.masked_invalid(np.clip(values / (2 * limit) + 0.5, 0, 1)))
    if outside is not None:
        painted[outside] = 0
    return painted


def _triangle(axes: Axes, square, extent, limit: float, name: str, *, depth: int, down: bool = False) -> None:
    """Pairs by their middle along the contig and their distance: cells of one bin's width, half a bin apart."""
    bins = len(square)
    turned = np.full((depth, 2 * bins), np.nan)
    outside = np.ones(turned.shape, bool)
    for d in range(depth):
        value = np.diagonal(square, d)
        at = d + 2 * np.arange(len(value))
        for half in (0, 1):
            turned[d, at + half] = value
            outside[d, at + half] = False
    scale, unit = _unit(extent)
    high = depth * (extent[1] - extent[0]) / bins / scale
    box = (extent[0] / scale, extent[1] / scale, 0, high)
    axes.imshow(_paint(turned, limit, outside), extent=box, origin="lower", interpolation="nearest", aspect="auto")
    axes.set(ylim=(high, 0) if down else (0, high), ylabel=f"distance ({unit})")
    axes.spines[["right", "bottom" if down else "top"]].set_visible(False)
    axes.set_facecolor("none")
    _corner(axes, name, "bottom" if down else "top", left=True)


def _ends(edits: Sequence[WindowEdit], moved: bool) -> list[int]:
    """bp of both ends of each edit; `moved`: in the edited sequence."""
    ends, gained = [], 0
    for edit in sorted(edits, key=lambda e: e.start):
        shift = gained if moved else 0
        ends += [edit.start + shift, edit.end + shift + (edit.length_change if moved else 0)]
        gained += edit.length_change
    return ends


def _corner(axes: Axes, text: str, where: str, left: bool = False) -> None:
    y, x = (0.97 if where == "top" else 0.03), (0.01 if left or where == "bottom" else 0.985)
    side = "left" if x < 0.5 else "right"
    box = {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 2}
    axes.text(x, y, text, transform=axes.transAxes, ha=side, va=where, fontsize=9, bbox=box)


def _bar(figure: Figure, axes: list[Axes], limit: float, label: str) -> None:
    import matplotlib
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    values = ScalarMappable(Normalize(-limit, limit), matplotlib.colormaps[COLOURS])
    shrink = 0.6 if len(axes) > 1 else 0.9
    figure.colorbar(values, ax=axes, label=label, extend="both", shrink=shrink, aspect=30 * shrink, pad=0.02)


def _limit(*squares: np.ndarray) -> float:
    values = np.abs(np.concatenate([s[np.isfinite(s)] for s in squares]))
    high = float(np.percentile(values, 99)) if len(values) else 0.0
    return high if high > 0 else 1.0


def _depth(square: np.ndarray) -> int:
    """Diagonals down to the last with a known pair."""
    row, column = np.nonzero(np.triu(np.isfinite(square)))
    return int((column - row).max()) + 1 if len(row) else len(square)


def _coarse(square: np.ndarray, bin_size: int) -> tuple[np.ndarray, int]:
    """Means of neighbouring bins where there are too many to draw; and the bp of a bin."""
    factor = -(-len(square) // MOST_DRAWN)
    if factor == 1:
        return square, bin_size
    bins = -(-len(square) // factor)
    padded = np.full((bins * factor, bins * factor), np.nan)
    padded[: len(square), : len(square)] = square
    blocks = padded.reshape(bins, factor, bins, factor)
    known = np.isfinite(blocks).sum((1, 3))
    total = np.where(np.isfinite(blocks), blocks, 0).sum((1, 3))
    return np.divide(total, known, out=np.full(total.shape, np.nan), where=known > 0), bin_size * factor


def _head(axes: Axes, title: str, subtitle: str, letters: int, width: int, bin_size: int) -> None:
    lines = [drawn_text(title, letters), *([drawn_text(subtitle, letters + 20)] if subtitle else [])]
    if width != bin_size:
        lines.append(f"bins of {bin_size:,} bp are averaged to {width:,} bp")
    axes.set_title("\n".join(lines), fontsize=10)


def _unit(extent: tuple[int, int]) -> tuple[float, str]:
    return (1e6, "Mb") if extent[1] - extent[0] >= 2_000_000 else (1e3, "kb")
