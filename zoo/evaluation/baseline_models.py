"""Baselines fitted to the training split, one task at a time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.data.source import Source
from zoo.evaluation.baselines import MANY_TASKS, Baseline, fit
from zoo.evaluation.split_predictions import read, sample_rows
from zoo.fields import Field

if TYPE_CHECKING:
    from zoo.evaluation.evaluate import Plan

_MOST_ROWS = 20_000
_MOST_BASES = 40_000_000


class FittedBaselines:
    """What the baselines learn from training and validation rows.

    At most 20,000 training rows are read, or 40 Mb of short ones, drawn with `seed`, once for all tasks.  Of a head of
    more than 20 tasks each is fitted to at most 20,000 of its labelled rows, positives first, and slow baselines to the
    first 20 tasks.
    """

    def __init__(self, source: Source, plan: Plan, seed: int):
        def per_batch(batch: Mapping[str, np.ndarray]) -> dict[str, Any]:
            weights = {k: np.asarray(v) for k, v in batch.items() if k.startswith("weight/")}
            return plan.labels_and_features(batch, to_fit=True) | weights

        self._rows, self._of = {}, {}
        for split in ("train", "validation"):
            examples = source.examples(split)
            most = max(_MOST_ROWS, int(_MOST_BASES / max(1, np.mean(examples.lengths)))) if len(examples) else 0
            chosen = sample_rows(len(examples), most, seed)
            self._rows[split] = read(examples, per_batch, chosen, label=f"reading {split} for the baselines")
            self._of[split] = (len(chosen), len(examples))

    def predict(
        self, baseline: Baseline, head: str, field: Field, channel: int | None, features: Any, n: int
    ) -> tuple[np.ndarray | None, str]:
        """Predictions (n, ...) of one task, or None, and a note on them."""
        if baseline.scores:
            return features if channel is None else features[:, channel], baseline.note
        if not self._rows["train"]:
            return self._without_fit(features, "no training rows")
        if baseline.slow and (channel or 0) >= MANY_TASKS:
            return self._without_fit(features, f"only the first {MANY_TASKS} tasks are")
        train, validation = (self._labels(split, head, channel) for split in ("train", "validation"))
        used, of = self._of["train"]
        sampled = _fitted_to(used, of)
        note = _joined(baseline.note, sampled)
        if baseline.features is None:
            return _constant(train, field, n), note
        if "T" in field.axes:
            return self._scaled_profile(baseline, train, validation, features, note)
        weight = _of_channel(self._rows["train"].get(f"weight/{head}"), train, channel)
        if len(field.channels) > MANY_TASKS and field.axes == "C":
            train, weight, drawn = _fewer_labels(train, weight, field.values == "binary")
            sampled = _joined(sampled, drawn)
            note = _joined(baseline.note, sampled)
        model = self._fit(baseline, field.values, train, validation, weight)
        if model is None:
            return self._without_fit(features, "training labels are all alike")
        if baseline.fit is not None:
            model, own, fewer = model
            note = _joined(baseline.note, own, sampled if fewer is None else _fitted_to(fewer, of))
        prediction = model(features)
        if field.values == "class":
            prediction = np.pad(prediction, ((0, 0), (0, len(field.vocabulary) - prediction.shape[1])))
        return prediction, note

    def _labels(self, split: str, head: str, channel: int | None) -> np.ndarray | None:
        label = self._rows[split].get(f"target/{head}")
        return label if label is None or channel is None else label[:, channel]

    def _fit(
        self,
        baseline: Baseline,
        values: str,
        train: np.ndarray,
        validation: np.ndarray | None,
        weight: np.ndarray | None = None,
    ) -> Any:
        """Fit to the labelled rows of one task, weighed as the model's training weighs them."""
        parts = []
        for split, label in (("train", train), ("validation", validation)):
            if label is None:
                parts += [None, np.zeros(0)]
                continue
            known = np.flatnonzero(label >= 0 if values == "class" else np.isfinite(label))
            parts += [self._rows[split][f"feature/{baseline.name}"][known], label[known]]
            if split == "train" and weight is not None:
                weight = weight[known]
        return (baseline.fit or fit)(values, *parts, weight=weight)

    def _scaled_profile(
        self, baseline: Baseline, train: np.ndarray, validation: np.ndarray | None, features: Any, note: str
    ) -> tuple[np.ndarray | None, str]:
        """The mean shape times a total that ridge predicts from the features."""
        totals = [None if x is None else np.where(np.isfinite(x), x, 0).sum(1) for x in (train, validation)]
        model = self._fit(baseline, "count", *totals)
        if model is None:
            return None, "training profiles are all alike"
        model = model if baseline.fit is None else model[0]
        mean = np.nanmean(train, axis=0)
        total = np.clip(model(features), 0, None)
        return total[:, None] * (mean / max(mean.sum(), 1e-12)), note

    def _without_fit(self, features: Any, reason: str) -> tuple[np.ndarray | None, str]:
        """One number a row may still rank the rows."""
        score = score_of(features)
        return score, f"not fitted: {reason}" if score is not None else reason


def score_of(features: Any) -> np.ndarray | None:
    """(n,) the number itself, where a baseline has one number a row.

    Metrics that no scale changes take it in place of a fit: on training rows whose GC content is matched
    exactly a fit has slope 0, and would say 0.5 of test rows that are not matched at all.
    """
    one = isinstance(features, np.ndarray) and features.ndim == 2 and features.shape[1] == 1
    return features[:, 0] if one else None


def _fitted_to(used: int, of: int) -> str:
    return "" if used == of else f"fitted to {used:,} of {of:,} rows"


def _of_channel(weight: np.ndarray | None, label: np.ndarray, channel: int | None) -> np.ndarray | None:
    """(n,) weights of the labels of one task, None where it has none or one a position."""
    if weight is None or label.ndim > 1:
        return None
    weight = weight.reshape(len(weight), -1)
    return weight[:, (channel or 0) if weight.shape[1] > 1 else 0]


def _fewer_labels(
    label: np.ndarray, weight: np.ndarray | None, binary: bool
) -> tuple[np.ndarray, np.ndarray | None, str]:
    """At most 20,000 labels of one task, the others missing: positives first, what is left of negatives weighing more.

    label: (n,), NaN where missing.  Returns labels, weights, and a note, "" where all are kept.
    """
    known = np.flatnonzero(np.isfinite(label))
    if len(known) <= _MOST_ROWS:
        return label, weight, ""
    rng, kept = np.random.default_rng(0), np.full(len(label), np.nan, label.dtype)
    weight, room = np.ones(len(label)) if weight is None else weight.astype(np.float64), _MOST_ROWS
    positive = known[label[known] > 0.5] if binary else known[:0]
    for rows, most in ((positive, _MOST_ROWS // 2), (np.setdiff1d(known, positive), _MOST_ROWS)):
        some = rows if len(rows) <= min(most, room) else rng.choice(rows, min(most, room), replace=False)
        kept[some], weight[some] = label[some], weight[some] * len(rows) / max(1, len(some))
        room -= len(some)
    return kept, weight, f"fitted to {int(np.isfinite(kept).sum()):,} of {len(known):,} labelled rows"


def _joined(*notes: str) -> str:
    return "; ".join(filter(None, notes))


def _constant(train: np.ndarray, field: Field, n: int) -> np.ndarray:
    """The mean profile (n, T) or map (n, T, T), with the overall mean where no row has a label; for classes the share
    of each (n, K, ...)."""
    if field.values == "class":
        share = np.bincount(train[train >= 0].astype(int).ravel(), minlength=len(field.vocabulary)).astype(np.float64)
        share = (share / max(share.sum(), 1)).reshape(1, -1, *[1] * (train.ndim - 1))
        return np.broadcast_to(share, (n, share.shape[1], *train.shape[1:]))
    known = np.isfinite(train)
    total, seen = np.where(known, train, 0).sum(0, dtype=np.float64), known.sum(0)
    overall = total.sum() / max(seen.sum(), 1)
    mean = np.divide(total, seen, out=np.full(total.shape, overall), where=seen > 0)
    return np.broadcast_to(mean, (n, *train.shape[1:]))
