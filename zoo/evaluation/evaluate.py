"""A model on held-out examples, beside baselines on the same rows.

evaluate(model, source, "test", motif="CTCF").table()
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.data.motifs import get_motifs
from zoo.data.source import SPLITS, Source
from zoo.errors import ConfigError, did_you_mean
from zoo.evaluation.baseline_models import Fitted, score_of
from zoo.evaluation.baselines import baselines as baselines_for
from zoo.evaluation.bootstrap import Measure, measure
from zoo.evaluation.metrics import metrics_for
from zoo.evaluation.result import Evaluation
from zoo.evaluation.split_predictions import labels_of, predictions_of, read, shared_heads
from zoo.evaluation.strata import in_stratum
from zoo.extras import EXTRAS, need
from zoo.fields import Field
from zoo.prediction.inference import inferring

if TYPE_CHECKING:
    from zoo.model import Model

__all__ = ["evaluate", "tasks_of"]

_SEEN = {"train": "fitted to this split", "validation": "regularisation chosen on this split"}


def evaluate(
    model: Model | None,
    source: Source,
    split: str = "test",
    *,
    baselines: bool = True,
    motif: str | Sequence[str] | None = None,
    strata: Sequence[str] = (),
    batch_size: int | None = None,
    n_bootstrap: int = 1000,
    seed: int = 0,
    k: int = 6,
    name: str | None = None,
) -> Evaluation:
    """Every metric of every task, with its n and a percentile bootstrap interval over examples.

    model: any Model; None evaluates the baselines alone.  Its mode is restored.
    split: one of train, validation, test.
    motif: JASPAR names or identifiers; adds the best match of each as a baseline.
    strata: subsets to evaluate beside the whole and the examples' own groups, as `peak_width<=2000` on the columns
        that name the examples, or on `length`.
    batch_size: examples a forward pass, None for what suits the device.
    n_bootstrap: resamples, 0 for no intervals.
    k: length of the k-mers of the baseline.
    name: of the model in the rows; its spec's by default.

    A label that is NaN (a class id below 0) or has weight 0 is left out, for each task by itself.
    Raises ConfigError where model and data share no target.
    """
    need("evaluation", *EXTRAS["evaluate"][1])
    if split not in SPLITS:
        raise ConfigError(f"no split {split!r}" + did_you_mean(split, SPLITS))
    examples = source.examples(split)
    if not len(examples):
        raise ConfigError(f"split {split!r} of the data is empty: choose another, or data that have one")
    identity = {key: np.asarray(v) for key, v in examples.identity(np.arange(len(examples))).items()}
    columns = {"length": np.asarray(examples.lengths), **identity}
    subsets = {"all": np.ones(len(examples), bool), **examples.groups}
    subsets |= {text: in_stratum(text, columns) for text in strata}
    heads = shared_heads(model, source.targets) if model else {}
    targets = {head: source.targets[head] for head in heads or source.targets}
    grids = {head: grid for head, (_, grid) in heads.items()}
    motifs = get_motifs([motif] if isinstance(motif, str) else motif or ())
    plan = {head: baselines_for(field, k, motifs) if baselines else [] for head, field in targets.items()}
    if "codes" not in examples.batch(np.arange(1)):
        plan = {head: [b for b in chosen if not b.features] for head, chosen in plan.items()}
    features = {b.name: b.features for chosen in plan.values() for b in chosen if b.features}
    predict = predictions_of(model, targets, batch_size) if model else None

    def per_batch(batch: Mapping[str, np.ndarray]) -> dict[str, Any]:
        seen = labels_of(batch, targets, grids) | {f"feature/{key}": f(batch["codes"]) for key, f in features.items()}
        return seen | predict(batch) if predict else seen

    with inferring(model) if model else nullcontext():
        seen = read(examples, per_batch, label=f"reading {split}")
    fitted = Fitted(source, targets, grids, plan, features, seed) if baselines else None
    result = Evaluation(split, identity)
    predictor = name or (model.spec.name if model else "")
    for head, field in targets.items():
        label = seen[f"target/{head}"]
        order = _order(field, heads[head][0]) if model else {}
        for task, channel in tasks_of(field):
            truth = label if channel is None else label[:, channel]
            if not _labelled(truth, field).any():
                metric, found = next(_measures(field, truth[:0], None, None, 0, seed))
                result.add(predictor or "baselines", not predictor, head, task, metric, found, "all", "")
                continue
            predictions: dict[str, tuple[np.ndarray | None, str]] = {}
            if model:
                predictions[predictor] = _of_model(seen[f"prediction/{head}"], channel, order, truth, field)
                result.keep(head if len(targets) > 1 else "", task or head, field, truth, predictions[predictor][0])
            scores: dict[str, np.ndarray | None] = {}
            for baseline in plan[head]:
                if baseline.task in (None, task):
                    given = seen.get(f"feature/{baseline.name}")
                    values, note = fitted.predict(baseline, head, field, channel, given, len(truth))
                    note = "; ".join(filter(None, (note, _SEEN.get(split, ""))))
                    predictions[baseline.name] = (values, note)
                    if field.values != "class" and truth.ndim == 1:
                        scores[baseline.name] = score_of(given)
            for stratum, kept in subsets.items():
                at = np.flatnonzero(kept & _labelled(truth, field))
                for key, (prediction, note) in predictions.items():
                    values = None if prediction is None else prediction[at]
                    score = values if scores.get(key) is None else scores[key][at]
                    for metric, found in _measures(field, truth[at], values, score, n_bootstrap, seed):
                        result.add(key, key != predictor, head, task, metric, found, stratum, note)
        if model:
            _add_whole(result, predictor, head, field, label, seen[f"prediction/{head}"], subsets, n_bootstrap, seed)
    return result


def tasks_of(field: Field) -> list[tuple[str, int | None]]:
    """(name, channel) of every task; one without a name where a target has no channels.

    >>> tasks_of(Field("C", channels=("CTCF", "SPI1")))
    [('CTCF', 0), ('SPI1', 1)]
    """
    if field.values == "class" or field.channel_axis is None:
        return [("", None)]
    return [(task, c) for c, task in enumerate(field.channels)]


def _order(target: Field, output: Field) -> dict[int, int | None]:
    """Channel of the target to channel of the prediction, by name; None where the model lacks the task."""
    if not output.channels:
        return {c: c for c in range(len(target.channels))}
    return {c: output.channels.index(t) if t in output.channels else None for c, t in enumerate(target.channels)}


def _of_model(
    prediction: np.ndarray, channel: int | None, order: Mapping[int, int | None], truth: np.ndarray, field: Field
) -> tuple[np.ndarray | None, str]:
    if channel is not None:
        if order[channel] is None:
            return None, "the model has no such task"
        prediction = prediction[:, order[channel]]
    shape = prediction.shape[:1] + prediction.shape[2:] if field.values == "class" else prediction.shape
    if shape != truth.shape:
        raise ConfigError(
            f"predictions of shape {prediction.shape} do not fit labels of shape {truth.shape}: "
            f"evaluate on windows of the length, bin_size and classes that the model was made for"
        )
    return prediction, ""


def _labelled(truth: np.ndarray, field: Field) -> np.ndarray:
    """(n,) bool: has the example any label of this task?"""
    known = truth >= 0 if field.values == "class" else np.isfinite(truth)
    return known.reshape(len(truth), -1).any(1)


def _measures(
    field: Field,
    truth: np.ndarray,
    prediction: np.ndarray | None,
    score: np.ndarray | None,
    n_bootstrap: int,
    seed: int,
) -> Iterator[tuple[Any, Measure]]:
    """Every metric of one task; those that no scale changes are of the score."""
    chosen = [metric for metric in metrics_for(field) if not metric.whole]
    if not chosen:
        reason = f"no metric is known for {field.values} targets of axes {field.axes!r}"
        yield None, Measure(None, None, None, len(truth), None, reason)
    for metric in chosen:
        taken = score if metric.scale_free else prediction
        if taken is None:
            yield metric, Measure(None, None, None, len(truth), None)
        else:
            binary = field.values == "binary"
            yield metric, measure(metric, truth, taken, binary=binary, n_bootstrap=n_bootstrap, seed=seed)


def _add_whole(
    result: Evaluation,
    predictor: str,
    head: str,
    field: Field,
    label: np.ndarray,
    prediction: np.ndarray,
    subsets: Mapping[str, np.ndarray],
    n_bootstrap: int,
    seed: int,
) -> None:
    for metric in metrics_for(field):
        if metric.whole:
            for stratum, kept in subsets.items():
                at = np.flatnonzero(kept & _labelled(label, field))
                found = measure(metric, label[at], prediction[at], n_bootstrap=n_bootstrap, seed=seed)
                result.add(predictor, False, head, "", metric, found, stratum)
