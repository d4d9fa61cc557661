"""Depth to a log2 ratio without the bias of GC and mappability, by medians of strata.

    depth -> log2 over median -> less reference -> less the median of bins of like GC -> ... of like mappability

The medians of the strata are joined by straight lines, so that no step is left at their edges (Benjamini & Speed 2012,
doi:10.1093/nar/gks001, show that the effect of GC is a smooth curve with one peak).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zoo_copy_number.bins import Bins
from zoo_copy_number.chromosomes import find_karyotype
from zoo_copy_number.tracks import is_autosomal, log2_depth

_STRATA = 40


@dataclass(frozen=True)
class Ratio:
    """What a baseline sees of the m bins that can be used.

    at: (m,) int64, their indices among the bins.  log2: (m,) float64, log2 of depth over that of the expected copies.
    contig: (m,) int32.  expected: (m,) int8, never 0.  n: all bins.
    noise: standard deviation of log2 from differences of neighbours, which events and waves hardly change.
    """

    at: np.ndarray
    log2: np.ndarray
    contig: np.ndarray
    expected: np.ndarray
    n: int
    noise: float

    def expand(self, copies: np.ndarray) -> np.ndarray:
        """(n,) float32 of (m,) copies, NaN in bins that cannot be used."""
        out = np.full(self.n, np.nan, np.float32)
        out[self.at] = copies
        return out


def corrected_log2(
    bins: Bins, expected: np.ndarray, *, least_mappability: float = 0.3, most_spread: float = 1
) -> Ratio:
    """The log2 ratio of one sample to its expected copies.

    expected: (n,) copies in a normal cell; bins that expect none are left out.
    least_mappability, most_spread: bins beyond are left out; where these are unknown, bins are kept.  Contigs that are
        no chromosomes are left out as well.

    Curves are those of autosomal bins; unknown GC or mappability is not corrected for.  A bin that leaves the range of
    the two bins on either side by more than four times the noise is brought to the median of those four, much as
    DNAcopy smooths.
    """
    autosomes = is_autosomal(bins)
    other = find_karyotype(bins.contigs).lies_on(bins.contig, "other")
    depth = log2_depth(bins, autosomes)
    used = bins.mask & np.isfinite(depth) & (expected > 0) & ~other & ~(bins.mappability < least_mappability)
    if bins.spread is not None:
        used &= ~(bins.spread > most_spread)
    at = np.flatnonzero(used)
    log2, model = depth[at].astype(float), autosomes[at]
    log2 -= np.log2(expected[at] / 2)
    if not model.any():
        model = np.ones(len(at), bool)
    kinds = np.zeros(len(at), np.uint8) if bins.kind is None else bins.kind[at]
    for kind in np.unique(kinds):
        here = kinds == kind
        if bins.reference is not None:
            log2[here] -= np.nan_to_num(bins.reference[at][here], posinf=0, neginf=0)
        for covariate in (bins.gc, bins.mappability):
            log2[here] = _subtract_strata(log2[here], covariate[at][here], model[here])
        log2[here] -= np.median(log2[here & model] if model[here].any() else log2[here])
    contig = bins.contig[at]
    steps = np.diff(log2)[np.diff(contig) == 0]
    noise = max(1e-3, 1.4826 * float(np.median(np.abs(steps))) / 2**0.5) if len(steps) else 1.0
    return Ratio(at, _without_outliers(log2, contig, noise), contig, expected[at], len(bins), noise)


def _without_outliers(log2, contig, noise):
    if len(log2) < 5:
        return log2
    around = np.stack([np.roll(log2, k) for k in (-2, -1, 1, 2)])
    around[np.stack([np.roll(contig, k) != contig for k in (-2, -1, 1, 2)])] = np.nan
    alone = np.isnan(around).all(0)
    around[:, alone] = log2[alone]
    odd = (log2 > np.nanmax(around, 0) + 4 * noise) | (log2 < np.nanmin(around, 0) - 4 * noise)
    out = log2.copy()
    out[odd] = np.nanmedian(around[:, odd], 0)
    return out


def _subtract_strata(log2, covariate, model):
    """log2 less its median at this value of the covariate."""
    known = np.isfinite(covariate)
    basis = known & model
    if basis.sum() < 5 * _STRATA:
        return log2
    edges = np.quantile(covariate[basis], np.linspace(0, 1, _STRATA + 1))[1:-1]
    stratum = np.searchsorted(np.unique(edges), covariate[basis])
    order = np.argsort(stratum, kind="stable")
    parts = np.split(order, np.flatnonzero(np.diff(stratum[order])) + 1)
    values, centres = log2[basis], covariate[basis]
    x = [float(np.median(centres[p])) for p in parts]
    y = [float(np.median(values[p])) for p in parts]
    return np.where(known, log2 - np.interp(np.where(known, covariate, 0), x, y), log2)
