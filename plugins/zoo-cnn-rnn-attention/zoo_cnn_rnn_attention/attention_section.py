"""Section `self_attention` of a report: which positions of the sequence a model of this plugin looks at."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from zoo.report.section import Picture, Section, Table, Text

if TYPE_CHECKING:
    from zoo.report.section import Subject
    from zoo_cnn_rnn_attention.attention_weights import AttentionWeights

MOST = 200
NUMBERS = 20_000_000
"""Weights that are read at once, at most: long windows are shown by fewer sequences."""
PAIRS = 5


def self_attention(subject: Subject) -> Section | None:
    """Mean weights over the report's sequences; None for a model of another encoder, and for one without attention.

    `subject.results["self_attention"]` gets {n, apart}: bp between a position and what it looks at, in the mean.
    """
    from zoo.model import Ensemble
    from zoo_cnn_rnn_attention.attention_picture import draw_attention
    from zoo_cnn_rnn_attention.attention_weights import attention_weights
    from zoo_cnn_rnn_attention.construct import ConstructCNNRNN
    from zoo_cnn_rnn_attention.encoder import CNNRNNAttention

    model = subject.model
    encoders = [m.encoder for m in (model.members if isinstance(model, Ensemble) else [model])]
    first = encoders[0]
    if isinstance(first, ConstructCNNRNN):
        if first.attention is None and first.pooled is None:
            return None
    elif not isinstance(first, CNNRNNAttention):
        return None
    positions = -(-subject.codes.shape[1] // first.pool)
    most = max(1, min(MOST, NUMBERS // (8 * len(encoders) * positions**2)))
    codes = subject.codes[:most]
    weights = attention_weights(model, {"codes": torch.from_numpy(codes)})
    n = len(codes)
    parts: list[Text | Picture | Table] = [
        Text(
            f"Mean weights over {n:,} sequences ({subject.origin}), relative to even weights. A thin line is a head, "
            "the thick one their mean. Weights say what the model listened to, not what it would answer without it."
        )
    ]
    subject.results["self_attention"] = {"n": n, "apart": None}
    if weights.between.shape[1]:
        apart = mean_distance(weights)
        subject.results["self_attention"]["apart"] = apart
        even = np.abs(np.subtract.outer(weights.places, weights.places)).mean()
        parts.append(
            Text(f"A position looks {apart:.0f} bp away in the mean; with even weights it would be {even:.0f} bp.")
        )
    parts.append(Picture(draw_attention(weights), "Attention weights by position", _caption(weights)))
    if weights.between.shape[1]:
        parts.append(_strongest(weights))
    return Section("Where it looks: attention over the sequence", parts)


def mean_distance(weights: AttentionWeights) -> float:
    """bp between a position and what it looks at, over all sequences, heads and positions."""
    apart = np.abs(np.subtract.outer(weights.places, weights.places))
    return float((weights.between.mean((0, 1)) * apart).sum(1).mean())


def _caption(weights: AttentionWeights) -> str:
    words = f"n = {len(weights.pooled):,}; positions of {weights.bin_size} bp"
    if weights.pooled.shape[1]:
        words += "; grey: what the pooling listens to"
    return words


def _strongest(weights: AttentionWeights) -> Table:
    """The positions that look at another one the most, in the mean."""
    mean = weights.between.mean((0, 1))
    far = np.abs(np.subtract.outer(weights.places, weights.places)) > 2 * weights.bin_size
    order = np.argsort(-np.where(far, mean, -1), axis=None, kind="stable")[:PAIRS]
    rows = []
    for looks, at in zip(*np.unravel_index(order, mean.shape), strict=True):
        places = (int(weights.places[i] - weights.bin_size / 2) for i in (looks, at))
        rows.append([*(f"{p:,} to {p + weights.bin_size:,}" for p in places), float(mean[looks, at] * len(mean))])
    columns = ["position that looks, bp", "position that is looked at, bp", "weight / even"]
    return Table(columns, rows, "Strongest mean weights between positions that are no neighbours; bp from 0")
