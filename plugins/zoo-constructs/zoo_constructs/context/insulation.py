"""How well a part keeps its activity whatever stands around it.

activity, part, context (n,) -> a row a part: mean, spread over contexts, insulation with its interval, status
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

FEWEST = 3
"""Contexts below which a spread says nothing."""


@dataclass(frozen=True)
class Insulation:
    """Of one part.

    mean: of its activities.  spread: standard deviation over contexts beyond noise.
    score: 1 - spread ** 2 / variance between parts, beyond noise: 1 for a part that no context moves, 0 for one that
        its contexts move as much as parts differ; below 0 for worse.  low, high: 95 % interval, contexts resampled.
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
    *,
    resamples: int = 500,
    seed: int = 0,
) -> list[Insulation]:
    """Every part in the order of its score, the best insulated first, then those without one.

    between: variance of activity between parts, as `partition_variance` estimates it.  A part in one context more than
    once counts with the mean.
    noise: (n,) variance of each activity, taken off; None if unknown, and spreads then hold it.
    """
    rng = np.random.default_rng(seed)
    rows = []
    for name in np.unique(part.astype(str)):
        at = np.flatnonzero(part.astype(str) == name)
        means, errors = _by_context(activity[at], context[at], None if noise is None else noise[at])
        if len(means) < FEWEST or not between > 0:
            nan = float("nan")
            rows.append(Insulation(name, len(means), float(means.mean()), nan, nan, nan, nan, "too_few_contexts"))
            continue
        draws = rng.integers(len(means), size=(resamples, len(means)))
        variance = _beyond_noise(means, errors)
        low, high = np.percentile([1 - _beyond_noise(means[d], errors[d]) / between for d in draws], [2.5, 97.5])
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


def _beyond_noise(means: np.ndarray, errors: np.ndarray) -> float:
    return float(means.var(ddof=1) - errors.mean())
