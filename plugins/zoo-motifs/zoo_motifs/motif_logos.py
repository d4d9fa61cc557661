"""Logos of motifs: a filter with the known motif that it matches above it, on one x axis.

  A G A T A A G        target, its reverse complement where the match is on the other strand
t A G A T A A c        filter
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from zoo.data.motifs import Motif
from zoo.pictures.canvas import blank, drawn_text
from zoo.pictures.logo import draw_logo

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from zoo_motifs.filter_ranking import RankedFilter, RankedFilters

COLUMN, MARGIN = 0.125, 0.42
SHOWN = 24


def heights(motif: Motif) -> np.ndarray:
    """(4, W) letters of a logo: probability times information in bits (Schneider and Stephens 1990)."""
    p = motif.probabilities(pseudocount=0.0)
    bits = 2 + np.where(p > 0, p * np.log2(np.where(p > 0, p, 1)), 0).sum(0)
    return p * bits


def draw_aligned(query: Motif, target: Motif | None = None, offset: int = 0, reverse: bool = False) -> Figure:
    """The query's logo, and above it the target's so that aligned columns stand above one another.

    offset, reverse: as in `zoo_motifs.tomtom.Matches`.
    """
    left, right = _span(query, target, offset)
    rows = 1 if target is None else 2
    width, height = MARGIN + COLUMN * (right - left) + 0.08, 0.62 * rows
    figure = blank(width, height, layout=None)
    grid = figure.subplots(rows, 1, squeeze=False)[:, 0]
    figure.subplots_adjust(left=MARGIN / width, right=1 - 0.08 / width, top=0.96, bottom=0.06, hspace=0.2)
    _draw_pair(list(grid), query, target, offset, reverse, (left, right))
    return figure


def draw_filters(ranking: RankedFilters, shown: int = SHOWN) -> Figure:
    """The first filters, two columns: name, importance and match above each pair of logos."""
    filters = ranking.filters[:shown]
    matched = any(one.target is not None for one in filters)
    across, each = 2, 1.95 if matched else 1.05
    down = max(1, -(-len(filters) // across))
    figure = blank(9.2, each * down + 0.1, layout=None)
    if not filters:
        figure.text(0.5, 0.5, "no filter is active", ha="center", va="center", fontsize=9)
        return figure
    spans = [_span(one.motif, *ranking.alignment(one)[:2]) for one in filters]
    widest = max(right - left for left, right in spans)
    tall = figure.get_figheight()
    for i, one in enumerate(filters):
        row, column = divmod(i, across)
        x, top = 0.06 + 0.48 * column, 1 - (each * row + (0.45 if matched else 0.3)) / tall
        title = "\n".join(drawn_text(line, 64) for line in _title(ranking, one))
        figure.text(x, top + 0.05 / tall, title, fontsize=7.5, va="bottom", linespacing=1.3)
        target, offset, reverse = ranking.alignment(one)
        left, right = spans[i]
        logos = 1 if target is None else 2
        wide, high = 0.42 * (right - left) / widest, 0.6 / tall
        axes = [figure.add_axes((x, top - high * (k + 1) - 0.1 * k / tall, wide, high)) for k in range(logos)]
        _draw_pair(axes, one.motif, target, offset, reverse, (left, right))
    return figure


def _title(ranking: RankedFilters, one: RankedFilter) -> list[str]:
    """What is below, and what is above."""
    matters = "" if one.importance is None else f", importance {one.importance.change:.3g}"
    lines = [f"{one.filter.name}{matters}, {one.filter.n_sites:,} sites"]
    if one.target is not None and ranking.matches is not None:
        q = ranking.matches.q[one.query, one.target]
        lines.append(f"above it {ranking.name_match(one, strand=True, mark=True)}, q = {q:.1g}")
    return lines


def _span(query: Motif, target: Motif | None, offset: int) -> tuple[int, int]:
    """First and last + 1 x of both, the query beginning at 0."""
    if target is None:
        return 0, len(query)
    return min(0, -offset), max(len(query), len(target) - offset)


def _draw_pair(
    axes: list[Axes], query: Motif, target: Motif | None, offset: int, reverse: bool, span: tuple[int, int]
) -> None:
    """Target, if there is one, then query."""
    drawn = [(query, 0)]
    if target is not None:
        drawn.insert(0, (target.reverse_complement() if reverse else target, -offset))
    for one, (motif, start) in zip(axes, drawn, strict=True):
        draw_logo(one, heights(motif), start)
        one.set(xlim=span, ylim=(0, 2), xticks=[], yticks=[0, 2])
        one.tick_params(labelsize=6, length=2, pad=1)
        one.spines[["top", "right", "bottom"]].set_visible(False)
        one.axhline(0, color="0.6", linewidth=0.5)
    axes[-1].set_ylabel("bits", fontsize=6, labelpad=1)
