"""How well a part keeps its activity whatever stands around it.

activity, part, context (n,) -> a row a part: mean, spread over contexts, insulation with its interval, status
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

FEWEST = 3
"""Contexts below which a spread says nothing."""


@dataclass(frozen=True)
class Insulation:
    """Of one part.

    mean: of its activities.  spread: standard deviation over contexts beyond noise.
    score: 1 - spread ** 2 / variance between parts, beyond noise: 1 for a part that no context moves, 0 for one that
        its contexts move as much as parts differ; below 0 for worse, and above 1 where noise explains more than all.
    low, high: 95 % interval over contexts; the variance between parts and the noise are taken as they are.
    status: ok, or too_few_contexts, where spread, score, low and high are NaN.
    """

    part: str
    n: int
    mean: float
    spread: float
    score: float
    low: float
    high: float
    status: str = "ok"


def insulate(
    activity: np.ndarray,
    part: np.ndarray,
    context: np.ndarray,
    between: float,
    noise: np.ndarray | None = None,
) -> list[Insulation]:
    """Every part in the order of its score, the best insulated first, then those without one.

    Intervals are those of a variance, by chi-square with as many degrees of freedom as the kurtosis of activities over
    contexts leaves (Box 1953, Biometrika 40:318); it is that of all parts together.  Resampled contexts would do worse:
    of three, their intervals of 95 % hold the truth in four cases of ten.

    between: variance of activity between parts, as `partition_variance` estimates it.  A part in one context more than
    once counts with the mean.
    noise: (n,) variance of each activity, taken off; None if unknown, and spreads then hold it.
    """
    rows, labels, tables = [], part.astype(str), {}
    for name in np.unique(labels):
        at = np.flatnonzero(labels == name)
        tables[name] = _by_context(activity[at], context[at], None if noise is None else noise[at])
    kurtosis = _pool_kurtosis([means for means, _ in tables.values()])
    for name, (means, errors) in tables.items():
        if len(means) < FEWEST or not between > 0:
            nan = float("nan")
            rows.append(Insulation(name, len(means), float(means.mean()), nan, nan, nan, nan, "too_few_contexts"))
            continue
        variance = _beyond_noise(means, errors)
        degrees = 2 / (kurtosis / len(means) + 2 / (len(means) - 1))
        whole = degrees * means.var(ddof=1) / stats.chi2.ppf([0.025, 0.975], degrees)
        low, high = 1 - (whole - errors.mean()) / between
        score = 1 - variance / between
        rows.append(
            Insulation(
                name, len(means), float(means.mean()), max(variance, 0.0) ** 0.5, float(score), float(low), float(high)
            )
        )
    return sorted(rows, key=lambda row: (row.status != "ok", -row.score if row.status == "ok" else 0.0, row.part))


def _by_context(activity: np.ndarray, context: np.ndarray, noise: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """Mean activity in every context, and the variance of that mean (0 where it is not known)."""
    of = np.unique(context.astype(str), return_inverse=True)[1]
    count = np.bincount(of)
    errors = np.zeros(len(count)) if noise is None else np.bincount(of, np.nan_to_num(noise)) / count**2
    return np.bincount(of, activity) / count, errors


def _pool_kurtosis(tables: list[np.ndarray]) -> float:
    """Mean excess kurtosis, unbiased for normal values, of all parts in four contexts or more; 0 where it is less."""
    several = [means for means in tables if len(means) > FEWEST and np.ptp(means) > 0]
    if not several:
        return 0.0
    each = [float(stats.kurtosis(means, bias=False)) for means in several]
    return max(float(np.average(each, weights=[len(means) for means in several])), 0.0)


def _beyond_noise(means: np.ndarray, errors: np.ndarray) -> float:
    return float(means.var(ddof=1) - errors.mean())
