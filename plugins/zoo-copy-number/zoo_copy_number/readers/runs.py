"""`Runs`: intervals with a value, streamed, and their mean over bins of one size or over given bins.

    bedGraph, mosdepth, wig, bigWig -> Runs -> each run a bin (`bins_from_runs`), in bins of 1,000 bp (`average`), or
                                               over other bins (`average_over`): targets, GC, mappability

A base without a run is unknown if the file writes runs of 0, as mosdepth and `bedtools genomecov -bga` do; else it is
0, as `-bg` leaves it out.  A bin of which less than half is known has no value.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numba
import numpy as np

from zoo.errors import DataError
from zoo_copy_number.readers.contigs import match_contigs
from zoo_copy_number.readers.raw_bins import MAX_BINS, RawBins
from zoo_copy_number.readers.text import find_line

Piece = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]
_LARGEST = 1 << 40


@dataclass
class Runs:
    """A stream of runs.

    pieces: (contig (m,) int32, start (m,), end (m,), value (m,) float64), to be read once.
    contigs: names; complete when the pieces are read.  sizes: bp, where the file says.
    gaps: what a base without a run is: "zero", "unknown", or "auto" for the rule above.
    """

    path: str
    pieces: Iterator[Piece]
    contigs: list[str]
    sample: str
    reader: str
    unit: str = "mean depth"
    gaps: str = "auto"
    sizes: Mapping[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def as_bins(self, columns: Sequence[np.ndarray], *, averaged: bool = False) -> RawBins:
        """Bins of this file: contig, start, end and depth."""
        unit = f"{self.unit}, averaged" if averaged else self.unit
        about = {"sizes": dict(self.sizes), "notes": self.notes}
        return RawBins(self.path, self.contigs, *columns, self.sample, self.reader, unit, **about)


def bins_from_runs(runs: Runs) -> RawBins:
    """Every run as one bin."""
    pieces, n = [], 0
    for piece in runs.pieces:
        pieces.append(piece)
        n += len(piece[1])
        if n > MAX_BINS:
            raise DataError(f"{runs.path} has more than {MAX_BINS:,} runs: give a bin size to average them")
    columns = _join_pieces(pieces)
    widths = columns[2] - columns[1]
    if len(widths) and runs.reader == "bedgraph":
        usual = int(np.median(widths))
        if (uneven := int((widths != usual).sum())) > 0.1 * len(widths):
            runs.notes.append(
                f"{uneven:,} of {len(widths):,} runs are not {usual:,} bp, the median, and were taken as bins: "
                "give a bin size to average them"
            )
    return runs.as_bins(columns)


def average(runs: Runs, bin_size: int) -> RawBins:
    """Means in bins of `bin_size` bp from 0 on; the last bin of a contig ends where the contig or its last run does."""
    sums = _Sums(runs)
    grids: dict[int, tuple[np.ndarray, np.ndarray]] = {}
    last: dict[int, int] = {}
    total = 0
    for code, start, end, value in sums.pieces():
        top = int(end.max())
        last[code] = max(last.get(code, 0), top)
        needed = -(-last[code] // bin_size)
        have = grids.get(code, (np.zeros(0), np.zeros(0)))
        if needed > len(have[0]):
            more = max(needed, min(2 * len(have[0]), needed + 1_000_000)) - len(have[0])
            total += more
            if total > MAX_BINS:
                raise DataError(
                    f"{runs.path} would make more than {MAX_BINS:,} bins of {bin_size:,} bp: choose larger ones"
                )
            grids[code] = have = tuple(np.concatenate([x, np.zeros(more)]) for x in have)
        edges = np.arange(len(have[0]) + 1, dtype=np.int64) * bin_size
        add_runs(start, end, value, edges[:-1], edges[1:], *have)
    pieces: list[Piece] = []
    for code in sorted(grids):
        size = runs.sizes.get(runs.contigs[code], last[code])
        n = -(-size // bin_size)
        start = np.arange(n, dtype=np.int64) * bin_size
        end = np.minimum(start + bin_size, size)
        summed, known = (np.pad(x[:n], (0, max(0, n - len(x)))) for x in grids[code])
        pieces.append((np.full(n, code, np.int32), start, end, sums.means(summed, known, end - start)))
    runs.notes += sums.notes()
    columns = _join_pieces(pieces)
    return runs.as_bins(columns, averaged=True)


def average_over(runs: Runs, contigs: list[str], contig: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Means over n sorted bins without overlap: (n,) float64, NaN on contigs that the file does not have.

    contigs: names; the file's may be others of the same, 1 for chr1.  contig: (n,) index into them.
    """
    sums = _Sums(runs)
    summed, known = np.zeros(len(start)), np.zeros(len(start))
    seen = np.zeros(len(contigs), bool)
    bounds = np.searchsorted(contig, np.arange(len(contigs) + 1))
    place: dict[str, int | None] = {}
    for code, first, last, value in sums.pieces():
        name = runs.contigs[code]
        if name not in place:
            found = match_contigs([name], contigs)[name]
            place[name] = None if found is None else contigs.index(found)
        if (i := place[name]) is None:
            continue
        seen[i] = True
        here = slice(bounds[i], bounds[i + 1])
        add_runs(first, last, value, start[here], end[here], summed[here], known[here])
    means = sums.means(summed, known, end - start)
    means[~seen[contig]] = np.nan
    runs.notes += sums.notes()
    return means


def _join_pieces(pieces: list[Piece]) -> list[np.ndarray]:
    return [np.concatenate([p[i] for p in pieces]) if pieces else np.zeros(0, np.int64) for i in range(4)]


class _Sums:
    """Checks runs as they pass, and turns sums over bins into means by what the file's gaps mean."""

    def __init__(self, runs: Runs):
        self.runs, self.zero, self.ends = runs, False, {}

    def pieces(self) -> Iterator[tuple[int, np.ndarray, np.ndarray, np.ndarray]]:
        """(code, start, end, value) of one contig at a time."""
        for contig, start, end, value in self.runs.pieces:
            if not len(start):
                continue
            self._check(contig, start, end, value)
            self.zero = self.zero or bool((value == 0).any())
            cuts = np.flatnonzero(np.diff(contig)) + 1
            if len(cuts) > 4096:
                order = np.argsort(contig, kind="stable")
                contig, start, end, value = (x[order] for x in (contig, start, end, value))
                cuts = np.flatnonzero(np.diff(contig)) + 1
            for a, b in zip(np.r_[0, cuts], np.r_[cuts, len(contig)], strict=True):
                yield int(contig[a]), start[a:b], end[a:b], value[a:b].astype(np.float64)

    def means(self, summed: np.ndarray, known: np.ndarray, width: np.ndarray) -> np.ndarray:
        if (known > width).any():
            raise DataError(f"{self.runs.path}: its runs overlap, so that bases count twice: give each base one value")
        if self.runs.gaps == "zero" or (self.runs.gaps == "auto" and not self.zero):
            return summed / width
        return np.where(2 * known >= width, summed / np.maximum(known, 1), np.nan)

    def notes(self) -> list[str]:
        if self.runs.gaps != "auto" or self.zero:
            return []
        return ["it has no run of value 0: bases without a run count as 0, as `bedtools genomecov -bg` leaves them out"]

    def _check(self, contig: np.ndarray, start: np.ndarray, end: np.ndarray, value: np.ndarray) -> None:
        after = (start[1:] >= start[:-1]) & (start[1:] < end[:-1]) & (contig[1:] == contig[:-1])
        outside = (end <= start) | (start < 0) | (end > _LARGEST)
        bad = {
            "is negative: give depth or counts, not their logarithm": value < 0,
            "is no finite number: write NaN where it is unknown": np.isinf(value),
            "is of an interval that is empty or outside any contig: drop it": outside,
            "is of an interval that overlaps the one before it: give each base one value": np.r_[False, after],
        }
        for why, where in bad.items():
            if where.any():
                i = int(np.flatnonzero(where)[0])
                place = f"{self.runs.contigs[contig[i]]}:{start[i]:,}-{end[i]:,}"
                line = find_line(self.runs.path, self.runs.contigs[contig[i]], int(start[i]))
                raise DataError(f"{self.runs.path}{line}: value {value[i]:g} at {place} {why}")


@numba.njit(nogil=True, cache=True)
def add_runs(start, end, value, bin_start, bin_end, summed, known):
    """summed[i] += value x bases, known[i] += bases, for the bases that each run has in bin i; NaN runs add nothing.

    start, end, value: (m,).  bin_start, bin_end: (n,) sorted, without overlap.  summed, known: (n,) float64.
    """
    n = len(bin_start)
    for j in range(len(start)):
        if np.isnan(value[j]):
            continue
        i = np.searchsorted(bin_end, start[j], side="right")
        while i < n and bin_start[i] < end[j]:
            bases = min(end[j], bin_end[i]) - max(start[j], bin_start[i])
            summed[i] += value[j] * bases
            known[i] += bases
            i += 1
