"""Designs drawn: the objective by step, the judges' values beside, and the map of edits below.

designs, verdict -> Figure
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from zoo.pictures.canvas import BASELINE, MODEL, blank, drawn_text
from zoo.pictures.logo import COLOURS, mark_positions

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from zoo_design.design import Design
    from zoo_design.judgement.verdict import Opinion, Verdict

MOST_ROWS, MOST_POSITIONS, MOST_JUDGES = 100, 400, 3
"""Designs, positions and judges that are drawn."""

SHADE = "0.88"


def draw_designs(designs: Sequence[Design], verdict: Verdict | None = None, title: str = "") -> Figure:
    """1. The objective after every step, a thin line a design, a thick one for their median.

    2. A panel a judge: each design's start and its sequence as the judge values them; the dashed line is the 95th
       percentile of natural sequences.
    3. The letters that differ from the start, a row a design; protected regions are shaded.

    Of more than 100 designs the first 100 have a row, of longer sequences the 400 bp around the middle of the edits.
    """
    opinions = verdict.opinions[:MOST_JUDGES] if verdict else ()
    rows = list(designs)[:MOST_ROWS]
    height = 1.2 + 0.14 * max(4, len(rows))
    figure = blank(11, 3.6 + height)
    upper, lower = np.ravel(np.asarray(figure.subfigures(2, 1, height_ratios=[3.3, height])))
    panels: list[Axes] = list(
        np.atleast_1d(upper.subplots(1, 1 + len(opinions), width_ratios=[2.2] + [1] * len(opinions)))
    )
    _draw_trajectories(panels[0], designs)
    for axes, opinion in zip(panels[1:], opinions, strict=True):
        _draw_judge(axes, opinion, verdict)
    _draw_edits(lower.subplots(), rows, len(designs))
    lines = [drawn_text(title, 120)] if title else []
    lines += [drawn_text(str(verdict), 150)] if verdict else []
    if lines:
        figure.suptitle("\n".join(lines), fontsize=9)
    return figure


def _draw_trajectories(axes: Axes, designs: Sequence[Design]) -> None:
    curves = [np.asarray(d.trajectory, float) for d in designs if len(d.trajectory)]
    for curve in curves:
        axes.plot(np.arange(len(curve)), curve, color=MODEL, linewidth=0.6, alpha=0.35)
    longest = max(map(len, curves), default=0)
    if longest:
        # A search that has ended keeps its last value.
        held = np.stack([np.pad(c, (0, longest - len(c)), mode="edge") for c in curves])
        axes.plot(
            np.arange(longest), np.nanmedian(held, 0), color=MODEL, linewidth=2, label=f"median, n = {len(curves):,}"
        )
        axes.legend(fontsize=8, frameon=False)
    _label(axes, "step", "objective", "the search's own model")
    axes.xaxis.get_major_locator().set_params(integer=True)


def _draw_judge(axes: Axes, opinion: Opinion, verdict: Verdict | None) -> None:
    """Lines from the start (left) to the design (right)."""
    if verdict is None:
        return
    at = {name: verdict.columns.index(f"{opinion.judge}.{name}") for name in ("start", "value")}
    pairs = np.array([[row[at["start"]], row[at["value"]]] for row in verdict.rows], float)
    pairs = pairs[np.isfinite(pairs).all(1)]
    axes.plot([0, 1], pairs.T, color=BASELINE, linewidth=0.6, alpha=0.4)
    if len(pairs):
        axes.plot([0, 1], np.median(pairs, 0), "o-", color=MODEL, linewidth=2, markersize=4)
    for group, _, _, _, high in opinion.summary:
        if group == "natural":
            axes.axhline(high, color="black", linewidth=1, linestyle="--")
    axes.set_xticks([0, 1], ["start", "design"])
    axes.set_xlim(-0.25, 1.25)
    _label(axes, "", "", f"judge {drawn_text(opinion.judge, 24)}")


def _draw_edits(axes: Axes, rows: Sequence[Design], total: int) -> None:
    """A cell a position and design: coloured where the letter is not that of the start."""
    first, last = _positions(rows)
    letters = sum(_changes(d)[1].size for d in rows) <= 3_000 and last - first <= 220
    for y, design in enumerate(rows):
        for start, end, _ in design.protected:
            left, right = max(start, first), min(end, last)
            if left < right:
                axes.barh(y, right - left, 1, left, color=SHADE, linewidth=0)
        positions, bases = _changes(design)
        for base, colour in COLOURS.items():
            of = positions[bases == base]
            axes.barh(np.full(len(of), y), np.ones(len(of)), 0.9, of, color=colour, alpha=0.35, linewidth=0)
            for x in of[(of >= first) & (of < last)] if letters else ():
                axes.text(x + 0.5, y, base, color=colour, fontsize=5, ha="center", va="center_baseline", weight="bold")
    axes.set_xlim(first, last)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    shown = f"{len(rows):,} of {total:,} designs" if len(rows) < total else "designs"
    mark_positions(axes, first, last)
    _label(axes, "position, bp; protected regions are grey", shown, "edits")
    for place, (base, colour) in enumerate(COLOURS.items()):
        axes.text(0.86 + 0.035 * place, 1.005, base, color=colour, weight="bold", fontsize=9, transform=axes.transAxes)
    if len(rows) <= 40:
        axes.set_yticks(range(len(rows)), [drawn_text(d.name, 20) for d in rows], fontsize=6)


def _changes(design: Design) -> tuple[np.ndarray, np.ndarray]:
    """Positions that differ from the start, and their letters; none where the lengths differ."""
    if len(design.start) != len(design.sequence):
        return np.zeros(0, np.int64), np.zeros(0, "U1")
    start, sequence = (np.array(list(s.upper()), "U1") for s in (design.start, design.sequence))
    positions = np.flatnonzero(start != sequence)
    return positions, sequence[positions]


def _positions(rows: Sequence[Design]) -> tuple[int, int]:
    """What is drawn: the whole sequence, or MOST_POSITIONS around the middle of the edits."""
    length = max((len(d.sequence) for d in rows), default=1)
    if length <= MOST_POSITIONS:
        return 0, max(1, length)
    edited = np.concatenate([_changes(d)[0] for d in rows])
    middle = int(np.median(edited)) if len(edited) else length // 2
    first = min(max(0, middle - MOST_POSITIONS // 2), length - MOST_POSITIONS)
    return first, first + MOST_POSITIONS


def _label(axes: Axes, x: str, y: str, title: str) -> None:
    axes.set_xlabel(x, fontsize=8)
    axes.set_ylabel(y, fontsize=8)
    axes.set_title(title, fontsize=9)
    axes.tick_params(labelsize=7)
    axes.spines[["top", "right"]].set_visible(False)
