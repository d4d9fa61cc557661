"""Correlation of log(O/E) between two distances, what distance alone reaches, and whether chance would do as well.

    cut_bands(predicted, observed, ...) ── correlations ──> Pearson, Spearman, with intervals over blocks of the genome
                                      ├── pearson_curve ─> Pearson of each diagonal
                                      └── shift_null ────> p: one map slid along its contigs

Pixels of all contigs are pooled.  A model that knows only distance predicts log(O/E) = 0 everywhere: it has no
correlation, and its figure is 0 by definition.  On contacts distance alone has a high correlation, which everybody
gets for nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata

from zoo.errors import DataError
from zoo_hic.metrics.bands import Bands
from zoo_hic.metrics.blocks import Figure, block_bins, figure, moments, pearson_from_sums


@dataclass(frozen=True)
class Curve:
    """By diagonal: distances (D,) bp, pearson (D,), NaN below 3 pixels or where a map is constant, n (D,) pixels."""

    distances: np.ndarray
    pearson: np.ndarray
    n: np.ndarray


@dataclass(frozen=True)
class NullCorrelation:
    """A value among those of `draws` shifted maps: their mean and standard deviation.

    p: share of draws, the value itself counted among them, that are as large or larger; one-sided.
    """

    value: float
    mean: float
    spread: float
    p: float
    draws: int


def correlations(bands: Bands, *, block: float | None = None, draws: int = 500, seed: int = 0) -> dict[str, Figure]:
    """ "pearson" and "spearman" over all pixels, NaN where either map is constant.

    block: bp, see `zoo_hic.metrics.blocks`.  Ranks are those among all pixels, also within a draw of the bootstrap.
    """
    length, maps = _length(bands, block), (bands.predicted, bands.observed)
    out = {}
    for name, (x, y) in {"pearson": maps, "spearman": map(_ranks, maps)}.items():
        sums = moments(x, y, length, first=bands.first).sum(1)
        out[name] = figure(sums, pearson_from_sums, draws=draws, seed=seed)
    return out


def pearson_curve(bands: Bands) -> Curve:
    """The Pearson correlation of each diagonal, over all contigs."""
    sums = _strata(bands, None).sum(0)
    return Curve(bands.distances, pearson_from_sums(sums), sums[:, 0].astype(int))


def by_diagonal(bands: Bands, *, block: float | None = None, draws: int = 500, seed: int = 0) -> Figure:
    """The mean of the curve, weighted by pixels; below 3 pixels a diagonal does not count.

    A diagonal in which a map is constant counts as 0, as long as others have a correlation.
    """
    return figure(_strata(bands, block), _mean, draws=draws, seed=seed)


def shift_null(bands: Bands, *, draws: int = 1000, seed: int = 0) -> NullCorrelation:
    """Pearson of maps of which the predicted one is slid along each contig, by a random number of bins, round its end.

    Pixels keep their distance and their neighbours, so the null has the smoothness of both maps (shuffled pixels would
    not, and every smooth map would look significant).  Pixels that would span the end are left out.  Small shifts are
    among the draws, which makes p a little too large where maps are smooth.

    Raises DataError where no contig has two bins.
    """
    if max(a.shape[1] for a in bands.predicted) < 2:
        raise DataError("contigs of one bin cannot be shifted: give longer ones")
    x, y = bands.predicted, bands.observed
    value = float(pearson_from_sums(moments(x, y, 1 << 40, first=bands.first).sum((0, 1))))
    rng = np.random.default_rng(seed)
    sums = np.zeros((draws, 6))
    scale = [_centre_and_scale(arrays) for arrays in (x, y)]
    for a, b in zip(x, y, strict=True):
        shifted = _by_shift((a - scale[0][0]) / scale[0][1], (b - scale[1][0]) / scale[1][1])
        low = min(1, len(shifted) - 1)
        sums += shifted[rng.integers(low, len(shifted), draws)]
    null = pearson_from_sums(sums)
    null = null[np.isfinite(null)]
    if not np.isfinite(value) or not len(null):
        return NullCorrelation(value, *3 * [float("nan")], draws=len(null))
    p = (1 + (null >= value).sum()) / (1 + len(null))
    return NullCorrelation(value, float(null.mean()), float(null.std()), float(p), len(null))


def _length(bands, block):
    return block_bins(bands.resolution, (0, max(bands.resolution, int(bands.distances[-1]))), block)


def _strata(bands, block):
    return moments(bands.predicted, bands.observed, _length(bands, block), first=bands.first, by_row=True)


def _mean(sums):
    rho, n = pearson_from_sums(sums), np.where(sums[..., 0] >= 3, sums[..., 0], 0)
    known = np.isfinite(rho)
    total = (np.where(known, rho, 0.0) * n).sum(-1)
    return np.divide(total, n.sum(-1), out=np.full(len(total), np.nan), where=known.any(-1))


def _ranks(arrays):
    known = [np.isfinite(a) for a in arrays]
    ranks = rankdata(np.concatenate([a[k] for a, k in zip(arrays, known, strict=True)]))
    out, first = [], 0
    for a, k in zip(arrays, known, strict=True):
        ranked = np.full(a.shape, np.nan)
        ranked[k] = ranks[first : first + k.sum()]
        first += int(k.sum())
        out.append(ranked)
    return out


def _centre_and_scale(arrays):
    values = np.concatenate([a[np.isfinite(a)] for a in arrays])
    if not len(values):
        return 0.0, 1.0
    return values.mean(), values.std() or 1.0


def _by_shift(x, y):
    """(T, 6) sums over pixels i of x[:, i + s] with y[:, i], round the end, for every shift s of the columns."""
    known = [np.isfinite(x).astype(float), np.isfinite(y).astype(float)]
    x, y = np.nan_to_num(x), np.nan_to_num(y)
    a, b = (np.fft.rfft(np.stack(rows), axis=-1) for rows in ((known[0], x, x * x), (known[1], y, y * y)))
    pairs = ((0, 0), (1, 0), (0, 1), (2, 0), (0, 2), (1, 1))
    products = np.stack([(a[i] * b[j].conj()).sum(0) for i, j in pairs])
    return np.fft.irfft(products, x.shape[-1], axis=-1).T
