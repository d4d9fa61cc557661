"""Peaks of one file on the genome, and on one line of all contigs.

BED, narrowPeak, broadPeak -> read_peaks -> PlacedPeaks -> on_line -> LinePeaks
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from zoo.data.assays.peak_labels import LinePeaks
from zoo.data.genome import Genome
from zoo.data.intervals import Intervals, read_intervals
from zoo.data.sources.windows import places_on_genome
from zoo.data.splits import Splits
from zoo.errors import GenomeMismatch
from zoo.files.compressed import read_chunks


class ContigLine:
    """Contigs one behind the other with `room` bp of nothing around each."""

    def __init__(self, genome: Genome, room: int):
        lengths = np.array(list(genome.contigs.values()), np.int64)
        self.genome, self.room, self.lengths = genome, room, lengths
        self.offsets = np.cumsum(np.r_[0, lengths[:-1] + 2 * room]) + room

    def place(self, contig: np.ndarray, at: np.ndarray) -> np.ndarray:
        """(n,) contig ids and positions -> (n,) places on the line."""
        return self.offsets[contig] + at

    def undo(self, places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(n,) places -> contig ids and positions, negative before a contig's first base."""
        contig = np.searchsorted(self.offsets - self.room, places, "right") - 1
        return contig, places - self.offsets[contig]


@dataclass(frozen=True)
class PlacedPeaks:
    """Peaks of one file on the genome: contig, start, end, center (n,).

    dropped: {reason: rows} that were read and are not among them.  notes: of the reader.
    """

    contig: np.ndarray
    start: np.ndarray
    end: np.ndarray
    center: np.ndarray
    dropped: Mapping[str, int]
    notes: Sequence[str]

    def __len__(self) -> int:
        return len(self.start)

    def on_line(self, line: ContigLine, max_width: int | None = None) -> LinePeaks:
        """On the line; a peak wider than `max_width` is no positive."""
        counts = np.ones(len(self), bool) if max_width is None else self.end - self.start <= max_width
        start, end, center = (line.place(self.contig, x) for x in (self.start, self.end, self.center))
        return LinePeaks(start, end, center, counts)


def read_peaks(path: Path, genome: Genome, splits: Splits, summits: bool, on_error: str = "raise") -> PlacedPeaks:
    """Peaks of a BED-like file that lie on contigs of the genome.

    A file without any line has no peaks, as a caller writes it that found none.
    Raises DataError for a file that breaks its format, GenomeMismatch where no contig is known, or a peak ends past
    the end of a contig that the splits use.
    """
    if is_empty(path):
        none = np.empty(0, np.int64)
        return PlacedPeaks(none, none, none, none, {}, [])
    every = read_intervals(path, on_error)
    intervals = every.select(every.ok)
    contig, start, end, rows = places_on_genome(genome, intervals.chrom, intervals.start, intervals.end)
    if not len(rows):
        try:
            genome.resolve(next(iter(intervals.chrom), "."))
        except GenomeMismatch as error:
            raise GenomeMismatch(f"{path}: {error}") from None
    refuse_past_end(genome, splits, intervals, contig, rows)
    lengths = genome.lengths(contig)
    inside = start < lengths
    dropped = {
        "unreadable_rows": len(every) - len(intervals),
        "on_contigs_without_sequence": len(intervals) - len(rows),
        "past_the_end_of_a_contig": int((~inside).sum()),
    }
    center = intervals.select(rows).centers(summits)
    columns = (x[inside] for x in (contig, start, np.minimum(end, lengths), np.minimum(center, lengths - 1)))
    return PlacedPeaks(*columns, dropped, intervals.notes)


def is_empty(path: Path) -> bool:
    """Whether a file, plain or gzip, holds nothing but blanks."""
    return not any(chunk.strip() for chunk in read_chunks(path))


def refuse_past_end(genome: Genome, splits: Splits, intervals: Intervals, contig: np.ndarray, rows: np.ndarray) -> None:
    """GenomeMismatch for an interval past the end of its contig, but where the regions of the splits end before.

    contig: (n,) ids of the rows (n,) of the intervals.
    """
    whole = np.iinfo(np.int64).max
    limits = np.full(len(genome.contigs), whole if splits.rest else -1)
    named: dict[int, int] = {}
    for region in (region for regions in splits.regions.values() for region in regions):
        i = int(genome.contig_ids([region.contig])[0])
        named[i] = max(named.get(i, 0), whole if region.end is None else region.end)
    limits[list(named)] = list(named.values())
    end, length = intervals.end[rows], genome.lengths(contig)
    past = np.flatnonzero((end > length) & (end <= limits[contig]))
    if len(past):
        name, row = list(genome.contigs)[contig[past[0]]], rows[past[0]]
        raise GenomeMismatch(
            f"{intervals.path} line {intervals.line[row]}: end {intervals.end[row]:,} is past the end of {name}, which "
            f"has {int(length[past[0]]):,} bp in genome {genome.name!r} ({len(past):,} such rows): use the genome that "
            f"they were called on, or write the region of the splits as {name}:0-{int(length[past[0]])}"
        )
