"""Contacts that distance alone explains: the mean of each diagonal.

    square (T, T) -> expected (T,): mean contact of bins that are d apart, over pairs of unmasked bins, zeros included

Far diagonals have few pairs.  Where there are fewer than `min_pairs`, neighbouring diagonals are pooled in bins of
growing width, and the pooled means are made to fall with distance.  Pooling in logarithmic bins is cooltools' idea
(Open2C et al. 2024, doi:10.1371/journal.pcbi.1012067), which smooths sums and numbers of pairs alike with a Gaussian in
log distance; here only the far end is pooled, so that near diagonals keep their own mean exactly.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from zoo.errors import ConfigError
from zoo_hic.maps import bins_apart, check_square

_RATIO = 10**0.1
"""Ends of a pooled bin of diagonals: ten bins a decade."""


def pool_expected(squares: Iterable[np.ndarray], min_pairs: int = 0) -> np.ndarray:
    """Mean of each diagonal over all pairs of several contigs, each counting by its pairs: (largest T,) float64.

    squares: (T, T), symmetric, NaN where unknown.  min_pairs: see `smooth_far`; 0 leaves every diagonal its own mean.
    NaN for diagonals without a known pair.
    """
    sums = [diagonal_sums(square) for square in squares]
    total, pairs = np.zeros((2, max((len(known) for _, known in sums), default=0)))
    for values, known in sums:
        total[: len(values)] += values
        pairs[: len(known)] += known
    return np.where(pairs > 0, smooth_far(total, pairs, min_pairs), np.nan)


def diagonal_sums(square: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sum and number of the known values of each diagonal of the upper triangle: two of (T,) float64."""
    square = check_square(square)
    n = len(square)
    row, column = np.triu_indices(n)
    value = square[row, column]
    known = np.isfinite(value)
    distance = (column - row)[known]
    return np.bincount(distance, value[known], n), np.bincount(distance, minlength=n).astype(np.float64)


def smooth_far(total: np.ndarray, pairs: np.ndarray, min_pairs: int) -> np.ndarray:
    """Means by diagonal, pooled from the first one on that has fewer than `min_pairs` pairs: (T,) float64.

    total, pairs: (T,), sum and number of the known pairs of each diagonal.
    The pooled means (each of at least `min_pairs` pairs, but for the last) are made non-increasing by isotonic
    regression weighted by pairs, and interpolated linearly in log distance.  The main diagonal is never pooled.
    """
    mean = np.divide(total, pairs, out=np.full(len(total), np.nan), where=pairs > 0)
    few = np.flatnonzero(pairs[1:] < min_pairs) + 1
    if not len(few):
        return mean
    at, value, weight = _pool_far(total, pairs, int(few[0]), min_pairs)
    if not len(at):
        return mean
    from scipy.optimize import isotonic_regression

    value = isotonic_regression(value, weights=weight, increasing=False).x
    far = np.arange(few[0], len(total))
    mean[far] = np.interp(np.log(far), at, value)
    return mean


def expand_expected(expected: np.ndarray, bins: int) -> np.ndarray:
    """The square (T, T) whose diagonals are the first T values of `pool_expected`: what distance alone predicts."""
    if len(expected) < bins:
        raise ConfigError(f"expected has {len(expected):,} diagonals, the map {bins:,}: compute it from maps as large")
    return np.asarray(expected, np.float64)[bins_apart(bins)]


def _pool_far(total, pairs, first: int, min_pairs: int) -> np.ndarray:
    """(3, P) mean log distance, mean and number of pairs of the bins of diagonals from `first` on."""
    pools, start = [], first
    log = np.log(np.arange(len(total)).clip(1))
    while start < len(total):
        end = max(start + 1, int(np.ceil(start * _RATIO)))
        while end < len(total) and pairs[start:end].sum() < min_pairs:
            end += 1
        n = pairs[start:end].sum()
        if n:
            pools.append(((log[start:end] * pairs[start:end]).sum() / n, total[start:end].sum() / n, n))
        start = end
    return np.array(pools).reshape(-1, 3).T
