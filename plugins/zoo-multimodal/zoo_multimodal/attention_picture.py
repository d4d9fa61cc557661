"""Attention weights drawn by distance from the query: one panel for the sequence, one for each track.

AttentionWeights -> Figure
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from zoo.pictures.canvas import MODEL, blank, drawn_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from zoo_multimodal.attention_weights import AttentionWeights

MOST_TRACKS = 6


def draw_attention(weights: AttentionWeights, title: str = "") -> Figure:
    """Mean weight over the examples, a thin line each head and a thick one for their mean.

    Weights are shown relative to even ones: 1 is what every position would have if all had the same.
    """
    tracks = weights.tracks[:MOST_TRACKS]
    figure = blank(8.0, 1.5 + 1.5 * (1 + len(tracks)))
    panels: list[Axes] = list(np.atleast_1d(figure.subplots(1 + len(tracks), 1, sharex=True)))
    positions = weights.sequence.shape[2] + int(np.prod(weights.signal.shape[2:]))
    _panel(panels[0], weights.sequence_distance, positions * weights.sequence.mean(0), "sequence")
    for a, (axes, name) in enumerate(zip(panels[1:], tracks, strict=True)):
        _panel(axes, weights.signal_distance, positions * weights.signal[:, :, a].mean(0), name)
    panels[-1].set_xlabel("bp from the query")
    panels[0].set_title(drawn_text(title or f"mean of {len(weights.sequence):,} windows", 100), fontsize=10)
    return figure


def _panel(axes: Axes, distance: np.ndarray, heads: np.ndarray, name: str) -> None:
    """heads: (heads, positions)."""
    for head in heads:
        axes.step(distance, head, where="mid", color=MODEL, linewidth=0.7, alpha=0.45)
    axes.step(distance, heads.mean(0), where="mid", color=MODEL, linewidth=1.8)
    axes.axhline(1, color="0.6", linewidth=0.6, linestyle="--")
    axes.set_ylabel(f"{drawn_text(name, 24)}\nweight / even", fontsize=8)
    axes.set_ylim(bottom=0)
    axes.spines[["top", "right"]].set_visible(False)
