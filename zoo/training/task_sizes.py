"""How many labels every task has in training, and how many of them are positive: what weighs and draws tasks.

source -> one pass over the training split -> TaskSizes (sums of label weights by channel), probabilities of examples
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from zoo.data.source import Examples, Source
from zoo.errors import ConfigError
from zoo.evaluation.split_predictions import labels_of, read
from zoo.fields import Field


@dataclass(frozen=True)
class TaskSizes:
    """Of one target, a number a channel (one for class ids): labels that are missing or have weight 0 count nothing.

    size: (C,) sum of the weights of the labels.  positive: (C,) of those times the label, None unless they are binary.
    """

    size: np.ndarray
    positive: np.ndarray | None


def task_sizes(
    examples: Examples, targets: Mapping[str, Field], drawn: np.ndarray | None = None
) -> dict[str, TaskSizes]:
    """{target: sizes of its tasks} over the examples of a split.

    drawn: (n,) probabilities with which training draws the examples, whose mean then counts as 1; None for each once.
    """
    sums: dict[str, np.ndarray] = {}
    if drawn is not None:
        return _drawn_sizes(examples, targets, drawn * len(examples))

    def per_batch(batch: Mapping[str, np.ndarray]) -> dict[str, Any]:
        labels = labels_of(batch, targets)
        for name, field in targets.items():
            label, weight = _by_channel(labels[f"target/{name}"], batch.get(f"weight/{name}"), field)
            added = np.stack([weight.sum((1, 2)), (weight * label).sum((1, 2))])
            sums[name] = sums.get(name, 0) + added
        return {"nothing": np.zeros(len(next(iter(batch.values()))))}

    read(examples, per_batch, label="counting labels")
    return {
        name: TaskSizes(sums[name][0], sums[name][1] if field.values == "binary" else None)
        for name, field in targets.items()
        if name in sums
    }


def _drawn_sizes(examples: Examples, targets: Mapping[str, Field], times: np.ndarray) -> dict[str, TaskSizes]:
    """Sizes where example i is met times[i] (n,) times."""

    def per_batch(batch: Mapping[str, np.ndarray]) -> dict[str, Any]:
        labels, sums = labels_of(batch, targets), {}
        for name, field in targets.items():
            label, weight = _by_channel(labels[f"target/{name}"], batch.get(f"weight/{name}"), field)
            sums[f"size/{name}"] = weight.sum(2).T.astype(np.float32)
            sums[f"positive/{name}"] = (weight * label).sum(2).T.astype(np.float32)
        return sums

    rows = read(examples, per_batch, label="counting labels")
    return {
        name: TaskSizes(
            times @ rows[f"size/{name}"], times @ rows[f"positive/{name}"] if field.values == "binary" else None
        )
        for name, field in targets.items()
        if f"size/{name}" in rows
    }


def task_arguments(
    source: Source, target: str | None, entry: Mapping[str, Any], sampling: str = "examples"
) -> dict[str, Any]:
    """What an objective that weighs tasks, or balances positive labels, must be told of the training split; {} for
    another, for which nothing is read.

    sampling: of the trainer.  Labels are counted as often as training meets them: weights that balance the split as it
    stands would count rare tasks twice where they are drawn more often already.
    """
    weighed = entry.get("task_weights", "size") != "size" or entry.get("positive_weight") == "balanced"
    if target is None or not weighed or not len(source.examples("train")):
        return {}
    examples = source.examples("train")
    drawn = examples.weights if sampling == "examples" else balanced_weights(examples, source.targets)
    if drawn is not None:
        drawn = np.asarray(drawn, np.float64) / np.sum(drawn)
    sizes = task_sizes(examples, {target: source.targets[target]}, drawn)[target]
    return {
        "task_sizes": [float(f"{x:.6g}") for x in sizes.size],
        "task_positives": None if sizes.positive is None else [float(f"{x:.6g}") for x in sizes.positive],
    }


def balanced_weights(examples: Examples, targets: Mapping[str, Field]) -> np.ndarray:
    """(n,) probabilities of drawing an example that give every task, and its positives and negatives, an equal share.

    One draw: a task of any head, a class of it (of numbers and class ids there is one), one of its labelled examples.
    So a task with 200 positive labels is met as often as one with 5,000.  An example without a label is never drawn;
    one of several rare tasks is drawn for each.  The examples' own sampling weights multiply it.
    """
    parts: list[np.ndarray] = []

    def per_batch(batch: Mapping[str, np.ndarray]) -> dict[str, Any]:
        labels, columns = labels_of(batch, targets), {}
        for name, field in targets.items():
            label, weight = _by_channel(labels[f"target/{name}"], batch.get(f"weight/{name}"), field)
            there = (weight > 0).any(2)
            positive = ((weight > 0) & (label > 0.5)).any(2) if field.values == "binary" else there
            columns[name] = (there.astype(np.int8) + (there & positive)).T  # 0 missing, 1 negative, 2 positive
        return columns

    kinds = read(examples, per_batch, label="drawing tasks")
    for name in targets:
        for kind in (1, 2):
            share = (kinds[name] == kind).astype(np.float64)
            one_class = np.maximum(1, sum((kinds[name] == k).any(0).astype(int) for k in (1, 2)))
            parts.append((share / np.maximum(share.sum(0), 1) / one_class).sum(1))
    weights = np.sum(parts, axis=0)
    if examples.weights is not None:
        weights = weights * np.asarray(examples.weights, np.float64)
    if not weights.sum() > 0:
        raise ConfigError("trainer.sampling=tasks finds no label to draw: look at the data's splits")
    return weights / weights.sum()


def _by_channel(label: np.ndarray, weight: np.ndarray | None, field: Field) -> tuple[np.ndarray, np.ndarray]:
    """label (N, *axes), missing where NaN or an id below 0 -> labels with 0 there, and weights: (C, N, positions)."""
    known = label >= 0 if field.values == "class" else np.isfinite(label)
    if weight is not None:
        weight = np.asarray(weight, np.float64)
        weight = weight.reshape(weight.shape + (1,) * (label.ndim - weight.ndim))
        known = known * np.broadcast_to(weight, label.shape)
    filled = np.where(known > 0, label, 0)
    axis = None if field.values == "class" else field.channel_axis

    def by_channel(x: np.ndarray) -> np.ndarray:
        channels = x[None] if axis is None else np.moveaxis(x, axis, 0)
        return channels.reshape(len(channels), len(x), -1).astype(np.float64)

    return by_channel(filled), by_channel(known)
