"""Neighbouring bins taken as one, where a step of one copy is small beside the noise of a bin.

Bins (n) ── groups of k on a contig ──> Bins (about n / k), and the group of each bin (n,)
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from zoo_copy_number.bins import Bins

QUIET = 0.15
"""Noise of a bin in log2 at which a network that was trained up to 0.25 tells states apart with hardly a doubt."""

MOST, LEAST_GROUPS = 64, 200
"""Bins of a group at most, and groups of a sample at least."""


def count_neighbours(bins: Bins, noise: float) -> int:
    """How many neighbours make a bin quiet; 1 where targets and off-target bins alternate.  noise: of a bin in log2."""
    if bins.kind is not None and len(np.unique(bins.kind)) > 1:
        return 1
    usable = int((bins.mask & np.isfinite(bins.depth)).sum())
    return int(max(1, min(np.ceil((noise / QUIET) ** 2), MOST, usable // LEAST_GROUPS)))


def join_neighbours(bins: Bins, count: int) -> tuple[Bins, np.ndarray]:
    """Bins of `count` neighbours each, the last of a contig of fewer, and (n,) int64, which of them each bin is in.

    Depth, GC, mappability and reference are means over the usable bins, by width.
    """
    n = len(bins)
    first = np.searchsorted(bins.contig, np.arange(len(bins.contigs)))
    rank = np.arange(n) - first[bins.contig]
    new = (rank % count == 0).astype(np.int64)
    group = np.cumsum(new) - 1
    heads = np.flatnonzero(new)
    used = bins.mask & np.isfinite(bins.depth)

    def mean(values: np.ndarray | None) -> np.ndarray | None:
        if values is None:
            return None
        known = used & np.isfinite(values)
        weight = np.bincount(group[known], bins.width[known], len(heads))
        total = np.bincount(group[known], bins.width[known] * values[known].astype(float), len(heads))
        return np.where(weight > 0, total / np.maximum(weight, 1), np.nan).astype(np.float32)

    linear = None if bins.reference is None else mean(np.exp2(bins.reference))
    joined = replace(
        bins,
        contig=bins.contig[heads],
        start=bins.start[heads],
        end=bins.end[np.append(heads[1:], n) - 1],
        depth=mean(bins.depth),
        gc=mean(bins.gc),
        mappability=mean(bins.mappability),
        mask=np.bincount(group[used], minlength=len(heads)) > 0,
        reference=None if linear is None else np.log2(np.maximum(linear, 2.0**-20)),
        spread=None if bins.spread is None else mean(bins.spread),
        kind=None if bins.kind is None else bins.kind[heads],
    )
    return joined, group
