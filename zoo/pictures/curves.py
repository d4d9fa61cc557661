"""Curves of predictions and of training: ROC, precision and recall, reliability, predicted against observed, losses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from zoo.pictures.canvas import BASELINE, MODEL, blank, drawn_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from zoo.evaluation.reliability import ReliabilityCurve

SIDE = 4.3
MOST_DOTS = 2_000
TRAINED, JUDGED = "#e07b00", MODEL


def draw_roc(truth: np.ndarray, score: np.ndarray) -> Figure:
    """truth (n,) 0 or 1, score (n,): true against false positive rate at every threshold; the diagonal is chance."""
    from sklearn.metrics import roc_curve

    false, true, _ = roc_curve(truth, score)
    figure, axes = _unit_square("false positive rate", "true positive rate")
    axes.plot([0, 1], [0, 1], ":", color="0.45", linewidth=1)
    axes.plot(false, true, color=MODEL, linewidth=1.8)
    return figure


def draw_precision_recall(truth: np.ndarray, score: np.ndarray) -> Figure:
    """truth (n,) 0 or 1, score (n,): steps, as average precision sums them; the dotted line is the prevalence."""
    from sklearn.metrics import precision_recall_curve

    precision, recall, _ = precision_recall_curve(truth, score)
    figure, axes = _unit_square("recall", "precision")
    axes.axhline(float(np.mean(truth)), linestyle=":", color="0.45", linewidth=1)
    axes.step(recall[::-1], precision[::-1], where="pre", color=MODEL, linewidth=1.8)
    return figure


def draw_reliability(curve: ReliabilityCurve, before: ReliabilityCurve | None = None) -> Figure:
    """Share of positives (y) against mean predicted probability (x) by bin, with intervals; the diagonal is calibrated.

    before: drawn in grey behind it.
    """
    figure, axes = _unit_square("mean predicted probability", "share of positives")
    axes.plot([0, 1], [0, 1], ":", color="0.45", linewidth=1)
    for one, colour, name in ((before, BASELINE, "as trained"), (curve, MODEL, "calibrated" if before else "model")):
        if one is not None:
            ends = np.abs(np.stack([one.observed - one.low, one.high - one.observed]))
            style = {"color": colour, "linewidth": 1.4, "markersize": 4, "elinewidth": 1, "capsize": 2}
            axes.errorbar(one.predicted, one.observed, ends, fmt="-o", label=name, **style)
    if before is not None:
        axes.legend(fontsize=8, frameon=False)
    return figure


def draw_observed(
    truth: np.ndarray, prediction: np.ndarray, *, count: bool = False, unit: str = "", seed: int = 0
) -> Figure:
    """Predicted (y) against observed (x), one dot an example; beyond 2,000 a random part of them.

    count: both axes as log(1 + x).
    """
    if len(truth) > MOST_DOTS:
        chosen = np.random.default_rng(seed).choice(len(truth), MOST_DOTS, replace=False)
        truth, prediction = truth[chosen], prediction[chosen]
    if count:
        truth, prediction = (np.log1p(np.clip(x.astype(float), 0, None)) for x in (truth, prediction))
    name = "log(1 + {})" if count else "{}"
    tail = f", {drawn_text(unit, 30)}" if unit else ""
    figure, axes = _axes(name.format("observed") + tail, name.format("predicted") + tail)
    ends = [min(truth.min(), prediction.min()), max(truth.max(), prediction.max())]
    axes.plot(ends, ends, ":", color="0.45", linewidth=1)
    axes.plot(truth, prediction, ".", color=MODEL, markersize=4, alpha=0.4, markeredgewidth=0)
    return figure


def draw_agreement(scores: np.ndarray, effects: np.ndarray) -> Figure:
    """Attribution scores (x) against effects of substitutions (y), as counts on a logarithmic scale of greys."""
    figure, axes = _axes("attribution, as the effect of a substitution", "measured effect of the substitution")
    axes.axhline(0, color="0.85", linewidth=0.8)
    axes.axvline(0, color="0.85", linewidth=0.8)
    axes.hexbin(scores, effects, gridsize=60, bins="log", mincnt=1, cmap="Blues", linewidths=0.1, vmin=0.3)
    return figure


def draw_losses(
    curves: Sequence[tuple[str, np.ndarray, np.ndarray]], *, best: float | None = None, unit: str = "epoch"
) -> Figure:
    """Losses over epochs: (name, x (m,), loss (m,)) a curve, the first orange, the second blue.

    best: x of the epoch whose weights were kept.
    """
    figure, axes = _axes(unit, "loss", SIDE * 1.25, SIDE * 0.8)
    for (name, x, loss), colour in zip(curves, (TRAINED, JUDGED, BASELINE), strict=False):
        marker = "o" if len(x) <= 60 else ""
        axes.plot(x, loss, marker=marker, markersize=3.5, color=colour, linewidth=1.6, label=drawn_text(name))
    if best is not None:
        axes.axvline(best, linestyle=":", color="0.45", linewidth=1, label="weights kept")
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.legend(fontsize=8, frameon=False)
    return figure


def _unit_square(x: str, y: str) -> tuple[Figure, Axes]:
    figure, axes = _axes(x, y)
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), aspect="equal")
    return figure, axes


def _axes(x: str, y: str, width: float = SIDE, height: float = SIDE) -> tuple[Figure, Axes]:
    figure = blank(width, height)
    axes = figure.add_subplot()
    axes.set_xlabel(x, fontsize=8)
    axes.set_ylabel(y, fontsize=8)
    axes.tick_params(labelsize=7)
    axes.grid(color="0.92", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes
