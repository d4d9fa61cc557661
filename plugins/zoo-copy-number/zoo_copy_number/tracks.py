"""Input of the network: the bins of a sample as tracks, and bins drawn from the whole sample.

    Bins -> tracks (A, n) float32                          every bin
    Bins -> draw_sample (A, m) float32                     m random bins, from which the sample's bias is estimated
    Bins -> cut_windows [(first, last)]                    windows that do not cross a contig's end

Depth is log2 of the depth over the sample's median, bins of one kind on one level.  An unknown channel is 0
and marked in a track of its own; nothing is imputed.
"""

from __future__ import annotations

import numpy as np

from zoo_copy_number.bins import Bins
from zoo_copy_number.chromosomes import find_karyotype
from zoo_copy_number.event_accuracy import find_runs

TRACKS = (
    "depth",
    "depth_known",
    "gc",
    "gc_known",
    "mappability",
    "mappability_known",
    "reference",
    "spread",
    "reference_known",
    "log_width",
    "off_target",
)
"""gc and mappability are centred (0.41, 1) and scaled to about one."""

FLOOR, CEILING = -5.0, 3.0
_GC, _GC_SCALE = 0.41, 0.1


def is_autosomal(bins: Bins) -> np.ndarray:
    """(n,) bool: not on X, Y, the mitochondrion or another contig that is no chromosome."""
    return find_karyotype(bins.contigs).lies_on(bins.contig, "autosome")


def log2_depth(bins: Bins, autosomes: np.ndarray | None = None) -> np.ndarray:
    """(n,) log2 of depth over the median of the usable bins, NaN where the depth is not known.

    autosomes: (n,) bool, the bins that the median is of; all where it is not given.  Targets and off-target bins
    have a median each.  No reads at all is the floor, -5.
    """
    out = np.full(len(bins), np.nan, np.float32)
    used = bins.mask & np.isfinite(bins.depth)
    kinds = np.zeros(len(bins), np.uint8) if bins.kind is None else bins.kind
    for kind in np.unique(kinds):
        here = kinds == kind
        level = used & here & (bins.depth > 0)
        if autosomes is not None and (level & autosomes).any():
            level &= autosomes
        if not level.any():
            continue
        middle = np.median(bins.depth[level])
        with np.errstate(divide="ignore"):
            out[here & used] = np.log2(bins.depth[here & used] / middle)
    return np.clip(out, FLOOR, CEILING)


def stack_tracks(bins: Bins, autosomes: np.ndarray | None = None, shift: np.ndarray | None = None) -> np.ndarray:
    """(A, n) float32 in the order of `TRACKS`.  shift: (n,) to add to log2 depth, unless there is none at all."""
    depth = log2_depth(bins, autosomes)
    if shift is not None:
        depth = np.where(depth > FLOOR, np.clip(depth + shift, FLOOR, CEILING), depth)
    known = np.isfinite(depth) & bins.mask
    nothing = np.full(len(bins), np.nan, np.float32)
    reference = nothing if bins.reference is None else bins.reference
    spread = nothing if bins.spread is None else bins.spread
    has_reference = np.isfinite(reference) & np.isfinite(spread)
    rows = [
        np.where(known, depth, 0),
        known,
        np.where(np.isfinite(bins.gc), (bins.gc - _GC) / _GC_SCALE, 0),
        np.isfinite(bins.gc),
        np.where(np.isfinite(bins.mappability), (bins.mappability - 1) * 2, 0),
        np.isfinite(bins.mappability),
        np.where(has_reference, np.clip(reference, FLOOR, CEILING), 0),
        np.where(has_reference, np.clip(spread, 0, 2), 0),
        has_reference,
        np.log10(bins.width) - 3,
        np.zeros(len(bins)) if bins.kind is None else bins.kind,
    ]
    return np.stack(rows).astype(np.float32)


def draw_sample(tracks: np.ndarray, size: int, rng: np.random.Generator, usable: np.ndarray) -> np.ndarray:
    """(A, size) of bins drawn at random from those whose depth is known; with repeats where there are fewer.

    usable: (n,) bool, to keep to autosomes where one is known.
    """
    known = tracks[1] > 0
    if (known & usable).any():
        known &= usable
    rows = np.flatnonzero(known)
    if not len(rows):
        return np.zeros((len(tracks), size), np.float32)
    return tracks[:, rng.choice(rows, size, replace=len(rows) < size)]


def cut_windows(contig: np.ndarray, size: int, step: int | None = None) -> list[tuple[int, int]]:
    """contig (n,) -> [(first, last)] of at most `size` bins, half-open, that cover every bin.

    step: bins from one window to the next, `size` where it is not given.  The last window of a contig ends with it,
    and is shorter only where the contig is.

    >>> cut_windows(np.array([0, 0, 0, 0, 0, 1, 1]), 3)
    [(0, 3), (2, 5), (5, 7)]
    """
    step = step or size
    windows = []
    for first, last in zip(*(x.tolist() for x in find_runs(contig, contig)), strict=True):
        starts = range(first, max(first + 1, last - size + 1), step)
        windows += [(start, min(start + size, last)) for start in starts]
        if windows[-1][1] < last:
            windows.append((last - size, last))
    return windows
