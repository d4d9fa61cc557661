"""HiCRep's stratum-adjusted correlation coefficient (Yang et al. 2017, Genome Res 27:1939, 10.1101/gr.220640.117).

    contacts ── mean filter of half width h ── diagonals ── Pearson of each, r_k ──> sum w_k r_k / sum w_k
                                                            w_k = N_k x variance of N_k ranks

Values equal those of the hicrep package, release 0.2.6, on maps without masked bins, up to a factor on a whole map,
which no correlation feels: the filter sees the diagonals 1 to the last that counts and zeros elsewhere, its average is
over all places of the filter that lie on the map, and pixels that are 0 in both smoothed maps are left out.
Pixels that are NaN in either map are outside of the filter and of the strata.  A stratum in which a map is constant
has correlation 0 and keeps its weight, so a map that depends on distance alone scores near 0 (not exactly: the filter
is cut off at the ends of contigs, at the diagonal and at the last distance).  Shallow maps that are not smoothed can
score below 0 though they are replicates, because places that are empty in both are left out: smooth them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zoo.errors import ConfigError
from zoo_hic.metrics.bands import Squares, cut_band, diagonals, pair_squares
from zoo_hic.metrics.blocks import Figure, block_bins, draw_counts, interval, moments, pearson_from_sums


@dataclass(frozen=True)
class StratumAdjusted:
    """scc: over all contigs, each diagonal of each contig being a stratum.  by_contig: hicrep's figure of each."""

    scc: Figure
    by_contig: dict[str, float]


def stratum_adjusted_correlation(
    predicted: Squares,
    observed: Squares,
    resolution: int,
    distance: float,
    h: int,
    *,
    block: float | None = None,
    draws: int = 200,
    seed: int = 0,
) -> StratumAdjusted:
    """Of contacts (or O/E, not their logarithm) up to `distance` bp, smoothed with a filter of 2 h + 1 bins.

    h: the paper takes 20 at 10 kb, 11 at 25 kb, 5 at 40 kb for human maps; 0: not smoothed.

    Raises DataError for maps that do not fit each other, ConfigError where `distance` is below one bin.
    """
    if h < 0:
        raise ConfigError(f"h is {h}: give bins, 0 for no smoothing")
    _, last = diagonals(resolution, (resolution, distance))
    length = block_bins(resolution, (0, distance), block)
    parts = []
    for pair in pair_squares(predicted, observed):
        x, y = (cut_band(box_filter(m, h, last), 1, last) for m in pair)
        kept = np.isfinite(x) & ((x != 0) | (y != 0))
        parts.append(moments([x], [y], length, first=1, kept=[kept], by_row=True))
    sums = np.stack([part.sum(0) for part in parts])
    value = float(_adjust(sums.reshape(1, -1, 6))[0])
    # Strata of one contig are in its own blocks only, so the sums of a draw are made contig by contig.
    times = draw_counts(sum(map(len, parts)), draws, seed)
    edges = np.cumsum([len(part) for part in parts])[:-1]
    drawn = [np.tensordot(w, part, 1) for w, part in zip(np.split(times, edges, 1), parts, strict=True)]
    n, blocks = int(sums[..., 0].sum()), times.shape[1]
    return StratumAdjusted(
        scc=interval(value, _adjust(np.concatenate(drawn, 1)), n, blocks),
        by_contig={c: float(_adjust(s[None])[0]) for c, s in zip(predicted, sums, strict=True)},
    )


def box_filter(square: np.ndarray, h: int, last: int) -> np.ndarray:
    """(T, T) upper triangle of the mean over a square of 2 h + 1 bins; NaN stays NaN and is left out of the mean.

    Only the diagonals 1 to `last` of `square` are used, everything else being 0, as hicrep has it.
    """
    bins = len(square)
    unknown = ~np.isfinite(square)
    used = np.triu(np.where(unknown, 0.0, square), 1)
    used -= np.triu(used, last + 1)
    if h:
        ones = [np.minimum(np.arange(bins), h) + np.minimum(np.arange(bins)[::-1], h) + 1.0] * 2
        places = np.outer(*ones) - _box(unknown.astype(float), h)
        used = _box(used, h) / np.maximum(places, 1)
    used[unknown] = np.nan
    return used


def _box(square, h):
    """Sums over a square of 2 h + 1 places; of added terms only, so that zeros stay exactly zero."""
    for axis in (0, 1):
        lines = np.moveaxis(square, axis, 0)
        out = lines.copy()
        for s in range(1, min(h, len(lines) - 1) + 1):
            out[s:] += lines[:-s]
            out[:-s] += lines[s:]
        square = np.moveaxis(out, 0, axis)
    return square


def _adjust(sums):
    """(R,) of sums (R, strata, 6); NaN where no stratum has a correlation."""
    rho, n = pearson_from_sums(sums, least=2), sums[..., 0]
    # N times the variance of N ranks divided by N, with Bessel's correction.
    weight = np.where(n >= 2, n * (1 + 1 / np.maximum(n, 1)) / 12, 0.0)
    known = np.isfinite(rho).any(-1)
    total = (np.nan_to_num(rho) * weight).sum(-1)
    return np.divide(total, weight.sum(-1), out=np.full(len(total), np.nan), where=known)
