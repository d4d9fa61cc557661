"""Intervals of variance shares: parts and contexts are resampled, each as a whole.

activity, part, context (n,) -> Shares: estimate and 95 % interval of part, context, interaction, noise

A part drawn twice and a context drawn three times count its construct six times (the pigeonhole bootstrap of Owen 2007,
Annals of Applied Statistics 1:386): constructs that share a part are no independent rows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zoo.errors import DataError
from zoo_constructs.context.variance_partition import Variances, count_recurring, partition_variance

NAMES = ("part", "context", "interaction", "noise")
FEWEST = 5
"""Parts in several contexts, and contexts around several parts, below which resamples say too little: of two contexts
an interval of 95 % holds the truth in one case of five."""


@dataclass(frozen=True)
class Shares:
    """value, low, high: {name: share of the whole variance}; interaction holds the noise where that is NaN.

    low and high are NaN where fewer than `FEWEST` parts, or contexts, recur.

    variances: of the library itself.  n, parts, contexts: constructs and distinct labels.
    """

    variances: Variances
    value: dict[str, float]
    low: dict[str, float]
    high: dict[str, float]
    n: int
    parts: int
    contexts: int

    def sentences(self) -> list[str]:
        """A line a share."""
        lines = []
        for name in NAMES:
            if np.isnan(self.value[name]):
                continue
            both = name == "interaction" and np.isnan(self.value["noise"])
            label = "interaction and noise, which only replicates tell apart" if both else name
            lines.append(f"{label}: {self.text(name, '.2f')}")
        if np.isnan(self.low["part"]):
            lines.append(f"no intervals: they need {FEWEST} parts in several contexts and {FEWEST} contexts that recur")
        return lines

    def noise_of(self, noise: np.ndarray | None) -> np.ndarray | None:
        """(n,) variance of each activity: `noise` of its replicates, or what rows alike in part and context show."""
        if noise is not None or np.isnan(self.variances.noise):
            return noise
        return np.full(self.n, self.variances.noise)

    def text(self, name: str, digits: str) -> str:
        """A share with its interval, where it has one: 0.51 [0.35, 0.64]."""
        value, low, high = (format(x[name], digits) for x in (self.value, self.low, self.high))
        return value if np.isnan(self.low[name]) else f"{value} [{low}, {high}]"


def share_variance(
    activity: np.ndarray,
    part: np.ndarray,
    context: np.ndarray,
    noise: np.ndarray | None = None,
    *,
    resamples: int = 500,
    seed: int = 0,
) -> Shares:
    """Arguments as of `partition_variance`, which raises for a library that does not show them.

    Raises DataError, too, where one part alone, or one context, recurs.  Resamples in which none recurs count nothing.
    """
    recurring = count_recurring(part, context)
    for name, other, count in zip(("part", "context"), ("contexts", "parts"), recurring, strict=True):
        if count == 1:
            raise DataError(f"one {name} alone stands with several {other}: its variance shows where two do")
    whole = partition_variance(activity, part, context, noise)
    parts, contexts = (np.unique(x, return_inverse=True)[1] for x in (part, context))
    rng = np.random.default_rng(seed)
    n_parts, n_contexts = int(parts.max()) + 1, int(contexts.max()) + 1
    draws = []
    for _ in range(resamples if min(recurring) >= FEWEST else 0):
        times = np.bincount(rng.integers(n_parts, size=n_parts), minlength=n_parts)[parts]
        times = times * np.bincount(rng.integers(n_contexts, size=n_contexts), minlength=n_contexts)[contexts]
        try:
            drawn = partition_variance(activity, part, context, noise, times)
        except DataError:  # no part, or no context, recurs among those drawn
            continue
        if np.isnan(drawn.noise) == np.isnan(whole.noise):
            draws.append([drawn.shares[name] for name in NAMES])
    low, high = np.percentile(draws, [2.5, 97.5], axis=0) if draws else np.full((2, len(NAMES)), np.nan)
    return Shares(
        whole,
        whole.shares,
        dict(zip(NAMES, low.tolist(), strict=True)),
        dict(zip(NAMES, high.tolist(), strict=True)),
        len(parts),
        n_parts,
        n_contexts,
    )
