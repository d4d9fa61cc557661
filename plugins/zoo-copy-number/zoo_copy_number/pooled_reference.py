"""A reference pooled from normal samples of the same bins: what is common to a kit, and how much it varies.

pool_normals(bins, [normal, normal, ...]) -> bins with `reference` and `spread`

Each normal's log2 depth over its median is brought to two copies on X, less its pseudoautosomal regions, and on Y.
`reference` is the median over normals, `spread` 1.4826 times the median absolute deviation from it.  Bins that the
normals do not cover are left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from zoo.errors import DataError
from zoo_copy_number.bins import Bins
from zoo_copy_number.chromosomes import find_karyotype
from zoo_copy_number.coverage import find_uncovered, leave_out
from zoo_copy_number.pseudoautosomal import find_assemblies, measure_overlap
from zoo_copy_number.readers.reference import match_bins
from zoo_copy_number.sex import SEXES, lies_on, measure_level
from zoo_copy_number.tracks import is_autosomal, log2_depth

MIN_NORMALS = 2
"""Normals that a pool needs: the events of a single one would appear as losses and gains of the sample."""

_ENOUGH = 0.9
_GAP = 0.5


def pool_normals(bins: Bins, normals: Sequence[Bins]) -> Bins:
    """The bins with a reference pooled from normals of the same kit or bin size.

    The sexes of all are inferred together (`infer_sexes`), since a kit may capture X more or less than the
    autosomes.  Bins without coverage in most normals are left out.  Raises DataError for fewer than two normals, and
    for one that lacks a tenth of the bins.
    """
    if len(normals) < MIN_NORMALS:
        raise DataError(
            f"{len(normals)} normal is no pool for {bins.sample}: give {MIN_NORMALS} at least, better 6 or more"
        )
    rows = np.full((len(normals), len(bins)), np.nan, np.float32)
    for row, normal in zip(rows, normals, strict=True):
        at = match_bins(bins, normal, f"the normal {normal.sample}")
        here = at >= 0
        if here.sum() < _ENOUGH * len(bins):
            raise DataError(
                f"{int(here.sum()):,} of {len(bins):,} bins of {bins.sample} are in the normal {normal.sample}, "
                f"{_ENOUGH:.0%} are needed: another kit or bin size? give normals with these bins"
            )
        row[here] = np.where(normal.mask, normal.depth, np.nan)[at[here]]
    empty = find_uncovered(bins, rows)
    bins, rows = leave_out(bins, empty, "in the normals"), rows[:, ~empty]
    samples = [replace(bins, depth=row.copy(), sample=n.sample) for row, n in zip(rows, normals, strict=True)]
    for row, normal in zip(rows, samples, strict=True):
        log2 = log2_depth(normal, is_autosomal(normal))
        row[:] = np.where(log2 > -5, log2, np.nan)
    sexes = infer_sexes([bins, *samples])[1:]
    x, y = lies_on(bins.contigs, bins.contig, "X"), lies_on(bins.contigs, bins.contig, "Y")
    karyotype = find_karyotype(bins.contigs)
    inside, _ = measure_overlap(bins, karyotype, find_assemblies(bins, karyotype))
    for row, sex in zip(rows, sexes, strict=True):
        row[x & ~inside] += sex == "male"
        row[y] = row[y] + 1 if sex == "male" else np.nan
    enough = np.where(y, 1, (len(normals) + 1) // 2)
    reference, spread = pool(rows, enough)
    pooled = ", ".join(f"{n.sample} ({sex or 'sex unknown'})" for n, sex in zip(normals, sexes, strict=True))
    origin = {**bins.origin, "reference": f"{len(normals)} normals"}
    notes = [*bins.notes, f"reference pooled from {pooled}"]
    return replace(bins, reference=reference, spread=spread, origin=origin, notes=notes)


def pool(rows: np.ndarray, enough: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(reference, spread), each (n,) float32, of log2 depths (normals, n); NaN where fewer than `enough` are known."""
    kept = np.isfinite(rows).sum(0) >= np.maximum(enough, 1)
    reference, spread = np.full((2, rows.shape[1]), np.nan, np.float32)
    reference[kept] = np.nanmedian(rows[:, kept], 0)
    spread[kept] = 1.4826 * np.nanmedian(np.abs(rows[:, kept] - reference[kept]), 0)
    return reference, spread


def infer_sexes(samples: Sequence[Bins]) -> list[str | None]:
    """female, male or None for samples of one kit, from their levels of X beside each other.

    One X and two lie 1 apart in log2, so a gap of more than 0.5 among the levels separates males from females.  Without
    one all are of one sex: that of Y where it is binned, else that of the level of X.
    """
    depths = [log2_depth(s, is_autosomal(s)) for s in samples]
    levels = {
        name: np.array([measure_level(d, s.contigs, s.contig, name) for d, s in zip(depths, samples, strict=True)])
        for name in ("X", "Y")
    }
    known = np.flatnonzero(np.isfinite(levels["X"]))
    sexes: list[str | None] = [None] * len(samples)
    if not len(known):
        return sexes
    ordered = np.sort(levels["X"][known])
    gaps = np.diff(ordered)
    if len(gaps) and gaps.max() > _GAP:
        border = ordered[gaps.argmax() : gaps.argmax() + 2].mean()
        male = levels["X"] < border
    elif np.isfinite(levels["Y"][known]).any():
        male = np.full(len(samples), np.nanmedian(levels["Y"][known]) > -2.5)
    else:
        male = np.full(len(samples), np.median(ordered) < -0.5)
    for i in known:
        sexes[i] = SEXES[int(male[i])]
    return sexes
