"""A spacing experiment drawn: synergy over the gap, one panel for each arrangement of the two motifs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zoo.pictures.canvas import blank, drawn_text
from zoo_motifs.spacing.result import ARRANGEMENTS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from zoo_motifs.spacing.result import Spacing

PANELS = ("upstream, same", "downstream, same", "upstream, opposite", "downstream, opposite")
STYLES = {"+": ("#0072b2", "-"), "-": ("#d55e00", (0, (3, 1.5)))}
"""Colour and line by the strand on which the first motif is written."""


def draw_spacing(spacing: Spacing) -> Figure:
    """Four panels on one scale: upstream left and downstream right, the same strand above and the opposite below.

    In each a line for either strand on which the first motif may be written, mean and 95 % interval over backgrounds:
    a model that treats both strands alike draws them on top of one another.  The motifs of a panel's title point in
    the direction of their strands, the first always to the right.  A circle marks the largest absolute synergy.
    """
    figure = blank(8.6, 5.9, layout=None)
    grid = figure.subplots(2, 2, sharex=True, sharey=True)
    figure.subplots_adjust(left=0.09, right=0.98, bottom=0.1, top=0.82, hspace=0.28, wspace=0.06)
    mean, low, high = spacing.intervals()
    peak, gap = spacing.peak()
    for axes, name in zip(grid.flat, PANELS, strict=True):
        for row, arrangement in enumerate(ARRANGEMENTS):
            if arrangement.name != name:
                continue
            colour, dashes = STYLES[arrangement.first]
            label = f"{drawn_text(spacing.first)} on the {arrangement.first} strand"
            if spacing.n > 1:
                axes.fill_between(spacing.gaps, low[row], high[row], color=colour, alpha=0.18, linewidth=0)
            axes.plot(spacing.gaps, mean[row], color=colour, linestyle=dashes, linewidth=1.5, label=label)
            if arrangement == peak:
                _mark(axes, gap, mean[row][spacing.gaps == gap][0])
        _dress(axes, spacing, name)
    for axes in grid[1]:
        axes.set_xlabel("gap between the motifs, bp", fontsize=9)
    for axes in grid[:, 0]:
        axes.set_ylabel("synergy", fontsize=9)
    lines = sorted(grid[0, 0].get_lines()[:2], key=lambda line: line.get_linestyle() != "-")
    figure.legend(handles=lines, loc="upper right", bbox_to_anchor=(0.985, 0.985), fontsize=8, frameon=False)
    model = spacing.comments.get("model")
    of = drawn_text(f"{spacing.output} of {model}" if model else spacing.output)
    title = f"{drawn_text(spacing.first)} and {drawn_text(spacing.second)}: beyond the sum of the two"
    figure.text(0.09, 0.945, title, fontsize=11, weight="bold")
    figure.text(0.09, 0.905, f"{of}, mean of {spacing.n} backgrounds with its 95 % interval", fontsize=9)
    return figure


def _mark(axes: Axes, gap: int, value: float) -> None:
    """A circle, its gap above it, or below where the synergy is negative."""
    axes.plot(gap, value, "o", markersize=7, markerfacecolor="none", markeredgecolor="black")
    place = {"xytext": (0, 10 if value > 0 else -10), "textcoords": "offset points", "ha": "center", "va": "center"}
    axes.annotate(f"{gap} bp", (gap, value), fontsize=8, annotation_clip=False, **place)


def _dress(axes: Axes, spacing: Spacing, name: str) -> None:
    """The title, the line of no synergy, and less ink."""
    names = drawn_text(spacing.first, 16), drawn_text(spacing.second, 16)
    first, second = f"{names[0]}▶", f"{names[1]}▶" if "same" in name else f"◀{names[1]}"
    order = (first, second) if "downstream" in name else (second, first)
    side, strand = name.split(", ")
    axes.set_title(f"{'  '.join(order)}    {names[1]} {side}, {strand} strand", fontsize=9, loc="left", color="0.15")
    axes.axhline(0, color="0.6", linewidth=0.7, zorder=0)
    axes.tick_params(labelsize=8)
    axes.spines[["top", "right"]].set_visible(False)
    axes.margins(x=0.01, y=0.12)
