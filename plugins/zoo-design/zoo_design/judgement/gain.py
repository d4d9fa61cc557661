"""What a judge sees: gains over the starts and over random edits, and where the designs lie among natural sequences.

values of designs, starts, random edits, natural ones -> Gain (three differences with their intervals)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zoo.evaluation.bootstrap import MIN_EXAMPLES, resamples

RESAMPLES = 2_000
QUANTILE = 0.95
"""Of the natural sequences, which the median design must exceed."""

_CHUNK = 1 << 22


@dataclass(frozen=True)
class Difference:
    """value, and the 2.5th and 97.5th percentile of its resamples."""

    value: float
    low: float
    high: float

    @property
    def positive(self) -> bool:
        """Whether the interval lies above 0."""
        return self.low > 0

    def __str__(self) -> str:
        return f"{self.value:.3g} [{self.low:.3g}, {self.high:.3g}]"


@dataclass(frozen=True)
class Gain:
    """over_start: mean of design less start.  over_random: mean of design less the mean of its random edits.
    over_natural: median design less the 95th percentile of the natural ones, None without any.
    n: designs.  units: what was drawn with replacement, "starts" or "designs"; n_units: how many.
    """

    over_start: Difference
    over_random: Difference
    over_natural: Difference | None
    n: int
    units: str
    n_units: int


def measure_gain(
    values: np.ndarray,
    starts: np.ndarray,
    random: np.ndarray,
    natural: np.ndarray,
    groups: np.ndarray,
    seed: int = 0,
) -> Gain | None:
    """By the bootstrap; None where fewer than 10 units are left.

    values, starts, random: (N,) of distinct designs, random being the mean over a design's random edits.
    natural: (M,).  groups: (N,) number of the start.  Starts are drawn with all their designs, since designs from one
    start are near-copies of each other; of fewer than 10 starts designs are drawn.
    """
    finite = np.isfinite(values) & np.isfinite(starts) & np.isfinite(random)
    values, starts, random, groups = values[finite], starts[finite], random[finite], groups[finite]
    _, unit = np.unique(groups, return_inverse=True)
    units = "starts"
    if len(values) and unit.max() + 1 < MIN_EXAMPLES:
        unit, units = np.arange(len(values)), "designs"
    n_units = int(unit.max()) + 1 if len(values) else 0
    if n_units < MIN_EXAMPLES:
        return None
    rng = np.random.default_rng(seed)
    order = np.argsort(values)
    start, edit, median = [], [], []
    step = max(1, _CHUNK // max(n_units, len(values)))
    for first in range(0, RESAMPLES, step):
        weights = resamples(rng, min(step, RESAMPLES - first), n_units)[:, unit]
        total = weights.sum(1)
        start.append(weights @ (values - starts) / total)
        edit.append(weights @ (values - random) / total)
        median.append(weighted_median(values[order], weights[:, order]))
    natural = np.sort(natural[np.isfinite(natural)])
    over_natural = None
    if len(natural) >= MIN_EXAMPLES / (1 - QUANTILE):
        bar = float(np.quantile(natural, QUANTILE))
        bars = _resampled_quantile(natural, rng)
        over_natural = _difference(float(np.median(values)) - bar, np.concatenate(median) - bars)
    return Gain(
        _difference(float((values - starts).mean()), np.concatenate(start)),
        _difference(float((values - random).mean()), np.concatenate(edit)),
        over_natural,
        len(values),
        units,
        n_units,
    )


def weighted_median(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """values (N,) ascending, weights (R, N) -> (R,) the value at which half of the weight is reached.

    >>> weighted_median(np.array([1.0, 2.0, 9.0]), np.array([[1.0, 1, 1], [0, 0, 2]])).tolist()
    [2.0, 9.0]
    """
    reached = weights.cumsum(1) >= weights.sum(1, keepdims=True) / 2
    return values[reached.argmax(1)]


def percentiles(values: np.ndarray, natural: np.ndarray) -> np.ndarray:
    """(N,) percent of the natural ones that lie below each value, ties counted half; NaN where there is no value.

    >>> percentiles(np.array([0.5, 2.0, np.nan]), np.array([0.0, 1.0])).tolist()
    [50.0, 100.0, nan]
    """
    natural = np.sort(natural[np.isfinite(natural)])
    if not len(natural):
        return np.full(len(values), np.nan)
    below, up_to = np.searchsorted(natural, values, "left"), np.searchsorted(natural, values, "right")
    return np.where(np.isfinite(values), 50.0 * (below + up_to) / len(natural), np.nan)


def _resampled_quantile(ordered: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """(RESAMPLES,) the quantile in resamples of a sorted sample: its rank there is a beta variable."""
    n = len(ordered)
    rank = min(n, int(np.ceil(QUANTILE * n)))
    drawn = rng.beta(rank, n - rank + 1, RESAMPLES)
    return ordered[np.minimum((drawn * n).astype(int), n - 1)]


def _difference(value: float, resampled: np.ndarray) -> Difference:
    low, high = np.quantile(resampled, [0.025, 0.975])
    return Difference(value, float(low), float(high))
