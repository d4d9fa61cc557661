"""Negatives with the GC content of the positives, and the proof that they have it.

Candidates are tiles of the window's length; every one is counted once in a pass over the regions.  Each positive
takes a tile with its own GC count, or the nearest within one bin, or (reported as borrowed) farther away.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from zoo.data.genome import Genome
from zoo.errors import DataError

_ROUNDS = 4

Regions = Sequence[tuple[int, int, int]]
Exclude = tuple[np.ndarray, np.ndarray, np.ndarray]


@dataclass(frozen=True)
class MatchedNegatives:
    """contig_ids, starts: (n,) windows of `length` bp.  matched_to: (n,) row of the positive.  gc: (n,).

    report: n, GC histogram distance (total variation, 0 to 1), AUROC of GC alone, borrowed, overlapping.
    """

    contig_ids: np.ndarray
    starts: np.ndarray
    length: int
    matched_to: np.ndarray
    gc: np.ndarray
    report: dict[str, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.starts)


def match_gc(
    genome: Genome,
    positives: np.ndarray,
    length: int,
    *,
    n_per_positive: int = 1,
    exclude: Exclude | None = None,
    min_distance: int = 500,
    bin_width: float = 0.02,
    max_n_fraction: float = 0.0,
    regions: Regions | None = None,
    seed: int | Sequence[int] = 0,
) -> MatchedNegatives:
    """Windows of the genome with the GC content of the positives.

    positives: (n,) GC fractions, as `gc_fraction` gives them.
    exclude: contig ids, starts, ends of intervals that a negative must lie more than `min_distance` bp away from.
    bin_width: GC difference up to which a negative counts as matched.  max_n_fraction: of N in a negative.
    regions: (contig id, start, end) that negatives are taken from; the whole genome where not given.

    The same arguments give the same negatives.  Negatives do not overlap while enough of them can be had so.
    Raises DataError where the regions are too small.
    """
    target = np.repeat(np.asarray(positives, np.float64), n_per_positive)
    if not np.isfinite(target).all():
        raise DataError("a positive without any A, C, G or T has no GC content: drop it before matching")
    rng = np.random.default_rng(seed)
    regions = [(i, 0, n) for i, n in enumerate(genome.contigs.values())] if regions is None else list(regions)
    forbidden = _forbidden(genome, exclude, min_distance)
    taken = [np.empty((0, 2), np.int64) for _ in genome.contigs]
    contig, start, gc = np.full(len(target), -1, np.int64), np.zeros(len(target), np.int64), np.zeros(len(target))
    # Rounds within the bin, each on a grid of another phase; then overlapping ones; last whatever GC is left.
    for turn in range(2 * _ROUNDS + 1):
        open_rows = np.flatnonzero(contig < 0)
        if not len(open_rows):
            break
        blocked = forbidden
        if turn < _ROUNDS:
            blocked = [_merge(np.concatenate(p)) for p in zip(forbidden, taken, strict=True)]
        candidates = _tiles(genome, regions, length, blocked, max_n_fraction, rng)
        if turn >= _ROUNDS:
            candidates = _unlike(candidates, contig, start)
        rows, picks = _assign(target[open_rows], candidates[2], bin_width, turn == 2 * _ROUNDS, length, rng)
        rows = open_rows[rows]
        contig[rows], start[rows], gc[rows] = (c[picks] for c in candidates)
        for i in np.unique(contig[rows]):
            s = start[rows][contig[rows] == i]
            taken[i] = np.concatenate([taken[i], np.stack([s, s + length], 1)])
    missing = int((contig < 0).sum())
    if missing:
        raise DataError(
            f"{len(target):,} negatives of {length:,} bp are wanted but the regions hold {len(target) - missing:,}: "
            "ask for fewer per positive, or give wider regions"
        )
    matched = np.repeat(np.arange(len(positives)), n_per_positive)
    settings = {"length": length, "min_distance": min_distance}
    report = _verify(target, gc, bin_width) | {"overlapping": _overlapping(contig, start, length)} | settings
    return MatchedNegatives(contig, start, length, matched, gc, report)


def gc_fraction(codes: np.ndarray) -> np.ndarray:
    """codes (N, L) -> (N,) share of G and C among the bases that are no N; NaN where there is none.

    >>> gc_fraction(np.array([[0, 1, 2, 4]])).round(3).tolist()
    [0.667]
    """
    codes = np.asarray(codes)
    known = (codes < 4).sum(-1)
    strong = ((codes == 1) | (codes == 2)).sum(-1)
    return np.divide(strong, known, out=np.full(known.shape, np.nan), where=known > 0)


def auroc(positives: np.ndarray, negatives: np.ndarray) -> float:
    """Chance that a positive's number exceeds a negative's, ties counted half.

    >>> auroc(np.array([1, 2]), np.array([1, 0]))
    0.875
    """
    ordered = np.sort(negatives)
    below = np.searchsorted(ordered, positives, "left")
    at_most = np.searchsorted(ordered, positives, "right")
    return float((below + at_most).sum() / (2 * len(positives) * len(negatives)))


def _forbidden(genome: Genome, exclude: Exclude | None, distance: int) -> list[np.ndarray]:
    """Merged (n, 2) intervals for every contig, widened by the distance."""
    if exclude is None:
        return [np.empty((0, 2), np.int64) for _ in genome.contigs]
    ids, starts, ends = (np.asarray(a, np.int64) for a in exclude)
    both = np.stack([starts - distance, ends + distance], 1)
    return [_merge(both[ids == i]) for i in range(len(genome.contigs))]


def _merge(intervals: np.ndarray) -> np.ndarray:
    """(n, 2) intervals in any order -> sorted ones that do not overlap."""
    if len(intervals) == 0:
        return intervals
    intervals = intervals[np.argsort(intervals[:, 0], kind="stable")]
    reach = np.maximum.accumulate(intervals[:, 1])
    first = np.flatnonzero(np.r_[True, intervals[1:, 0] > reach[:-1]])
    return np.stack([intervals[first, 0], np.r_[reach[first[1:] - 1], reach[-1]]], 1)


def _tiles(genome: Genome, regions: Regions, length: int, blocked: list[np.ndarray], max_n: float, rng):
    """contig, start, GC of every allowed tile; the grid of each region begins at a random phase."""
    parts = []
    for contig, begin, end in regions:
        room = end - begin - length
        if room < 0:
            continue
        starts = np.arange(begin + int(rng.integers(min(length, room + 1))), end - length + 1, length)
        if len(blocked[contig]):
            after = np.searchsorted(blocked[contig][:, 1], starts, "right")
            before = np.r_[blocked[contig][:, 0], np.iinfo(np.int64).max][after]
            starts = starts[before >= starts + length]
        strong, unknown = genome.base_counts(contig, starts, length)
        keep = (unknown <= max_n * length) & (unknown < length)
        gc = strong[keep] / (length - unknown[keep])
        parts.append((np.full(int(keep.sum()), contig, np.int64), starts[keep], gc))
    if not parts:
        return np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0)
    return tuple(np.concatenate(p) for p in zip(*parts, strict=True))


def _overlapping(contig: np.ndarray, start: np.ndarray, length: int) -> int:
    """How many windows share a base with the one before them."""
    order = np.lexsort((start, contig))
    near = (np.diff(contig[order]) == 0) & (np.diff(start[order]) < length)
    return int(near.sum())


def _unlike(candidates, contig: np.ndarray, start: np.ndarray):
    """The candidates without windows that are already chosen."""
    chosen = set(zip(contig.tolist(), start.tolist(), strict=True))
    new = [pair not in chosen for pair in zip(candidates[0].tolist(), candidates[1].tolist(), strict=True)]
    return tuple(c[np.array(new, bool)] for c in candidates)


def _assign(target: np.ndarray, offered: np.ndarray, width: float, anywhere: bool, length: int, rng):
    """Rows of `target` and the distinct `offered` each gets, nearest GC first."""
    step = max(width / 8, 1.0 / length)
    cells = int(np.ceil(1 / step)) + 2
    need_cell, have_cell = np.rint(target / step).astype(int), np.rint(offered / step).astype(int)
    need = _shuffled_by_cell(need_cell, cells, rng)
    have = _shuffled_by_cell(have_cell, cells, rng)
    reach = cells if anywhere else int(width / step + 1e-9)
    rows: list[np.ndarray] = []
    picks: list[np.ndarray] = []
    waiting = [c for c in range(cells) if len(need[c])]
    for distance in range(reach + 1):
        if not waiting:
            break
        for cell in waiting:
            for other in dict.fromkeys((cell - distance, cell + distance)):
                if 0 <= other < cells and (n := min(len(need[cell]), len(have[other]))):
                    rows.append(need[cell][:n])
                    picks.append(have[other][:n])
                    need[cell], have[other] = need[cell][n:], have[other][n:]
        waiting = [c for c in waiting if len(need[c])]
    empty = np.empty(0, np.int64)
    return np.concatenate([empty, *rows]), np.concatenate([empty, *picks])


def _shuffled_by_cell(cell: np.ndarray, cells: int, rng) -> list[np.ndarray]:
    order = rng.permutation(len(cell))
    order = order[np.argsort(cell[order], kind="stable")]
    return np.split(order, np.searchsorted(cell[order], np.arange(1, cells)))


def _verify(target: np.ndarray, gc: np.ndarray, width: float) -> dict[str, Any]:
    if not len(target):
        return {"n": 0, "histogram_distance": 0.0, "auroc_of_gc": 0.5, "borrowed": 0, "bins": 0, "bins_borrowing": 0}
    edges = np.arange(0, 1 + 2 * width, width)
    a, b = (np.histogram(x + 1e-9, edges)[0] / len(x) for x in (target, gc))
    far = np.abs(target - gc) > width + 1e-9
    bins = (target / width + 1e-9).astype(int)
    return {
        "n": len(gc),
        "histogram_distance": round(float(np.abs(a - b).sum() / 2), 4),
        "auroc_of_gc": round(auroc(target, gc), 4),
        "borrowed": int(far.sum()),
        "bins": len(np.unique(bins)),
        "bins_borrowing": len(np.unique(bins[far])),
        "largest_gc_difference": round(float(np.abs(target - gc).max()), 4),
    }
