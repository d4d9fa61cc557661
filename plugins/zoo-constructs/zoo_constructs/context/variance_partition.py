"""How much of the variance of activity is of the part, of its context, of both together, and noise.

activity (n,), part (n,), context (n,) -> Variances, unbiased however unequally parts and contexts meet

Half the mean squared difference of two constructs is part + context + rest where they share neither, context + rest
where they share the part, part + rest where they share the context, noise where they share both: the symmetric sums
of Koch (1968, Technometrics 10:551).  The rest is interaction and noise, which replicates, in columns or rows, part.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zoo.errors import DataError

FEWEST_REPEATS = 10
"""Pairs of constructs alike in part and context from which their difference counts as noise."""


@dataclass(frozen=True)
class Variances:
    """interaction holds the noise, too, where that is unknown (NaN)."""

    part: float
    context: float
    interaction: float
    noise: float

    @property
    def shares(self) -> dict[str, float]:
        """Of the whole variance; an estimate may lie below 0, as unbiased ones do."""
        whole = self.part + self.context + self.interaction + (0.0 if np.isnan(self.noise) else self.noise)
        return {name: value / whole for name, value in vars(self).items()}


def partition_variance(
    activity: np.ndarray,
    part: np.ndarray,
    context: np.ndarray,
    noise: np.ndarray | None = None,
    times: np.ndarray | None = None,
) -> Variances:
    """activity: (n,).  part, context: (n,) labels.

    noise: (n,) unbiased variance of each activity, which rows without one (NaN) are taken to share (`select_replicated`
        leaves them out); None if unknown: rows that repeat part and context then show it, where there are enough.

    times: (n,) how often each construct counts, as in a resample; a construct is never compared with itself.
    Raises DataError where no two constructs share a part, or a context, without sharing both, and where all activities
    are the same.
    """
    if not np.ptp(activity) > 0:
        raise DataError(f"all {len(activity):,} activities are the same: there is no variance to share out")
    times = np.ones(len(activity)) if times is None else np.asarray(times, np.float64)
    y = np.asarray(activity, np.float64) - np.average(activity, weights=times)
    parts, contexts = (np.unique(x, return_inverse=True)[1] for x in (part, context))
    cells = parts * (contexts.max() + 1) + contexts
    everyone, by_part, by_context, by_cell = (
        _pairs(y, times, g) for g in (np.zeros_like(parts), parts, contexts, cells)
    )
    same_part, same_context = by_part - by_cell, by_context - by_cell
    for name, (_, pairs) in (("part", same_part), ("context", same_context)):
        if pairs < 0.5:
            raise DataError(f"no two constructs share a {name} alone: its variance shows only where it recurs")
    (apart, n_apart) = everyone - by_part - by_context + by_cell
    if n_apart < 0.5:
        raise DataError("no two constructs differ in part and context: give a library of several parts and contexts")
    whole, of_part, of_context = (total / n for total, n in ((apart, n_apart), same_part, same_context))
    if not whole > 0:
        raise DataError("constructs of different part and context have the same activity: no variance to share out")
    rest = of_part + of_context - whole
    error = np.nan
    if noise is not None and (known := np.isfinite(noise) & (times > 0)).any():
        error = float(np.average(np.asarray(noise)[known], weights=times[known]))
    elif noise is None and by_cell[1] >= FEWEST_REPEATS:
        error = float(by_cell[0] / by_cell[1])
    interaction = rest if np.isnan(error) else rest - error
    return Variances(float(whole - of_part), float(whole - of_context), float(interaction), error)


def select_replicated(noise: np.ndarray) -> np.ndarray:
    """(n,) bool: the rows with a variance of their own; all where none has one.

    A mean of one value is noisier than one of several, so that the noise of others says too little of it.
    """
    known = np.isfinite(noise)
    return known if known.any() else ~known


def count_recurring(part: np.ndarray, context: np.ndarray) -> tuple[int, int]:
    """How many parts stand in several contexts, and how many contexts around several parts."""
    pairs = np.unique(np.stack([np.unique(x, return_inverse=True)[1] for x in (part, context)]), axis=1)
    return int((np.bincount(pairs[0]) > 1).sum()), int((np.bincount(pairs[1]) > 1).sum())


def _pairs(y: np.ndarray, times: np.ndarray, group: np.ndarray) -> np.ndarray:
    """Sum over pairs of different constructs within groups of half the squared difference, and the number of pairs."""
    n, total, square, own = (np.bincount(group, w) for w in (times, times * y, times * y**2, times**2))
    return np.array([(n * square - total**2).sum() / 2, (n**2 - own).sum() / 2])
