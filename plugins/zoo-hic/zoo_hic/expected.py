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
from zoo_hic.maps import check_square

_RATIO = 10**0.1
"""Ends of a pooled bin of diagonals: ten bins a decade."""


def compute_expected(square: np.ndarray, min_valid: int = 1, min_pairs: int = 0) -> np.ndarray:
    """Mean of each diagonal of one contig: (T,) float64.

    square: (T, T), symmetric, NaN where unknown.
    min_valid: NaN for diagonals with fewer known pairs.
    min_pairs: see `smooth_far`; 0 leaves every diagonal its own mean.
    """
    return pool_expected([square], min_valid, min_pairs)


def pool_expected(squares: Iterable[np.ndarray], min_valid: int = 1, min_pairs: int = 0) -> np.ndarray:
    """Mean of each diagonal over all pairs of several contigs: (largest T,) float64; arguments of `compute_expected`.

    A contig counts by its number of pairs.
    """
    total, pairs = np.zeros(0), np.zeros(0)
    for square in squares:
        sums, known = diagonal_sums(square)
        longer = max(len(total), len(sums))
        total, pairs = np.pad(total, (0, longer - len(total))), np.pad(pairs, (0, longer - len(pairs)))
        total[: len(sums)] += sums
        pairs[: len(known)] += known
    mean = np.divide(total, pairs, out=np.full(len(total), np.nan), where=pairs > 0)
    if min_pairs > 0:
        mean = smooth_far(total, pairs, min_pairs)
    return np.where(pairs >= max(min_valid, 1), mean, np.nan)


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
    """The square (T, T) whose diagonals are the first T values of `compute_expected`: what distance alone predicts."""
    if len(expected) < bins:
        raise ConfigError(f"expected has {len(expected):,} diagonals, the map {bins:,}: compute it from maps as large")
    at = np.arange(bins)
    return np.asarray(expected, np.float64)[np.abs(at[:, None] - at[None, :])]


def _pool_far(total, pairs, first: int, min_pairs: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean log distance, mean and number of pairs of the bins of diagonals from `first` on."""
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
    if not pools:
        return np.zeros(0), np.zeros(0), np.zeros(0)
    at, value, weight = map(np.array, zip(*pools, strict=True))
    return at, value, weight
