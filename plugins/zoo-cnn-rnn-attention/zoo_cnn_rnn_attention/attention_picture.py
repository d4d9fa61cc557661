"""Attention drawn: a square of who looks at whom, and below it how much every position is looked at.

AttentionWeights -> Figure
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from zoo.pictures.canvas import BASELINE, MODEL, blank, drawn_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from zoo_cnn_rnn_attention.attention_weights import AttentionWeights


def draw_attention(weights: AttentionWeights, row: int | None = None, title: str = "") -> Figure:
    """Weights relative to even ones: 1 is what every position would have if all had the same.

    row: an example, counted from 0; None for the mean over all of them.
    The square is the mean over the heads.  Below it a thin line is a head, the thick one their mean: what the other
    positions give to a position, and in grey what the pooling gives to it.
    """
    between, pooled = (x.mean(0) if row is None else x[row] for x in (weights.between, weights.pooled))
    square = bool(len(between))
    figure = blank(6.4, 6.6 if square else 2.2)
    if square:
        top, bottom = figure.subplots(2, 1, height_ratios=[3, 1])
        _draw_square(top, weights, between.mean(0))
    else:
        bottom = figure.subplots()
    _draw_received(bottom, weights, between.mean(1), pooled)
    words = title or (f"mean of {len(weights.pooled):,} sequences" if row is None else f"sequence {row + 1:,}")
    figure.axes[0].set_title(drawn_text(words, 100), fontsize=10)
    return figure


def _draw_square(axes: Axes, weights: AttentionWeights, mean: np.ndarray) -> None:
    """mean: (T, T)."""
    end = len(weights.places) * weights.bin_size
    picture = axes.imshow(mean * len(mean), extent=(0, end, end, 0), cmap="viridis", vmin=0, interpolation="nearest")
    axes.figure.colorbar(picture, ax=axes, label="weight / even")
    axes.set_ylabel("position that looks, bp")
    axes.set_xlabel("position that is looked at, bp")


def _draw_received(axes: Axes, weights: AttentionWeights, between: np.ndarray, pooled: np.ndarray) -> None:
    """between, pooled: (heads, T)."""
    for heads, color in ((between, MODEL), (pooled, BASELINE)):
        for head in heads:
            axes.step(weights.places, head * len(head), where="mid", color=color, linewidth=0.7, alpha=0.45)
        if len(heads):
            mean = heads.mean(0)
            axes.step(weights.places, mean * len(mean), where="mid", color=color, linewidth=1.8)
    axes.axhline(1, color="0.6", linewidth=0.6, linestyle="--")
    axes.set_xlim(0, len(weights.places) * weights.bin_size)
    axes.set_ylim(bottom=0)
    axes.set_xlabel("bp")
    axes.set_ylabel("looked at\nweight / even", fontsize=8)
    axes.spines[["top", "right"]].set_visible(False)
