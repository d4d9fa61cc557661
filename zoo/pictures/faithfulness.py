"""Faithfulness drawn: attribution scores against the effects of all substitutions, and by sequence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from zoo.attribution.validation import FAITHFUL
from zoo.pictures.canvas import BASELINE, MODEL, blank, drawn_text

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from zoo.attribution.validation import Validation


def draw_faithfulness(validation: Validation) -> Figure:
    """Left: every number compared, darker where there are more.  Right: each sequence's correlation.

    The dashed line on the right is the mean that is called faithful, the dotted one the largest of the shuffles.
    """
    figure = blank(9.5, 3.8)
    left, right = figure.subplots(1, 2)
    if len(validation.scores) and np.ptp(validation.scores) and np.ptp(validation.effects):
        left.hexbin(
            validation.effects, validation.scores, gridsize=60, bins="log", cmap="Blues", mincnt=1, linewidths=0.1
        )
    left.axhline(0, color="0.6", linewidth=0.6)
    left.axvline(0, color="0.6", linewidth=0.6)
    what = "effect of the substitution" if validation.form != "bases" else "minus the mean effect of replacing the base"
    left.set_xlabel(f"{what}, measured")
    left.set_ylabel(f"by {drawn_text(validation.interpreter.split(' ')[0])}")
    left.set_title(f"{len(validation.scores):,} {validation.form}", fontsize=10)
    values = validation.each["pearson"]
    values = values[np.isfinite(values)]
    right.hist(values, bins=np.linspace(-1, 1, 41), color=MODEL)
    row = validation.row("pearson")
    right.axvline(FAITHFUL, color="black", linestyle="--", linewidth=1, label=f"faithful from {FAITHFUL}")
    if row["null_high"] is not None:
        right.axvline(
            row["null_high"], color=BASELINE, linestyle=":", linewidth=1.5, label="mean of shuffled scores, at most"
        )
    right.set_xlabel("Pearson r of a sequence")
    right.set_ylabel("sequences")
    right.set_title(f"{len(values):,} sequences", fontsize=10)
    right.legend(frameon=False, fontsize=8, loc="upper left")
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
    return figure
