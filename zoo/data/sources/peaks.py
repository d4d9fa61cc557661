"""`data=peaks`: windows at the peaks of a BED-like file against windows of the same GC content beside them.

    peaks + genome -> positives by split -> matched negatives by split -> duplicates across splits dropped

What a model learns from is filtered (width, signal, N, duplicates); what it is judged by is not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from zoo.composition.settings import settings_of
from zoo.data.gc_matched_negatives import gc_fraction
from zoo.data.genome import Genome
from zoo.data.intervals import Intervals, read_intervals
from zoo.data.leakage_audit import audit_source
from zoo.data.source import SPLITS, Source
from zoo.data.sources.negatives import Negatives, matched_negatives
from zoo.data.sources.windows import WindowExamples, WindowReader, WindowTable, places_on_genome
from zoo.data.splits import Splits
from zoo.errors import ConfigError, GenomeMismatch
from zoo.fields import Field
from zoo.files.compressed import file_identity, resolve_paths


@dataclass(frozen=True, kw_only=True)
class PeakWindows:
    """Where the windows lie.

    length: bp of a window.  center: "summit" (the middle where the file has none) or "middle".
    narrow_width: results are also given for peaks at most this wide (with their negatives), bp.
    """

    length: int = 200
    center: str = "summit"
    narrow_width: int = 2000

    def __post_init__(self) -> None:
        if self.length < 1:
            raise ConfigError(f"data.windows.length {self.length} must be at least 1")
        if self.center not in ("summit", "middle"):
            raise ConfigError(f"data.windows.center {self.center!r} must be summit or middle")


@dataclass(frozen=True, kw_only=True)
class PeakFilters:
    """Which peaks are used; all but on_error leave validation and test alone.

    max_width: training peaks at most this wide, bp.  min_signal, top_n: training peaks by signal value (by score
        where the file has no signal value).
    max_n_fraction: of N in a negative, and in a positive that is trained on.
    on_error: "raise", or "skip" lines that cannot be read.
    """

    max_width: int | None = None
    min_signal: float | None = None
    top_n: int | None = None
    max_n_fraction: float = 0.0
    on_error: str = "raise"


class Peaks(Source):
    """Bound against not bound, from the peaks of one experiment.

    root: folder that relative paths are in.  peaks: BED, narrowPeak or broadPeak file.
    genome: {name, fasta}, given by the configuration's `genome`.
    windows, filters, negatives: settings, see `PeakWindows`, `PeakFilters`, `Negatives`.
    splits: {train, validation, test: [regions]}, 0-based half-open; a window that crosses a border is in none.
    target, task: names of the prediction and of its one channel.
    seed: of the negatives.

    Raises ConfigError for what is missing, GenomeMismatch where the peaks are not of this genome.
    """

    def __init__(
        self,
        *,
        root: str | None = None,
        peaks: str | None = None,
        genome: Mapping[str, Any] | None = None,
        windows: PeakWindows | Mapping[str, Any] | None = None,
        splits: Mapping[str, Sequence[str]] | None = None,
        filters: PeakFilters | Mapping[str, Any] | None = None,
        negatives: Negatives | Mapping[str, Any] | None = None,
        target: str = "binding",
        task: str = "bound",
        licence: str = "",
        seed: int = 0,
    ):
        if not peaks:
            raise ConfigError("data=peaks needs a file of peaks: set data.peaks=/path/to/file.narrowPeak.gz")
        self.windows = settings_of(PeakWindows, "data.windows", windows)
        self.filters = settings_of(PeakFilters, "data.filters", filters)
        self.negatives = settings_of(Negatives, "data.negatives", negatives)
        self.input_length, self.target, self.licence = self.windows.length, target, licence
        self.targets = {target: Field("C", channels=(task,), values="binary")}
        self._file = resolve_paths(root, peaks)[0]
        self.genome = Genome.from_config(genome)
        self.splits = Splits.from_config(splits)
        self.regions = self.splits.of(self.genome)
        self.reader = WindowReader(self.genome)
        self.peaks = read_intervals(self._file, self.filters.on_error)
        self.notes = list(self.peaks.notes)
        self.dropped: dict[str, int] = {}
        self.matching: dict[str, dict[str, Any]] = {}
        self._place_peaks()
        positives = {split: self._positives(split) for split in SPLITS}
        self._tables = self._without_leaks({s: self._with_negatives(table, s, seed) for s, table in positives.items()})

    def examples(self, split: str) -> WindowExamples:
        """Positives and negatives of one split.

        groups: {"peaks <= 2,000 bp": (n,) bool}, for results by part; negatives go with the peak they are matched to.
        """
        if split not in SPLITS:
            raise ConfigError(f"there is no split {split!r}: choose from {', '.join(SPLITS)}")
        table, narrow = self._tables[split], self.windows.narrow_width
        n = table.counts()
        negative_weight = float(n["positives"] / max(1, n["negatives"]))
        examples = WindowExamples(self.reader, table, self.target, negative_weight, margin=self.input_length)
        examples.groups = {f"peaks <= {narrow:,} bp": table.width <= narrow}
        return examples

    def describe(self) -> dict[str, Any]:
        """Files, genome, splits with n, what was dropped, the proof of the GC match, the leakage audit."""
        filters = {key: getattr(self.filters, key) for key in ("max_width", "min_signal", "top_n")}
        return {
            "source": "peaks",
            "files": [file_identity(self._file)],
            "format": self.peaks.format,
            "notes": self.peaks.notes,
            "licence": self.licence,
            "genome": self.genome.identity(),
            "aliases": dict(self.genome.aliases),
            "length": self.input_length,
            "splits": self.splits.describe(),
            "n": {split: t.counts() for split, t in self._tables.items()},
            "training_filters": {k: v for k, v in filters.items() if v is not None},
            "dropped": {k: v for k, v in self.dropped.items() if v},
            "negatives": self.negatives.describe(self.matching),
            "audit": audit_source(self),
        }

    def _place_peaks(self) -> None:
        """Contig ids, starts, ends of every peak of the file that can be read and lies on a contig of the genome."""
        ok = np.flatnonzero(self.peaks.ok)
        peaks = self.peaks.select(ok)
        *self._known, rows = places_on_genome(self.genome, peaks.chrom, peaks.start, peaks.end)
        if not len(rows):
            self.genome.resolve(next(iter(peaks.chrom), "."))
        self._rows = ok[rows]
        self.dropped["unreadable_rows"] = int((~self.peaks.ok).sum())
        self.dropped["on_contigs_without_sequence"] = len(ok) - len(rows)

    def _positives(self, split: str) -> WindowTable:
        """The windows at the peaks of one split."""
        ids, starts, ends = self._known
        peaks = self.peaks.select(self._rows)
        first = peaks.centers(self.windows.center == "summit") - self.input_length // 2
        inside = np.zeros(len(ids), bool)
        for contig, begin, end in self.regions[split]:
            inside |= (ids == contig) & (first >= begin) & (first + self.input_length <= end)
        self._refuse_other_assembly(split, ids, ends)
        quality = np.where(np.isnan(peaks.signal_value), peaks.score, peaks.signal_value)
        if split == "train":
            inside &= self._worth_training(peaks, quality, inside)
        rows = np.flatnonzero(inside)
        if not len(rows):
            return WindowTable.empty()
        windows = self.genome.windows(ids[rows], first[rows], self.input_length)
        unknown = (windows == 4).mean(1)
        bad = unknown >= 1 if split == "test" else unknown > self.filters.max_n_fraction
        self.dropped[f"{split}_with_n"] = int(bad.sum())
        rows, windows = rows[~bad], windows[~bad]
        table = WindowTable.of(
            first[rows],
            contig=ids[rows],
            length=self.input_length,
            label=1,
            width=ends[rows] - starts[rows],
            name=peaks.name[rows],
            gc=gc_fraction(windows),
        )
        if split == "test":
            return table
        _, once = np.unique(np.stack([table.contig, table.start], 1), axis=0, return_index=True)
        self.dropped[f"{split}_same_window"] = len(table) - len(once)
        return table.take(np.sort(once))

    def _worth_training(self, peaks: Intervals, quality: np.ndarray, inside: np.ndarray) -> np.ndarray:
        keep = np.ones(len(peaks), bool)
        limit = self.filters
        if (limit.min_signal is not None or limit.top_n is not None) and np.isnan(quality[inside]).all():
            raise ConfigError(
                f"{self.peaks.path} has no signal value or score: leave data.filters.min_signal and top_n out"
            )
        if limit.max_width is not None:
            keep &= peaks.width <= limit.max_width
        if limit.min_signal is not None:
            keep &= quality >= limit.min_signal
        if limit.top_n is not None:
            rows = np.flatnonzero(keep & inside)
            ordered = rows[np.argsort(-np.nan_to_num(quality[rows], nan=-np.inf), kind="stable")]
            keep[ordered[limit.top_n :]] = False
        self.dropped["train_filtered"] = int((inside & ~keep).sum())
        return keep

    def _refuse_other_assembly(self, split: str, ids: np.ndarray, ends: np.ndarray) -> None:
        """Peaks past the end of a contig, where the split asks for that part: not the genome they were called on."""
        for region in self.splits.regions[split]:
            contig = int(self.genome.contig_ids([region.contig])[0])
            length = int(self.genome.lengths(contig))
            past = (ids == contig) & (ends > length) & (ends <= (region.end or ends.max(initial=0)))
            if past.any():
                row = self._rows[np.flatnonzero(past)[0]]
                raise GenomeMismatch(
                    f"{self.peaks.path} line {self.peaks.line[row]}: end {self.peaks.end[row]:,} is past the end of "
                    f"{region.contig}, which has {length:,} bp in genome {self.genome.name!r} "
                    f"({int(past.sum()):,} such peaks): use the genome the peaks were called on, "
                    f"or write the region as {region.contig}:{region.start}-{length}"
                )

    def _with_negatives(self, positives: WindowTable, split: str, seed: int) -> WindowTable:
        around = self._known, self.regions[split], self.filters.max_n_fraction
        negatives, reports = matched_negatives(self.genome, positives, self.negatives, split, *around, seed=(seed, 0))
        if reports:
            self.matching[split] = reports[self.input_length]
        return WindowTable.join(positives, negatives)

    def _without_leaks(self, tables: dict[str, WindowTable]) -> dict[str, WindowTable]:
        """Training examples unlike any that judge, validation unlike the test's, and no training example twice."""
        kept, seen = {}, np.empty(0, np.uint64)
        for split in reversed(SPLITS):
            table = tables[split]
            hashes = self.reader.hashes(table)
            keep = ~np.isin(hashes, seen)
            self.dropped[f"{split}_in_a_later_split"] = int((~keep).sum())
            if split == "train":
                # Positives stand before their negatives, so that a sequence with both labels stays a positive.
                order = np.argsort(-table.label, kind="stable")
                once = np.zeros(len(table), bool)
                once[order[np.unique(hashes[order], return_index=True)[1]]] = True
                self.dropped["train_duplicates"] = int((keep & ~once).sum())
                keep &= once
            kept[split] = table.take(np.flatnonzero(keep))
            seen = np.concatenate([seen, hashes])
        return {split: kept[split] for split in SPLITS}
