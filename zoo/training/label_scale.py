"""Mean and standard deviation of measured labels: what a new head starts from.

source -> {target: {"mean": [...], "sd": [...]}}
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from zoo.data.source import Source
from zoo.evaluation.split_predictions import labels_of, read, sample_rows
from zoo.model import Model

_MOST_ROWS = 20_000


def label_scale(source: Source) -> dict[str, dict[str, list[float]]]:
    """Mean and sd of the training labels of every target of real values without positions, one number a channel.

    Of more than 20,000 rows so many are drawn.  A channel without a label has mean 0, one without spread sd 1.
    """
    targets = {name: f for name, f in source.targets.items() if f.values == "real" and not f.position_axes}
    examples = source.examples("train")
    if not targets or not len(examples):
        return {}
    rows = sample_rows(len(examples), _MOST_ROWS)

    def per_batch(batch: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        return {k: y.reshape(len(y), -1) for k, y in labels_of(batch, targets).items()}

    labels = read(examples, per_batch, rows, label="looking at the labels")
    return {name: _of(labels[f"target/{name}"].astype(np.float64)) for name in targets}


def published_scale(model: Model | None) -> dict[str, dict[str, list[float]]]:
    """Mean and sd of the heads of a published model, {} for a head without; they take the place of the labels'."""
    heads = {} if model is None else model.spec.heads
    return {
        name: {key: head[key] for key in ("mean", "sd") if head.get(key) is not None} for name, head in heads.items()
    }


def _of(y: np.ndarray) -> dict[str, list[float]]:
    """y (n, C), NaN where missing; six digits, so that another order of the rows gives the same numbers."""
    known = np.isfinite(y)
    n = np.maximum(known.sum(0), 1)
    mean = np.where(known, y, 0).sum(0) / n
    sd = np.sqrt((np.where(known, y - mean, 0) ** 2).sum(0) / n)
    sd = np.where(sd > 1e-12, sd, 1.0)
    return {"mean": [float(f"{x:.6g}") for x in mean], "sd": [float(f"{x:.6g}") for x in sd]}
