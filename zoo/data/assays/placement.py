"""Peaks and windows of a cohort on one line of contigs, in splits by region.

peak file -> LinePeaks;  centres of all -> windows inside the regions of a split, and a background
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from zoo.data.assays.peak_labels import LinePeaks, merge_centers
from zoo.data.assays.settings import AssayWindows, Background
from zoo.data.gc_matched_negatives import match_gc
from zoo.data.genome import Genome
from zoo.data.intervals import Intervals, read_intervals
from zoo.data.source import SPLITS
from zoo.data.sources.windows import places_on_genome
from zoo.data.splits import Splits
from zoo.errors import DataError, GenomeMismatch
from zoo.files.compressed import read_chunks

_ROUNDS = 20

Regions = Mapping[str, Sequence[tuple[int, int, int]]]


@dataclass(frozen=True)
class Windows:
    """N windows of one length, ascending on the line.

    contig, start: (N,) int64.  gc: (N,) fraction of G and C.  at_peak: (N,) bool, False for the background.
    """

    contig: np.ndarray
    start: np.ndarray
    gc: np.ndarray
    at_peak: np.ndarray

    def __len__(self) -> int:
        return len(self.start)

    def take(self, rows: np.ndarray) -> Windows:
        """These rows, in this order."""
        return Windows(*(x[rows] for x in vars(self).values()))


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
    intervals = read_intervals(path, on_error)
    ok = np.flatnonzero(intervals.ok)
    intervals = intervals.select(ok)
    contig, start, end, rows = places_on_genome(genome, intervals.chrom, intervals.start, intervals.end)
    if not len(rows):
        try:
            genome.resolve(next(iter(intervals.chrom), "."))
        except GenomeMismatch as error:
            raise GenomeMismatch(f"{path}: {error}") from None
    refuse_past_end(genome, splits, intervals, contig, rows)
    lengths = genome.lengths(contig)
    inside = start < lengths
    dropped = {"unreadable_rows": int((~intervals.ok).sum()), "on_contigs_without_sequence": len(intervals) - len(rows)}
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


class WindowPlacer:
    """Windows of every split, and why others are none.

    peaks: of all experiments; blacklist: regions that no window touches, None without.
    dropped: {reason: windows}, filled as splits are placed.  matching: {split: report} of the GC match.
    """

    def __init__(
        self, line: ContigLine, settings: AssayWindows, peaks: Sequence[PlacedPeaks], blacklist: PlacedPeaks | None
    ):
        self.line, self.settings, self.genome = line, settings, line.genome
        self.peaks, self.blacklist = peaks, blacklist
        self.dropped: dict[str, int] = {}
        self.matching: dict[str, Any] = {}

    def starts(self, places: PlacedPeaks | None) -> np.ndarray:
        """(n,) starts on the line, ascending: around the places where they are named, else the union of the peaks."""
        length, core = self.settings.length, self.settings.core
        if places is not None:
            return np.unique(self.line.place(places.contig, places.center - length // 2))
        centers = [self.line.place(p.contig, p.center) for p in self.peaks]
        return merge_centers(np.concatenate(centers), length, core)

    def place(
        self, starts: np.ndarray, split: str, regions: Regions, background: Background, seed: Sequence[int]
    ) -> Windows:
        """Windows of a split: those of `starts` that its regions hold whole, and the background drawn from them."""
        length = self.settings.length
        contig, at = self.line.undo(starts)
        inside = np.zeros(len(starts), bool)
        for region, first, end in regions[split]:
            inside |= (contig == region) & (at >= first) & (at + length <= end)
        windows = self._clean(contig[inside], at[inside], split, True)
        number = background.number(split, len(windows))
        if not number:
            return windows
        if background.how == "gc":
            others = self._gc_matched(windows, split, regions[split], background, number, seed)
        else:
            others = self._random(windows, split, regions[split], number, seed)
        joined = Windows(
            *(np.concatenate(pair) for pair in zip(vars(windows).values(), vars(others).values(), strict=True))
        )
        order = np.argsort(self.line.place(joined.contig, joined.start), kind="stable")
        return joined.take(order)

    def _clean(self, contig: np.ndarray, start: np.ndarray, split: str, at_peak: bool) -> Windows:
        """Without windows of N and those that the blacklist touches."""
        length = self.settings.length
        gc, unknown = np.empty(len(start)), np.empty(len(start), np.int64)
        for i in np.unique(contig):
            rows = np.flatnonzero(contig == i)
            strong, unknown[rows] = self.genome.base_counts(int(i), start[rows], length)
            gc[rows] = strong / np.maximum(length - unknown[rows], 1)
        limit = self.settings.max_n_fraction * length
        bad = unknown >= length if split == "test" and at_peak else (unknown > limit) | (unknown >= length)
        listed = self._on_blacklist(contig, start)
        if at_peak:
            self.dropped[f"{split}_windows_with_n"] = int(bad.sum())
            self.dropped[f"{split}_windows_on_the_blacklist"] = int((listed & ~bad).sum())
        keep = ~bad & ~listed
        return Windows(contig[keep], start[keep], gc[keep], np.full(int(keep.sum()), at_peak))

    def _on_blacklist(self, contig: np.ndarray, start: np.ndarray) -> np.ndarray:
        if self.blacklist is None:
            return np.zeros(len(start), bool)
        at = self.line.place(contig, start)
        first, end = np.sort(self.blacklist.on_line(self.line).start), np.sort(self.blacklist.on_line(self.line).end)
        # Regions that begin before the window ends, less those that end before it begins.
        return np.searchsorted(first, at + self.settings.length, "left") > np.searchsorted(end, at, "right")

    def _gc_matched(self, windows, split, regions, background: Background, number: int, seed) -> Windows:
        rng = np.random.default_rng([*seed, SPLITS.index(split), 1])
        whole, rest = divmod(number, len(windows))
        rows = np.r_[np.tile(np.arange(len(windows)), whole), rng.permutation(len(windows))[:rest]]
        avoided = [*self.peaks, *([self.blacklist] if self.blacklist is not None else [])]
        try:
            matched = match_gc(
                self.genome,
                windows.gc[rows],
                self.settings.length,
                exclude=tuple(np.concatenate([getattr(p, k) for p in avoided]) for k in ("contig", "start", "end")),
                min_distance=background.min_distance,
                bin_width=background.gc_bin,
                max_n_fraction=self.settings.max_n_fraction,
                regions=regions,
                seed=[*seed, SPLITS.index(split)],
            )
        except DataError as error:
            raise DataError(
                f"{split}: {error}; or set data.negatives.how=random, which takes windows anywhere, or a smaller "
                "data.negatives.per_window or min_distance"
            ) from None
        self.matching[split] = matched.report
        return Windows(matched.contig_ids, matched.starts, matched.gc, np.zeros(len(matched), bool))

    def _random(self, windows: Windows, split: str, regions, number: int, seed) -> Windows:
        """Distinct windows, uniformly from all places of the regions, that touch no window at a peak."""
        rng = np.random.default_rng([*seed, SPLITS.index(split), 2])
        length = self.settings.length
        room = np.array([max(0, end - first - length + 1) for _, first, end in regions], np.int64)
        known = np.sort(self.line.place(windows.contig, windows.start))
        drawn = np.empty(0, np.int64)
        for _ in range(_ROUNDS if room.sum() else 0):
            at = rng.integers(room.sum(), size=2 * (number - len(drawn)))
            which = np.searchsorted(np.cumsum(room), at, "right")
            first = np.array([r[1] for r in regions], np.int64)[which] - (np.cumsum(room) - room)[which]
            contig = np.array([r[0] for r in regions], np.int64)[which]
            clean = self._clean(contig, at + first, split, False)
            places = self.line.place(clean.contig, clean.start)
            free = np.searchsorted(known, places - length, "right") == np.searchsorted(known, places + length, "left")
            new = np.concatenate([drawn, places[free]])
            drawn = new[np.sort(np.unique(new, return_index=True)[1])][:number]
            if len(drawn) == number:
                break
        else:
            raise DataError(
                f"{split}: {number:,} random windows are wanted, its regions hold {len(drawn):,} more: "
                "set a smaller data.negatives.per_window"
            )
        contig, start = self.line.undo(np.sort(drawn))
        return self._clean(contig, start, split, False)
