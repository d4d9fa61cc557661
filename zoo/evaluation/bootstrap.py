"""Bootstrap interval of a metric, with its n and, where the metric is undefined, the reason."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zoo.evaluation.metrics import Metric

MIN_EXAMPLES = 10
"""Examples of a class below which no interval is given."""

_CHUNK = 1 << 21


@dataclass(frozen=True)
class Measure:
    """value, low, high: the metric and its percentile bootstrap interval over examples; None where undefined.

    n: examples; n_positive: those of label 1 (by position: with a 1 anywhere), None where there are no classes.
    note: why something is None, or what to compare the value with.
    """

    value: float | None
    low: float | None
    high: float | None
    n: int
    n_positive: int | None
    note: str = ""


def measure(
    metric: Metric,
    target: np.ndarray,
    prediction: np.ndarray,
    *,
    binary: bool = False,
    n_bootstrap: int = 1000,
    seed: int = 0,
) -> Measure:
    """The metric on the examples given, and its 95 % interval from `n_bootstrap` resamples (0 for none).

    target, prediction: (n, ...) of one task, without missing labels.
    The same n and seed give the same resamples, so that predictors on equal rows are compared on equal terms.
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
    notes = [f"prevalence {positives / n:.3g}"] if metric.name == "auprc" else []
    if smaller < MIN_EXAMPLES and (binary or n < MIN_EXAMPLES):
        which = "examples" if not binary else "positives" if positives <= negatives else "negatives"
        notes.append(f"only {smaller} {which}: too few for an interval")
        n_bootstrap = 0
    low = high = None
    if n_bootstrap:
        step = max(1, _CHUNK // n)
        rng = np.random.default_rng(seed)
        sizes = [min(step, n_bootstrap - first) for first in range(0, n_bootstrap, step)]
        values = np.concatenate([metric.function(target, prediction, resamples(rng, size, n)) for size in sizes])
        values = values[np.isfinite(values)]
        if len(values):
            low, high = (float(q) for q in np.quantile(values, [0.025, 0.975]))
    return Measure(value, low, high, n, n_positive, "; ".join(notes))


def resamples(rng: np.random.Generator, size: int, n: int) -> np.ndarray:
    """(size, n) how often every example is drawn when n are drawn with replacement."""
    drawn = rng.integers(0, n, (size, n)) + np.arange(size)[:, None] * n
    return np.bincount(drawn.ravel(), minlength=size * n).reshape(size, n).astype(np.float64)


def _with(target: np.ndarray, label: int) -> int:
    """Examples of this label, or with one anywhere."""
    return int((np.abs(target - label) < 0.5).reshape(len(target), -1).any(1).sum())
