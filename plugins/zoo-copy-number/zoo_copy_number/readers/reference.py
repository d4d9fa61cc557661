"""A pooled reference beside a sample: joined on identical bins, refused where it is of another kit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from zoo.errors import DataError
from zoo_copy_number.bins import Bins
from zoo_copy_number.coverage import find_uncovered, leave_out
from zoo_copy_number.readers.cnvkit import PooledReference, read_reference
from zoo_copy_number.readers.contigs import match_contigs

_ENOUGH = 0.9


def add_reference(bins: Bins, path: str | Path) -> Bins:
    """The bins with `reference`, `spread` and, where it is not known yet, `gc` of a pooled reference.

    reference is less the median of its kind, targets and off-target bins each.  Bins that the reference does not have
    get NaN, those that it does not cover are left out.  Raises DataError where it has less than 90 % of the bins.
    """
    pool = read_reference(path)
    at = match_bins(bins, pool, f"the reference {pool.path}")
    here, n = int((at >= 0).sum()), len(bins)
    if here < _ENOUGH * n:
        raise DataError(
            f"{here:,} of {n:,} bins of {bins.sample} are in the reference {path}, {_ENOUGH:.0%} are needed: "
            "another kit or bin size? make a reference with these bins"
        )
    log2 = pool.log2.copy()
    for kind in np.unique(pool.kind):
        mine = pool.kind == kind
        log2[mine] -= np.nanmedian(log2[mine]) if np.isfinite(log2[mine]).any() else 0

    def joined(values: np.ndarray) -> np.ndarray:
        return np.where(at >= 0, values[np.maximum(at, 0)], np.nan).astype(np.float32)

    notes, origin, gc = list(bins.notes), {**bins.origin, "reference": Path(path).name}, bins.gc
    if here < n:
        notes.append(f"{here:,} of {n:,} bins are in the reference {Path(path).name}")
    if pool.gc is not None and np.isnan(gc).any():
        gc = np.where(np.isnan(gc), joined(pool.gc), gc)
        if origin.get("gc", "unknown") == "unknown":
            origin["gc"] = Path(path).name
    reference, spread = joined(log2), joined(pool.spread)
    empty = find_uncovered(bins, np.exp2(reference)[None])
    if empty.any():  # the median of those that are left
        kinds = np.zeros(n, np.uint8) if bins.kind is None else bins.kind
        for kind in np.unique(kinds):
            level = ~empty & (kinds == kind) & np.isfinite(reference)
            reference[kinds == kind] -= np.median(reference[level]) if level.any() else 0
    bins = replace(bins, reference=reference, spread=spread, gc=gc, notes=notes, origin=origin)
    return leave_out(bins, empty, f"in the reference {Path(path).name}")


def match_bins(bins: Bins, other: PooledReference | Bins, name: str) -> np.ndarray:
    """(n,) row of a reference or of another sample with the same contig, start and end; -1 where there is none.

    Raises DataError, which calls it `name`, where two of its bins begin at one place.
    """
    place = match_contigs(bins.contigs, other.contigs)
    code = {c: i for i, c in enumerate(other.contigs)}
    table = np.array([-1 if place[c] is None else code[place[c]] for c in bins.contigs], np.int64)
    keys = other.contig.astype(np.int64) << 40 | other.start
    order = np.argsort(keys, kind="stable")
    if (np.diff(keys[order]) == 0).any():
        i = order[int(np.flatnonzero(np.diff(keys[order]) == 0)[0])]
        where = f"{other.contigs[other.contig[i]]}:{other.start[i]:,}"
        raise DataError(f"two bins of {name} begin at {where}: leave one out")
    wanted = table[bins.contig] << 40 | bins.start
    at = order[np.minimum(np.searchsorted(keys[order], wanted), len(order) - 1)]
    same = (keys[at] == wanted) & (other.end[at] == bins.end) & (table[bins.contig] >= 0)
    return np.where(same, at, -1)
