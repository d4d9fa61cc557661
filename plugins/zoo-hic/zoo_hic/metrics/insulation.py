"""Insulation score: the mean contact across each bin, in a diamond, as log2 of its ratio to the median of the contig.

              j = b .. b + w - 1
           ┌────────────┐
           │  diamond   │   rows i = b - w + 1 .. b; pixels with j - i < ignore are left out
           └────────────┘
    score[b] = log2(mean of the diamond's known pixels / median of all means)

(Crane et al. 2015, Nature 523:240.)  Values equal those of `cooltools.insulation`, release 0.7.1.  Few contacts across
a bin mean a boundary, so minima of the score are boundaries (`zoo_hic.metrics.boundaries`).
"""

from __future__ import annotations

import numpy as np

from zoo.errors import ConfigError, DataError
from zoo_hic.maps import check_square
from zoo_hic.metrics.bands import Squares
from zoo_hic.metrics.blocks import Figure, figure, moments, pearson_from_sums


def window_bins(window: float, resolution: int) -> int:
    """Bins of a window in bp, which must be a multiple of the resolution and at least two bins."""
    bins = window / resolution
    if bins != int(bins) or bins < 2:
        raise ConfigError(
            f"window of {window:,} bp is no multiple of {resolution:,} bp, at least twice: give one that is"
        )
    return int(bins)


def insulation(square: np.ndarray, window: int, *, ignore: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """score (T,), NaN where the diamond has no contact or no known pixel, and how many pixels are known (T,) int64.

    square: (T, T) contacts or O/E (not their logarithm), NaN where masked.  window: bins.
    ignore: the first diagonals, which are left out; cooler's balancing ignores 2.
    """
    square = check_square(square)
    if window < 1 or not 0 <= ignore < 2 * window - 1:
        raise ConfigError(f"window is {window} bins, {ignore} diagonals ignored: that leaves no pixel, so widen it")
    bins = len(square)
    total, known = np.zeros((2, bins))
    for d in range(ignore, min(2 * window - 1, bins)):
        diagonal = np.diagonal(square, d)
        here = np.isfinite(diagonal)
        values = np.where(here, diagonal, 0.0)
        # A pixel (i, i + d) lies in the diamonds of the bins i + low to i + high.
        low, high = max(0, d - window + 1), min(d, window - 1)
        for shift in range(low, high + 1):
            total[shift : shift + bins - d] += values
            known[shift : shift + bins - d] += here
    mean = np.divide(total, known, out=np.full(bins, np.nan), where=known > 0)
    score = np.full(bins, np.nan)
    if np.isfinite(mean).any():
        median = np.nanmedian(mean)
        if median > 0:
            np.log2(mean / median, out=score, where=mean > 0)
    return score, known.astype(np.int64)


def insulation_tracks(squares: Squares, window: int, *, ignore: int = 2) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """`insulation` of each contig."""
    return {contig: insulation(square, window, ignore=ignore) for contig, square in squares.items()}


def insulation_correlation(
    predicted: dict[str, np.ndarray],
    observed: dict[str, np.ndarray],
    length: int,
    *,
    draws: int = 500,
    seed: int = 0,
) -> Figure:
    """Pearson correlation of scores {contig: (T,)} over bins known in both, all contigs pooled.

    length: bins of a block of the bootstrap.  NaN where either score is constant.
    """
    x, y = [], []
    for contig, track in predicted.items():
        if contig not in observed or len(observed[contig]) != len(track):
            raise DataError(f"contig {contig!r} is not observed in as many bins as predicted: bring the maps together")
        unknown = ~(np.isfinite(track) & np.isfinite(observed[contig]))
        x.append(np.where(unknown, np.nan, track)[None])
        y.append(np.where(unknown, np.nan, observed[contig])[None])
    return figure(moments(x, y, length).sum(1), pearson_from_sums, draws=draws, seed=seed)
