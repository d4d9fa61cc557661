"""Calibration after training: probabilities that are what they say, on the validation split.

logits and labels of the split -> scale and shift of each task -> folded into the head's last layer (`head.rescale`)
                               -> rows in spec.training["calibration"]

Since the published weights themselves are calibrated, whatever reads the model (prediction, `:raw`, attribution,
effects, an ensemble's mean) needs no word of it.  Only a linear map can be folded in: isotonic regression cannot.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from zoo.data.source import Source
from zoo.evaluation.reliability import class_ece, ece
from zoo.evaluation.split_predictions import labels_of, predictions_of, read, sample_rows
from zoo.fields import Field
from zoo.model import Model
from zoo.prediction.inference import inferring
from zoo.training.platt_scaling import fit_scale_and_shift, fit_temperature

LEAST = 50
"""Examples of the rarer class below which nothing is fitted: the noise of the fit would be a new fault."""

_MOST_ROWS = 50_000
_CHECKED = 32

Rows = list[dict[str, Any]]


def calibrate(model: Model, source: Source, split: str = "validation") -> Rows:
    """Calibrate every head of probabilities, and record in the spec what was done, or why nothing was.

    model: a Model, or an Ensemble, whose mean logit is calibrated by one scale and shift of all members; changed in
        place, in its heads alone.
    split: whose prevalence the probabilities then have; of more than 50,000 examples a random part is read.

    Returns a row a task, which `zoo.hub.calibration` puts in words: head, task, split, n, n_positive, prevalence,
    scale, shift, ece_before, ece_after (of the rows that were fitted); or head, task, reason.
    """
    rows: Rows = []
    heads = {head: _obstacle(model, source, head) for head in _of_probabilities(model)}
    examples = source.examples(split)
    if not len(examples):
        heads = {head: reason or f"there is no {split} split" for head, reason in heads.items()}
    able = {head: source.targets[head] for head, reason in heads.items() if not reason}
    values = _values(model, source, split, able) if able else {}
    for head, reason in heads.items():
        if reason:
            rows.append({"head": head, "task": "", "reason": reason})
            continue
        field, logit, label = able[head], values[f"prediction/{head}"], values[f"target/{head}"]
        weight = values[f"weight/{head}"]
        fitted = (
            _of_classes(logit, label, weight, field)
            if field.values == "class"
            else _of_tasks(logit, label, weight, model.spec.outputs[head][0])
        )
        rows += [{"head": head, "split": split, **row} for row in _fold(model, source, split, head, fitted)]
    record(model, rows)
    return rows


def record(model: Model, rows: Sequence[Mapping[str, Any]]) -> None:
    """Keep rows of `calibrate` with what the spec remembers of the training."""
    model.spec = model.spec.replace(training={**model.spec.training, "calibration": list(rows)})


def leave_uncalibrated(model: Model, reason: str) -> Rows:
    """Record that nothing was calibrated, and why."""
    rows = [{"head": head, "task": "", "reason": reason} for head in _of_probabilities(model)]
    record(model, rows)
    return rows


def _of_probabilities(model: Model) -> list[str]:
    return [head for head, activation in model.spec.activation.items() if activation in ("sigmoid", "softmax")]


def _obstacle(model: Model, source: Source, head: str) -> str:
    """Why a head cannot be calibrated; "" where it can."""
    field, target = model.spec.outputs[head][0], source.targets.get(head)
    if target is None or field.channels != (target.vocabulary if target.values == "class" else target.channels):
        return "the data do not label its tasks"
    if field.axes not in ("C", "K"):
        return f"predictions with axes N{field.axes} are not calibrated"
    if not all(hasattr(part.heads[head], "rescale") for part in _parts(model)):
        return f"head {model.spec.heads[head]['name']!r} has no method `rescale`"
    return ""


def _parts(model: Model) -> Sequence[Any]:
    return list(getattr(model, "members", (model,)))


def _values(model: Model, source: Source, split: str, heads: Mapping[str, Field]) -> dict[str, Any]:
    """prediction/HEAD before the activation, target/HEAD and weight/HEAD of one pass, each (n, C), (n, K) or (n,)."""
    examples = source.examples(split)
    chosen = sample_rows(len(examples), _MOST_ROWS)
    predict = predictions_of(model, heads, None, raw=True)

    def per_batch(batch: Mapping[str, np.ndarray]) -> dict[str, Any]:
        labels = labels_of(batch, heads)
        weights = {f"weight/{head}": _weights(batch, head) for head in heads}
        return labels | weights | predict(batch)

    with inferring(model):
        return read(examples, per_batch, chosen, label=f"reading {split} for the calibration")


def _weights(batch: Mapping[str, np.ndarray], head: str) -> np.ndarray:
    """Shaped like the label, 1 where the batch has none."""
    label = np.asarray(batch[f"target/{head}"])
    weight = np.asarray(batch.get(f"weight/{head}", np.ones(len(label))), np.float64)
    return np.broadcast_to(weight.reshape(weight.shape + (1,) * (label.ndim - weight.ndim)), label.shape)


def _of_tasks(logit: np.ndarray, label: np.ndarray, weight: np.ndarray, field: Field) -> Rows:
    """logit, label, weight (n, C) -> a row a task; tasks that change places with the strand share scale and shift."""
    rows = []
    partners = field.rc or range(logit.shape[1])
    for c, partner in enumerate(partners):
        shared = sorted({c, partner})
        y, w, z = (x[:, shared].ravel() for x in (label, weight, logit))
        known = np.isfinite(y) & (w > 0)
        y, w, z = y[known], w[known], z[known]
        task = {"task": field.channels[c] if field.channels else str(c)}
        rows.append(task | _fit_task(z, y, w))
    return rows


def _fit_task(z: np.ndarray, y: np.ndarray, w: np.ndarray) -> dict[str, Any]:
    if not np.isin(y, (0, 1)).all():
        return {"reason": "its labels are fractions, no classes"}
    positives = int(y.sum())
    few = min(positives, len(y) - positives)
    if few < LEAST:
        which = "positive" if positives == few else "negative"
        return {"reason": f"only {few} {which} of {len(y):,} examples, of {LEAST} that it takes"}
    fit = fit_scale_and_shift(z, y, w)
    if fit is None:
        return {"reason": "its predictions do not rise with the labels"}
    before, after = (ece(y, _sigmoid(a * z + b), w[None])[0] for a, b in ((1.0, 0.0), fit))
    return {
        **{"n": len(y), "n_positive": positives, "prevalence": float(np.average(y, weights=w))},
        **{"scale": fit[0], "shift": fit[1], "ece_before": float(before), "ece_after": float(after)},
    }


def _of_classes(logit: np.ndarray, label: np.ndarray, weight: np.ndarray, field: Field) -> Rows:
    """logit (n, K), label (n,), weight (n,) -> one row, whose prevalence is that of every class."""
    known = (label >= 0) & (weight > 0)
    z, y, w = logit[known], label[known].astype(int), weight[known]
    shares = np.bincount(y, w, minlength=logit.shape[1])
    few = len(y) - int(np.bincount(y, minlength=1).max())
    if few < LEAST:
        reason = f"only {few} of {len(y):,} examples are not of the most frequent class, of {LEAST} that it takes"
        return [{"task": "", "reason": reason}]
    scale = fit_temperature(z, y, w)
    if scale is None:
        return [{"task": "", "reason": "its predictions do not rise with the labels"}]
    before, after = (class_ece(y, _softmax(a * z), w[None])[0] for a in (1.0, scale))
    prevalence = dict(zip(field.vocabulary, (shares / shares.sum()).tolist(), strict=True))
    numbers = {"n": len(y), "n_positive": None, "prevalence": prevalence, "scale": scale, "shift": 0.0}
    return [{"task": "", **numbers, "ece_before": float(before), "ece_after": float(after)}]


def _fold(model: Model, source: Source, split: str, head: str, rows: Rows) -> Rows:
    """Give the head the scales and shifts; where its prediction does not follow, its weights are put back."""
    import torch

    if all("reason" in row for row in rows):
        return rows
    channels = len(rows) if len(rows) > 1 else model.spec.outputs[head][0].shape(1, 1)[1]
    scale, shift = (
        torch.tensor([row.get(key, none) for row in rows], dtype=torch.float64).expand(channels)
        for key, none in (("scale", 1.0), ("shift", 0.0))
    )
    examples = source.examples(split)
    length = examples.lengths[0]
    few = examples.batch(np.flatnonzero(examples.lengths == length)[:_CHECKED])
    predict = predictions_of(model, {head: source.targets[head]}, None, raw=True)
    stored = [{k: t.clone() for k, t in part.heads[head].state_dict().items()} for part in _parts(model)]
    with inferring(model):
        before = predict(few)[f"prediction/{head}"]
    for part in _parts(model):
        with torch.no_grad():
            part.heads[head].rescale(scale, shift)
    with inferring(model):
        after = predict(few)[f"prediction/{head}"]
    expected = scale.numpy() * before + shift.numpy()
    if np.allclose(after, expected, rtol=1e-3, atol=1e-3 * max(1.0, float(np.abs(expected).max()))):
        return rows
    for part, state in zip(_parts(model), stored, strict=True):
        part.heads[head].load_state_dict(state)
    reason = f"head {model.spec.heads[head]['name']!r} does not scale its prediction when it is asked to"
    return [{"task": row["task"], "reason": row.get("reason", reason)} for row in rows]


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return np.exp(-np.logaddexp(0, -x))


def _softmax(x: np.ndarray) -> np.ndarray:
    power = np.exp(x - x.max(1, keepdims=True))
    return power / power.sum(1, keepdims=True)
