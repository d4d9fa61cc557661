"""A whole genome on one line: a dot a bin, the segments, what was called."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from zoo.pictures.canvas import blank, drawn_text
from zoo_copy_number.bins import Bins

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from zoo_copy_number.caller import CalledSample

DELETION, DUPLICATION, NEUTRAL, NOTHING = "#c1272d", "#0b5cad", "#222222", "#b0b0b0"
MAX_DOTS = 60_000
LOW, HIGH = -3.0, 2.5


def draw_genome(bins: Bins, called: CalledSample) -> Figure:
    """Corrected log2 depth by position, chromosomes side by side, coloured by the call; segments as lines.

    More than 60,000 bins are drawn as an evenly spaced part; segments and calls are of all of them.  What lies beyond
    -3 or 2.5 is drawn at that edge.
    """
    figure = blank(14, 4.2)
    axes = figure.add_subplot()
    lengths = np.zeros(len(bins.contigs))
    np.maximum.at(lengths, bins.contig, bins.end)
    shown = lengths > 0
    offset = np.concatenate([[0], np.cumsum(lengths)[:-1]])
    middle = (bins.start + bins.end) / 2 + offset[bins.contig]
    known = np.flatnonzero(called.predicted.known)
    step = max(1, len(known) // MAX_DOTS)
    at = known[::step]
    way = np.sign(called.states[at].astype(int) - called.neutral[at])
    values = np.clip(called.predicted.corrected[at], LOW, HIGH)
    for sign, colour in ((0, NEUTRAL), (-1, DELETION), (1, DUPLICATION)):
        part = way == sign
        alpha = 0.25 if sign == 0 else 0.6
        dots = {"color": colour, "alpha": alpha, "markersize": 2, "markeredgewidth": 0, "rasterized": True}
        axes.plot(middle[at][part], values[part], ".", **dots)
    places = {name: i for i, name in enumerate(bins.contigs)}
    for call in called.calls:
        if not np.isfinite(call.log2):
            continue
        x = offset[places[call.contig]]
        colour = {"DEL": DELETION, "DUP": DUPLICATION, "NO-CALL": NOTHING}.get(call.state, NEUTRAL)
        level = float(np.clip(call.log2, LOW, HIGH))
        axes.plot([x + call.start, x + call.end], [level, level], color=colour, linewidth=2.5, solid_capstyle="butt")
    for i in np.flatnonzero(shown):
        axes.axvline(offset[i], color="0.85", linewidth=0.6, zorder=0)
    named = [i for i in np.flatnonzero(shown) if lengths[i] > 0.004 * lengths.sum()]
    names = [drawn_text(str(bins.contigs[i]).removeprefix("chr"), 12) for i in named]
    axes.set_xticks([offset[i] + lengths[i] / 2 for i in named], names, fontsize=8)
    axes.tick_params(axis="x", length=0)
    axes.set(xlim=(0, lengths.sum()), ylim=(LOW - 0.1, HIGH + 0.1), ylabel="corrected log2 depth")
    axes.axhline(0, color="0.6", linewidth=0.6, zorder=0)
    axes.spines[["top", "right"]].set_visible(False)
    words = {"DEL": "deletions (red)", "DUP": "duplications (blue)", "NO-CALL": "not called (grey)"}
    counts = ", ".join(f"{len(called.calls.of(s)):,} {word}" for s, word in words.items())
    title = f"{drawn_text(bins.sample)}: {counts}; noise {called.noise:.2f}, {called.sex or 'sex unknown'}"
    axes.set_title(title, fontsize=10)
    return figure
