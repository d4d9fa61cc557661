"""A model on held-out examples, beside baselines on the same rows.

evaluate(model, source, "test", motif="CTCF").table()

Plan (what) -> values of one pass over the examples -> one row a predictor, task, metric and stratum
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.data.source import SPLITS, Examples, Source
from zoo.errors import EXTRAS, ConfigError, did_you_mean, need
from zoo.evaluation.baseline_choice import choose_baselines
from zoo.evaluation.baseline_models import FittedBaselines, score_of
from zoo.evaluation.baselines import MANY_TASKS, Baseline
from zoo.evaluation.bootstrap import Difference, Measure, measure, paired_difference
from zoo.evaluation.comparison import METRICS
from zoo.evaluation.metrics import Metric, metrics_for
from zoo.evaluation.result import Evaluation
from zoo.evaluation.split_predictions import cropped, labels_of, predictions_of, read, shared_heads
from zoo.evaluation.strata import strata_of
from zoo.evaluation.tasks import is_labelled, tasks_of
from zoo.fields import Field, Grid
from zoo.prediction.inference import inferring

if TYPE_CHECKING:
    from zoo.model import Model

_MANY_RESAMPLED = 4_000_000
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
    rivals: Sequence[str] | Mapping[str, int | None] = (),
) -> Evaluation:
    """Every metric of every task, with its n and a percentile bootstrap interval over examples.

    model: any Model; None evaluates the baselines alone.  Its mode is restored.
    split: one of train, validation, test.
    motif: JASPAR names or identifiers; adds the best match of each as a baseline.  "best" is the matrix of JASPAR CORE
        that separates the training rows best.
    strata: subsets to evaluate beside the whole and the examples' own groups, as `peak_width<=2000` on the columns
        that name the examples, or on `length`; the bare name of a column, as `domain`, gives a subset a value.
    batch_size: examples a forward pass, None for what suits the device.
    n_bootstrap: resamples, 0 for no intervals.  Of a head of more than 20 tasks the leading metrics alone (AUROC,
        AUPRC, correlations) have intervals, from 100 resamples or so many more that rows times resamples stay below
        4 million.
    k: length of the k-mers of the baseline.
    name: of the model in the rows; its spec's by default.
    rivals: baselines that take minutes: "gkm-svm" (needs gkmsvm-lite); as a mapping with the training rows that each is
        fitted to, None for what takes about 100 seconds of one core.

    A label that is NaN (a class id below 0) or has weight 0 is left out, for each task by itself.
    Raises ConfigError where model and data share no target.
    """
    need("evaluation", *EXTRAS["evaluate"][1])
    plan = Plan.of(model, source, split, strata=strata)
    if baselines:
        options = {"k": k, "motif": motif, "rivals": rivals, "seed": seed}
        plan = replace(plan, baselines=choose_baselines(source, plan.examples, plan.targets, **options))
    values = plan.read(model, batch_size)
    fitted = FittedBaselines(source, plan, seed) if baselines else None
    predictor = name or (model.spec.name if model else "")
    table = _Table(plan, values, fitted, predictor, n_bootstrap, seed, Evaluation(split, plan.identity))
    for head, field in plan.targets.items():
        for task, channel in tasks_of(field):
            table.add_task(head, field, task, channel)
    return table.result


@dataclass(frozen=True)
class Plan:
    """What is evaluated.

    examples: of the split.  identity: the columns that name them.
    subsets: {stratum: (n,) bool}, "all" first.
    targets: {head: field} that are evaluated.  outputs: what the model predicts for each; empty without a model.
    baselines: of each head.
    activation: of each head of the model.
    """

    split: str
    examples: Examples
    identity: Mapping[str, np.ndarray]
    subsets: Mapping[str, np.ndarray]
    targets: Mapping[str, Field]
    outputs: Mapping[str, tuple[Field, Grid | None]]
    baselines: Mapping[str, list[Baseline]]
    activation: Mapping[str, str]

    @classmethod
    def of(cls, model: Model | None, source: Source, split: str, *, strata: Sequence[str]) -> Plan:
        """The arguments and errors of `evaluate`, without baselines; nothing is read but the examples' names."""
        if split not in SPLITS:
            raise ConfigError(f"no split {split!r}" + did_you_mean(split, SPLITS))
        examples = source.examples(split)
        if not len(examples):
            raise ConfigError(f"split {split!r} of the data is empty: choose another, or data that have one")
        identity = {key: np.asarray(v) for key, v in examples.identity(np.arange(len(examples))).items()}
        columns = {"length": np.asarray(examples.lengths), **identity}
        subsets = {"all": np.ones(len(examples), bool), **examples.groups}
        subsets |= strata_of(strata, columns)
        outputs = shared_heads(model, source.targets) if model else {}
        targets = {head: source.targets[head] for head in outputs or source.targets}
        activation = model.spec.activation if model else {}
        return cls(split, examples, identity, subsets, targets, outputs, {head: [] for head in targets}, activation)

    def is_probability(self, head: str) -> bool:
        """Whether the model's numbers for a target without positions are probabilities."""
        return self.activation.get(head) == "sigmoid" and not self.targets[head].position_axes

    def labels_and_features(self, batch: Mapping[str, np.ndarray], to_fit: bool = False) -> dict[str, Any]:
        """target/HEAD, and feature/BASELINE of those that read the sequence, each (N, ...); `to_fit` leaves out those
        that nothing is fitted to."""
        grids = {head: grid for head, (_, grid) in self.outputs.items()}
        features = {}
        for head, several in self.baselines.items():
            for baseline in several:
                if baseline.features and not (to_fit and baseline.scores):
                    feature = baseline.features(batch["codes"])
                    if baseline.scores:
                        feature = cropped(feature, self.targets[head], grids.get(head))
                    features[f"feature/{baseline.name}"] = feature
        return labels_of(batch, self.targets, grids) | features

    def read(self, model: Model | None, batch_size: int | None) -> dict[str, Any]:
        """One pass over the examples: labels, features and, of a model, prediction/HEAD, each (n, ...)."""
        predict = predictions_of(model, self.targets, batch_size) if model else None

        def per_batch(batch: Mapping[str, np.ndarray]) -> dict[str, Any]:
            return self.labels_and_features(batch) | (predict(batch) if predict else {})

        with inferring(model) if model else nullcontext():
            return read(self.examples, per_batch, label=f"reading {self.split}")


@dataclass(frozen=True)
class _Table:
    """Adds rows to `result`, one target after the other.  values: as `Plan.read` returns them."""

    plan: Plan
    values: Mapping[str, Any]
    fitted: FittedBaselines | None
    predictor: str
    n_bootstrap: int
    seed: int
    result: Evaluation

    def add_task(self, head: str, field: Field, task: str, channel: int | None) -> None:
        """Every metric of every predictor, on each subset of the labelled examples."""
        label = self.values[f"target/{head}"]
        truth = label if channel is None else label[:, channel]
        if not is_labelled(truth, field).any():
            metric, measured = next(self._measures(field, truth[:0], None, None, np.zeros(0, np.int64)))
            self.result.add(self.predictor or "baselines", not self.predictor, head, task, metric, measured)
            return
        predictions = list(self._predictions(head, field, task, channel, truth))
        for stratum, member in self.plan.subsets.items():
            at = np.flatnonzero(member & is_labelled(truth, field))
            measures = []
            for name, prediction, score, note in predictions:
                prediction, score = (None if x is None else x[at] for x in (prediction, score))
                own = self._measures(field, truth[at], prediction, score, at)
                measures += [(name, note, *one) for one in own]
            for name, note, metric, measured in measures:
                baseline = name != self.predictor
                difference = None if baseline else _from_best(metric, measured, measures)
                self.result.add(name, baseline, head, task, metric, measured, stratum, note, difference)

    def _predictions(
        self, head: str, field: Field, task: str, channel: int | None, truth: np.ndarray
    ) -> Iterator[tuple[str, np.ndarray | None, np.ndarray | None, str]]:
        """(predictor, prediction, score that metrics without a scale take, note): the model, then the baselines."""
        if self.plan.outputs:
            order = _order(field, self.plan.outputs[head][0])
            values, note = _select_channel(self.values[f"prediction/{head}"], channel, order, truth, field)
            self.result.keep(head if len(self.plan.targets) > 1 else "", task or head, field, truth, values)
            if self.plan.is_probability(head) and not _are_probabilities(truth):
                # Of a probability and a measured value the ranks may be compared, the numbers not.
                yield (
                    self.predictor,
                    None,
                    values,
                    "probabilities, but the labels are none: ranks alone count",
                )
            else:
                yield self.predictor, values, values, note
        for baseline in self.plan.baselines[head]:
            if self.fitted is not None and baseline.task in (None, task):
                feature = self.values.get(f"feature/{baseline.name}")
                values, note = self.fitted.predict(baseline, head, field, channel, feature, len(truth))
                note = "; ".join(filter(None, (note, _SEEN.get(self.plan.split, ""))))
                score = score_of(feature) if field.values != "class" and truth.ndim == 1 else None
                yield baseline.name, values, values if score is None else score, note

    def _measures(
        self, field: Field, truth: np.ndarray, prediction: np.ndarray | None, score: np.ndarray | None, at: np.ndarray
    ) -> Iterator[tuple[Any, Measure]]:
        """Every metric of one task on the examples `at`; those that no scale changes are of the score."""
        clusters = self.plan.examples.clusters
        metrics = metrics_for(field)
        if not metrics:
            reason = f"no metric is known for {field.values} targets of axes {field.axes!r}"
            yield None, Measure(None, None, None, len(truth), None, reason)
        for metric in metrics:
            values = score if metric.scale_free else prediction
            if values is None:
                yield metric, Measure(None, None, None, len(truth), None)
            else:
                options = {"n_bootstrap": self._resamples(metric, field, len(truth)), "seed": self.seed}
                options["clusters"] = None if clusters is None else np.asarray(clusters)[at]
                yield metric, measure(metric, truth, values, binary=field.values == "binary", **options)

    def _resamples(self, metric: Metric, field: Field, n: int) -> int:
        """Of many tasks the metrics that lead have intervals, from fewer resamples where the rows are many too."""
        if len(field.channels) <= MANY_TASKS:
            return self.n_bootstrap
        return min(self.n_bootstrap, max(100, _MANY_RESAMPLED // max(1, n))) if metric.name in METRICS else 0


def _from_best(metric: Metric | None, own: Measure, measures: Sequence[tuple]) -> Difference | None:
    """The model's paired difference from the rival that does best by this metric on these rows.

    measures: (name, note, metric, measure) of every predictor, the model first.
    """
    if metric is None or metric.name not in METRICS:
        return None
    rivals = [(m.value, name, m) for name, _, other, m in measures if other is metric and m is not own]
    known = [rival for rival in rivals if rival[0] is not None]
    if not known:
        return None
    _, name, best = max(known, key=lambda rival: rival[0])
    return paired_difference(name, own, best)


def _order(target: Field, output: Field) -> dict[int, int | None]:
    """Channel of the target to channel of the prediction, by name; None where the model lacks the task."""
    if not output.channels:
        return {c: c for c in range(len(target.channels))}
    return {c: output.channels.index(t) if t in output.channels else None for c, t in enumerate(target.channels)}


def _select_channel(
    prediction: np.ndarray, channel: int | None, order: Mapping[int, int | None], truth: np.ndarray, field: Field
) -> tuple[np.ndarray | None, str]:
    """The model's prediction of one task, None where it has none; and a note."""
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


def _are_probabilities(truth: np.ndarray) -> bool:
    known = truth[np.isfinite(truth)]
    return bool(((known >= 0) & (known <= 1)).all())
