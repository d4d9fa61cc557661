"""Shares of variance, and the insulation of parts, drawn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from zoo.pictures.canvas import BASELINE, MODEL, blank, drawn_text
from zoo_constructs.context.insulation import Insulation
from zoo_constructs.context.uncertainty import NAMES, Shares

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST = 40
"""Parts that are drawn: the best and the worst insulated."""


def draw_context(shares: Shares, parts: Sequence[Insulation], title: str = "") -> Figure:
    """Left the shares of variance, right insulation by part; lines are 95 % intervals."""
    known = [row for row in parts if row.status == "ok"]
    if len(known) > MOST:
        known = [*known[: MOST // 2], *known[-MOST // 2 :]]
    figure = blank(10, 2.4 + 0.16 * max(8, len(known)))
    left, right = figure.subplots(1, 2, width_ratios=[1, 1.6])
    names = [name for name in NAMES if np.isfinite(shares.value[name])]
    for y, name in enumerate(names):
        left.barh(y, shares.value[name], color=MODEL if name != "noise" else BASELINE, height=0.6)
        left.plot([shares.low[name], shares.high[name]], [y, y], color="black", linewidth=1)
    left.set_yticks(range(len(names)), [_label(name, names) for name in names], fontsize=8)
    left.invert_yaxis()
    left.set_xlabel(f"share of variance, n = {shares.n:,}", fontsize=9)
    for y, row in enumerate(known):
        right.plot([row.low, row.high], [y, y], color=BASELINE, linewidth=1)
        right.plot(row.score, y, "o", color=MODEL, markersize=4)
    right.set_yticks(range(len(known)), [drawn_text(row.part, 24) for row in known], fontsize=6)
    right.invert_yaxis()
    right.axvline(0, color="black", linewidth=0.6, linestyle="--")
    right.set_xlabel("insulation (1: no context moves the part)", fontsize=9)
    if title:
        figure.suptitle(drawn_text(title, 100), fontsize=9)
    return figure


def _label(name: str, names: Sequence[str]) -> str:
    return "interaction\nand noise" if name == "interaction" and "noise" not in names else name
