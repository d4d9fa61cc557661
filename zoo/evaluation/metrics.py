"""Metrics as functions, chosen by what a target is (`Field`).

A metric takes target and prediction of one task and `counts` (R, n): how often every example is taken in
each of R resamples.  Ones give the metric itself; all resamples of a bootstrap come out of one call.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from zoo.evaluation.position_ranks import position_counts
from zoo.evaluation.ranks import mean_ranks, positives_by_score
from zoo.evaluation.reliability import class_ece, ece, ece_by_chance
from zoo.fields import Field

Function = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Metric:
    """A metric and the targets it is for.  A plugin registers its own as kind "metric".

    function: (target (n, ...), prediction (n, ...), counts (R, n)) -> (R,), NaN where it is undefined;
        see `each_resample` for one that knows nothing of counts.
    applies: whether it is for a target of this field.
    unit: what it is aggregated over: examples, regions, bins, positions.
    two_classes: it needs positives and negatives.
    probability: it needs predictions from 0 to 1.
    scale_free: it stays the same when predictions are scaled or shifted, so that a bare score will do.
    lower_is_better: as of an error.
    by_chance: of a metric that noise alone raises above 0, where less is better: prediction -> (mean, 95th percentile)
        of what it is for a model without a fault.  Its interval makes up for the noise.
    """

    name: str
    function: Function
    applies: Callable[[Field], bool]
    unit: str = "examples"
    two_classes: bool = False
    probability: bool = False
    scale_free: bool = False
    lower_is_better: bool = False
    by_chance: Callable[[np.ndarray], tuple[float, float]] | None = None


def metrics_for(field: Field) -> list[Metric]:
    """The core's metrics for a target, then those of plugins; for class ids one F1 a class."""
    from zoo.registry import registry

    known = [*METRICS, *(registry().get("metric", name) for name in registry().names("metric"))]
    chosen = [metric for metric in known if metric.applies(field)]
    if field.values == "class":
        unit = "positions" if "T" in field.axes else "examples"
        chosen += [Metric(f"f1:{name}", partial(f1, k), _is("class"), unit) for k, name in enumerate(field.vocabulary)]
    return chosen


def auroc(target: np.ndarray, prediction: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Probability that a positive scores above a negative, ties counted half (Mann-Whitney).

    >>> auroc(np.array([0, 0, 1, 1]), np.array([0.1, 0.4, 0.35, 0.8]), np.ones((1, 4)))
    array([0.75])
    """
    return _auroc(*positives_by_score(target, prediction, counts))


def auprc(target: np.ndarray, prediction: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Average precision: precision at every threshold, weighted by the recall gained there; chance is the prevalence.

    >>> auprc(np.array([0, 0, 1, 1]), np.array([0.1, 0.4, 0.35, 0.8]), np.ones((1, 4))).round(4)
    array([0.8333])
    """
    return _auprc(*positives_by_score(target, prediction, counts))


def top_k(target: np.ndarray, prediction: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Share of positives among the k highest predictions, k being the number of positives; ties count by their share.

    At that threshold precision and recall are equal, as for splice sites in Jaganathan et al. 2019.

    >>> top_k(np.array([0, 0, 1, 1]), np.array([0.1, 0.4, 0.35, 0.8]), np.ones((1, 4)))
    array([0.5])
    """
    return _top_k(*positives_by_score(target, prediction, counts))


def log_loss(target: np.ndarray, prediction: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Mean cross-entropy of probabilities in nats, kept 1e-7 away from 0 and 1."""
    p = np.clip(prediction.astype(np.float64), 1e-7, 1 - 1e-7)
    return _mean(-np.where(target > 0.5, np.log(p), np.log1p(-p)), counts)


def accuracy(target: np.ndarray, prediction: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Share of examples on the right side of a probability of 0.5."""
    return _mean((prediction >= 0.5) == (target > 0.5), counts)


def mse(target: np.ndarray, prediction: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Mean squared error; of a probability from its label it is the Brier score."""
    return _mean((prediction.astype(np.float64) - target) ** 2, counts)


brier = mse


def r2(target: np.ndarray, prediction: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """1 - squared error / squared distance from the mean of the targets taken."""
    y = target.astype(np.float64)
    y = y - y.mean()
    variance = _mean(y**2, counts) - _mean(y, counts) ** 2
    return 1 - _ratio(mse(target, prediction, counts), np.where(variance > 1e-12 * (y**2).mean(), variance, 0))


def pearson(target: np.ndarray, prediction: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Pearson's correlation over examples."""
    return _correlation(_moments(target[:, None], prediction[:, None]), counts)


def spearman(target: np.ndarray, prediction: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Pearson's correlation of the ranks, ties sharing their mean rank."""
    x, y = mean_ranks(target, counts), mean_ranks(prediction, counts)
    total = counts.sum(1, keepdims=True)
    x, y = x - (counts * x).sum(1, keepdims=True) / total, y - (counts * y).sum(1, keepdims=True) / total
    return _ratio((counts * x * y).sum(1), np.sqrt((counts * x * x).sum(1) * (counts * y * y).sum(1)))


def profile_pearson(target: np.ndarray, prediction: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Pearson's correlation of one track over the bins (n, T) of all regions together."""
    return _correlation(_moments(target, prediction), counts)


def jsd_median(target: np.ndarray, prediction: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Median over regions of the Jensen-Shannon distance (base 2, 0 to 1) of the two profiles' shapes.

    target, prediction: (n, T); regions without a read are left out.
    """
    p, q = (_shape(x) for x in _both_known(target, prediction))
    seen = np.isfinite(p[:, 0]) & np.isfinite(q[:, 0])
    if not seen.any():
        return np.full(len(counts), np.nan)
    from scipy.special import rel_entr

    p, q = p[seen], q[seen]
    middle = (p + q) / 2
    divergence = (rel_entr(p, middle) + rel_entr(q, middle)).sum(1) / 2 / np.log(2)
    return _median(np.sqrt(np.clip(divergence, 0, 1)), counts[:, seen])


def log_count_pearson(target: np.ndarray, prediction: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Pearson's correlation over regions of log(1 + total) of one track; target, prediction: (n, T)."""
    totals = (np.log1p(np.clip(x.astype(np.float64).sum(1), 0, None)) for x in _both_known(target, prediction))
    return pearson(*totals, counts)


def class_accuracy(target: np.ndarray, prediction: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Share of ids (n, ...) that the highest score of prediction (n, K, ...) names; ids < 0 are left out."""
    known = target >= 0
    right = (prediction.argmax(1) == target) & known
    return _ratio(counts @ _per_example(right), counts @ _per_example(known))


def f1(k: int, target: np.ndarray, prediction: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """F1 of class k; NaN where it is neither there nor called."""
    known = target >= 0
    called, there = (prediction.argmax(1) == k) & known, target == k
    return _ratio(2 * counts @ _per_example(called & there), counts @ (_per_example(called) + _per_example(there)))


def each_resample(function: Callable[[np.ndarray, np.ndarray], float]) -> Function:
    """Make a metric of a plain function (target, prediction) -> number, called once a resample."""

    def metric(target: np.ndarray, prediction: np.ndarray, counts: np.ndarray) -> np.ndarray:
        rows = [np.repeat(np.arange(len(target)), c.astype(np.int64)) for c in counts]
        return np.array([function(target[r], prediction[r]) for r in rows], np.float64)

    return metric


def _is(*values: str, axes: tuple[str, ...] = ("C", "", "T", "CT")) -> Callable[[Field], bool]:
    return lambda field: field.values in values and field.axes in axes


def _over_positions(function: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> Function:
    """A metric of ranks over all positions (n, T) that are labelled; examples are resampled, not positions.

    function: positives and negatives (R, scores) by ascending score -> (R,).
    """

    def metric(target: np.ndarray, prediction: np.ndarray, counts: np.ndarray) -> np.ndarray:
        return function(*position_counts(target, prediction).under(counts))

    return metric


def _auroc(positive: np.ndarray, negative: np.ndarray) -> np.ndarray:
    below = np.cumsum(negative, axis=1) - negative
    return _ratio((positive * (below + 0.5 * negative)).sum(1), positive.sum(1) * negative.sum(1))


def _auprc(positive: np.ndarray, negative: np.ndarray) -> np.ndarray:
    gained = positive[:, ::-1]
    recalled = np.cumsum(gained, axis=1)
    called = recalled + np.cumsum(negative[:, ::-1], axis=1)
    return _ratio((gained * _ratio(recalled, called, 0.0)).sum(1), positive.sum(1))


def _top_k(positive: np.ndarray, negative: np.ndarray) -> np.ndarray:
    gained, called = positive[:, ::-1], (positive + negative)[:, ::-1]
    k = positive.sum(1, keepdims=True)
    room = np.clip(k - (np.cumsum(called, axis=1) - called), 0, called)
    return _ratio((gained * _ratio(room, called, 0.0)).sum(1), k[:, 0])


def _moments(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """(n, 6) sums over the bins of every example, about the overall mean for the sake of rounding."""
    x, y = x.astype(np.float64), y.astype(np.float64)
    known = np.isfinite(x) & np.isfinite(y)
    x, y = np.where(known, x - x[known].mean(), 0), np.where(known, y - y[known].mean(), 0)
    return np.stack([known.sum(1), x.sum(1), y.sum(1), (x * y).sum(1), (x * x).sum(1), (y * y).sum(1)], axis=1)


def _correlation(moments: np.ndarray, counts: np.ndarray) -> np.ndarray:
    n, x, y, xy, xx, yy = (counts @ moments).T
    n = np.maximum(n, 1)
    spread_x, spread_y = xx - x * x / n, yy - y * y / n
    flat = (spread_x <= 1e-12 * xx) | (spread_y <= 1e-12 * yy)
    return _ratio(xy - x * y / n, np.where(flat, 0, np.sqrt(np.abs(spread_x * spread_y))))


def _median(x: np.ndarray, counts: np.ndarray) -> np.ndarray:
    order = np.argsort(x)
    upto = np.cumsum(counts[:, order], axis=1)
    total = upto[:, -1:]
    low = (upto < np.ceil(total / 2)).sum(1).clip(max=len(x) - 1)
    high = (upto < np.floor(total / 2) + 1).sum(1).clip(max=len(x) - 1)
    return np.where(total[:, 0] > 0, (x[order][low] + x[order][high]) / 2, np.nan)


def _both_known(target: np.ndarray, prediction: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Zeros in both where the target is missing."""
    known = np.isfinite(target)
    return np.where(known, target, 0), np.where(known, prediction, 0)


def _shape(x: np.ndarray) -> np.ndarray:
    x = np.clip(x.astype(np.float64), 0, None)
    return _ratio(x, x.sum(1, keepdims=True))


def _per_example(x: np.ndarray) -> np.ndarray:
    return x.reshape(len(x), -1).sum(1).astype(np.float64)


def _mean(x: np.ndarray, counts: np.ndarray) -> np.ndarray:
    return _ratio(counts @ x.astype(np.float64), counts.sum(1))


def _ratio(a: np.ndarray, b: np.ndarray, otherwise: float = np.nan) -> np.ndarray:
    out = np.full(np.broadcast_shapes(np.shape(a), np.shape(b)), otherwise, np.float64)
    return np.divide(a, b, out=out, where=np.asarray(b) > 0)


_SCALAR, _PROFILE = ("C", ""), ("CT", "T")

METRICS = (
    Metric("auroc", auroc, _is("binary", axes=_SCALAR), two_classes=True, scale_free=True),
    Metric("auprc", auprc, _is("binary", axes=_SCALAR), two_classes=True, scale_free=True),
    Metric("log_loss", log_loss, _is("binary", axes=_SCALAR), probability=True, lower_is_better=True),
    Metric("accuracy", accuracy, _is("binary", axes=_SCALAR), probability=True),
    Metric("brier", brier, _is("binary", axes=_SCALAR), probability=True, lower_is_better=True),
    Metric("ece", ece, _is("binary", axes=_SCALAR), probability=True, lower_is_better=True, by_chance=ece_by_chance),
    Metric("auroc", _over_positions(_auroc), _is("binary", axes=_PROFILE), "positions", True, scale_free=True),
    Metric("auprc", _over_positions(_auprc), _is("binary", axes=_PROFILE), "positions", True, scale_free=True),
    Metric("top_k", _over_positions(_top_k), _is("binary", axes=_PROFILE), "positions", True, scale_free=True),
    Metric("pearson", pearson, _is("real", "count", axes=_SCALAR), scale_free=True),
    Metric("spearman", spearman, _is("real", "count", axes=_SCALAR), scale_free=True),
    Metric("mse", mse, _is("real", "count", axes=_SCALAR), lower_is_better=True),
    Metric("r2", r2, _is("real", "count", axes=_SCALAR)),
    Metric("pearson", profile_pearson, _is("real", "count", axes=_PROFILE), "bins"),
    Metric("jsd_median", jsd_median, _is("count", axes=_PROFILE), "regions", lower_is_better=True),
    Metric("log_count_pearson", log_count_pearson, _is("count", axes=_PROFILE), "regions"),
    Metric("accuracy", class_accuracy, _is("class", axes=("",))),
    Metric("ece", class_ece, _is("class", axes=("",)), probability=True, lower_is_better=True, by_chance=ece_by_chance),
    Metric("accuracy", class_accuracy, _is("class", axes=("T",)), "positions"),
)
