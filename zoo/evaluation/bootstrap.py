"""Bootstrap interval of a metric, with its n and, where the metric is undefined, the reason; paired differences."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from zoo.evaluation.comparison import CALIBRATED
from zoo.evaluation.metrics import Metric

MIN_EXAMPLES = 10
"""Examples of a class below which no interval is given."""

_CHUNK = 1 << 21


@dataclass(frozen=True)
class Measure:
    """value, low, high: the metric and its percentile bootstrap interval over examples; None where undefined.

    n: examples; n_positive: those of label 1 (by position: with a 1 anywhere), None where there are no classes.
    note: why something is None, or what to compare the value with.
    resampled: (R,) the metric of every resample, NaN where it is undefined; None without an interval.
    """

    value: float | None
    low: float | None
    high: float | None
    n: int
    n_positive: int | None
    note: str = ""
    resampled: np.ndarray | None = field(default=None, compare=False, repr=False)


def measure(
    metric: Metric,
    target: np.ndarray,
    prediction: np.ndarray,
    *,
    binary: bool = False,
    n_bootstrap: int = 1000,
    seed: int = 0,
    clusters: np.ndarray | None = None,
) -> Measure:
    """The metric on the examples given, and its 95 % interval from `n_bootstrap` resamples (0 for none).

    target, prediction: (n, ...) of one task, without missing labels.
    clusters: (n,) ids of examples that are drawn together, None where each is drawn by itself.
    The same n and seed give the same resamples, so that predictors on equal rows are compared on equal terms.
    The interval of a metric with `by_chance` is mirrored at the value (basic bootstrap), since resampling raises it
    once more; it begins at 0 where chance alone explains the value.
    """
    n = len(target)
    if n == 0:
        return Measure(None, None, None, 0, 0 if binary else None, "no labelled example")
    positives, negatives = (_with(target, 1), _with(target, 0)) if binary else (0, 0)
    n_positive = positives if binary else None
    if not np.isfinite(np.asarray(prediction, np.float64)).all():
        return Measure(None, None, None, n, n_positive, "predictions are not finite")
    if metric.probability and (np.min(prediction) < 0 or np.max(prediction) > 1):
        return Measure(None, None, None, n, n_positive, "predictions are no probabilities from 0 to 1")
    smaller = min(positives, negatives) if binary else n
    if metric.two_classes and smaller == 0:
        return Measure(None, None, None, n, n_positive, f"all {n:,} labels are {int(positives > 0)}: one class only")
    value = float(metric.function(target, prediction, np.ones((1, n)))[0])
    if not np.isfinite(value):
        return Measure(None, None, None, n, n_positive, "undefined: target or prediction is constant")
    notes = [_prevalence(target)] if metric.name == "auprc" else []
    chance = metric.by_chance(prediction) if metric.by_chance else None
    if chance:
        notes.append(f"{CALIBRATED} would have an {metric.name} of {chance[0]:.3f} here, below {chance[1]:.3f} in 95 %")
    if smaller < MIN_EXAMPLES and (binary or n < MIN_EXAMPLES):
        which = "examples" if not binary else "positives" if positives <= negatives else "negatives"
        notes.append(f"only {smaller} {which}: too few for an interval")
        n_bootstrap = 0
    if clusters is not None and n_bootstrap:
        names, clusters = np.unique(clusters, return_inverse=True)
        notes.append(f"intervals resample {len(names):,} clusters of examples")
        if len(names) < MIN_EXAMPLES:
            notes[-1], n_bootstrap = f"only {len(names)} clusters of examples: too few for an interval", 0
    low = high = resampled = None
    if n_bootstrap:
        step = max(1, _CHUNK // n)
        rng = np.random.default_rng(seed)
        sizes = [min(step, n_bootstrap - first) for first in range(0, n_bootstrap, step)]
        drawn = (resamples(rng, size, n, clusters) for size in sizes)
        if len(sizes) == 1 and clusters is None:
            drawn = (_resamples_once(seed, n_bootstrap, n),)
        resampled = np.concatenate([metric.function(target, prediction, counts) for counts in drawn])
        low, high = _interval(resampled)
        if chance and low is not None and high is not None:
            low, high = _without_noise(value, low, high, chance[1])
            resampled = None  # noise raises both of a pair, and not alike
    return Measure(value, low, high, n, n_positive, "; ".join(notes), resampled)


@dataclass(frozen=True)
class Difference:
    """A metric of a model minus that of a rival on the same examples, and the 95 % interval of the difference.

    rival: name of the rival.
    """

    rival: str
    value: float
    low: float
    high: float


def paired_difference(rival: str, model: Measure, other: Measure) -> Difference | None:
    """The paired bootstrap of two predictors: the difference in every resample, which is the same for both.

    model, other: as `measure` returns them for the same examples, n_bootstrap and seed.  The difference of two values
    whose own intervals overlap may well be certain, since both predictors are right and wrong on the same examples.
    None where either has no value or no interval.
    """
    if model.value is None or other.value is None or model.resampled is None or other.resampled is None:
        return None
    if model.n != other.n or model.resampled.shape != other.resampled.shape:
        return None
    low, high = _interval(model.resampled - other.resampled)
    if low is None or high is None:
        return None
    return Difference(rival, model.value - other.value, low, high)


def _interval(resampled: np.ndarray) -> tuple[float | None, float | None]:
    """2.5th and 97.5th percentile of the resamples in which the metric is defined; None where there are none."""
    values = resampled[np.isfinite(resampled)]
    if not len(values):
        return None, None
    low, high = np.quantile(values, [0.025, 0.975])
    return float(low), float(high)


def resamples(rng: np.random.Generator, size: int, n: int, clusters: np.ndarray | None = None) -> np.ndarray:
    """(size, n) how often every example is drawn when n are drawn with replacement, or as many clusters as there are.

    clusters: (n,) numbers of the examples' clusters, from 0 on.
    """
    if clusters is not None:
        return resamples(rng, size, int(clusters.max()) + 1)[:, clusters]
    drawn = rng.integers(0, n, (size, n)) + np.arange(size)[:, None] * n
    return np.bincount(drawn.ravel(), minlength=size * n).reshape(size, n).astype(np.float64)


@lru_cache(maxsize=1)
def _resamples_once(seed: int, size: int, n: int) -> np.ndarray:
    """The resamples of n examples, kept for the next metric and predictor on the same rows."""
    counts = resamples(np.random.default_rng(seed), size, n)
    counts.flags.writeable = False
    return counts


def _without_noise(value: float, low: float, high: float, most: float) -> tuple[float, float]:
    """most: 95th percentile of the value by chance."""
    return 0.0 if value <= most else max(0.0, 2 * value - high), max(value, 2 * value - low)


def _prevalence(target: np.ndarray) -> str:
    """What chance would reach in AUPRC; by position the numbers themselves too, which n says nothing of."""
    known = np.isfinite(target)
    positive, of = int((target[known] > 0.5).sum()), int(known.sum())
    prevalence = f"prevalence {positive / max(1, of):.3g}"
    return prevalence if target.ndim == 1 else f"{positive:,} of {of:,} positions are 1, {prevalence}"


def _with(target: np.ndarray, label: int) -> int:
    """Examples of this label, or with one anywhere."""
    return int((np.abs(target - label) < 0.5).reshape(len(target), -1).any(1).sum())
