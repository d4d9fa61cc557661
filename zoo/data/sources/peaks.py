"""`data=peaks`: windows at the peaks of a BED-like file against windows of the same GC content beside them.

    peaks + genome -> positives by split -> matched negatives by split -> duplicates across splits dropped

What a model learns from is filtered (width, signal, N, duplicates); what it is judged by is not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from zoo.data.aliases import alias_key, find
from zoo.data.gc_matched_negatives import gc_fraction, match_gc
from zoo.data.genome import Genome
from zoo.data.intervals import Intervals, read_intervals
from zoo.data.leakage_audit import Audited, audit
from zoo.data.sequences import Sequences, read_sequences
from zoo.data.source import SPLITS, Source
from zoo.data.sources.peak_examples import PeakExamples, WindowReader, WindowTable
from zoo.data.splits import Splits
from zoo.errors import ConfigError, GenomeMismatch
from zoo.fields import Field
from zoo.files.compressed import file_identity, resolve_paths

__all__ = ["Peaks"]


class Peaks(Source):
    """Bound against not bound, from the peaks of one experiment.

    root: folder that relative paths are in.  peaks: BED, narrowPeak or broadPeak file.
    genome: {name, fasta}, given by the configuration's `genome`.
    length: bp of a window.  center: "summit" (the middle where the file has none) or "middle".
    splits: {train, validation, test: [regions]}, 0-based half-open; a window that crosses a border is in none.
    max_width: training peaks at most this wide, bp.  min_signal, top_n: training peaks by signal value (by score
        where the file has no signal value).
    negatives: number for every positive.  train_negatives: another number for training at the peaks; there they
        weigh together what the positives weigh.  repeat: how often an epoch shows each training window at the
        peaks, for the sake of balance with many extra positives.
    gc_bin: GC difference up to which one is matched.
    min_distance: bp between a negative and any peak of the file, used or not.
    max_n_fraction: of N in a negative, and in a positive that is trained on.
    narrow_width: test results are also given for peaks at most this wide (with their negatives), bp.
    extra_positives: FASTA of bound sequences, for training only; their negatives have their own length and come
        from the training regions.  Sequences on the contigs of validation and test are left out, or on those
        that `extra_exclude` names.  extra_margin: bp given up on each of their ends as flank for shifts.
    extra_target: a target of their own for them, so that they teach the encoder and another head; null mixes them
        with the peaks.
    target, task: names of the prediction and of its one channel.

    Raises ConfigError for what is not given, GenomeMismatch where the peaks are not of this genome.
    """

    def __init__(
        self,
        *,
        root: str | None = None,
        peaks: str | None = None,
        genome: Mapping[str, Any] | None = None,
        length: int = 200,
        center: str = "summit",
        splits: Mapping[str, Sequence[str]] | None = None,
        max_width: int | None = None,
        min_signal: float | None = None,
        top_n: int | None = None,
        negatives: int = 1,
        train_negatives: int | None = None,
        repeat: int = 1,
        gc_bin: float = 0.02,
        min_distance: int = 500,
        max_n_fraction: float = 0.0,
        narrow_width: int = 2000,
        extra_positives: str | Sequence[str] | None = None,
        extra_exclude: Sequence[str] | None = None,
        extra_margin: int = 0,
        extra_target: str | None = None,
        target: str = "binding",
        task: str = "bound",
        on_error: str = "raise",
        licence: str = "",
        seed: int = 0,
    ):
        if not peaks:
            raise ConfigError("data=peaks needs a file of peaks: set data.peaks=/path/to/file.narrowPeak.gz")
        if center not in ("summit", "middle"):
            raise ConfigError(f"data.center {center!r} must be summit or middle")
        train_negatives = negatives if train_negatives is None else train_negatives
        counts = {"length": length, "negatives": negatives, "train_negatives": train_negatives, "repeat": repeat}
        for key, number in counts.items():
            if number < 1:
                raise ConfigError(f"data.{key} {number} must be at least 1")
        if extra_margin < 0:
            raise ConfigError(f"data.extra_margin {extra_margin} must be at least 0")
        self.repeat = repeat
        peaks, extra = resolve_paths(root, peaks)[0], resolve_paths(root, extra_positives)
        self.genome = Genome.from_config(genome)
        self.splits = Splits.from_config(splits)
        self.regions = self.splits.of(self.genome)
        self.input_length, self.narrow_width, self.extra_margin = length, narrow_width, extra_margin
        self.target, self.task, self.licence = target, task, licence
        self.targets = {target: Field("C", channels=(task,), values="binary")}
        self.extra_target = extra_target if extra_positives else None
        if self.extra_target:
            if extra_target == target:
                raise ConfigError(f"data.extra_target {extra_target!r} is also data.target: give it another name")
            self.targets[extra_target] = Field("C", channels=(f"{task}_{extra_target}",), values="binary")
        self.peaks = read_intervals(peaks, on_error)
        self.filters = {"max_width": max_width, "min_signal": min_signal, "top_n": top_n}
        self.dropped: dict[str, int] = {}
        self.matching: dict[str, dict[str, Any]] = {}
        self._match = {"gc": gc_bin, "n": negatives, "distance": min_distance, "max_n": max_n_fraction, "seed": seed}
        self._match["train"] = train_negatives
        self._files = [peaks, *extra]
        self._known = self._on_genome(self.peaks)
        self._extra, extra_known = self._read_extra(extra, extra_exclude)
        self.reader = WindowReader(self.genome, self._extra, extra_margin)
        tables = {split: self._positives(split, center) for split in SPLITS}
        tables = {
            split: WindowTable.join(t, self._negatives(t, split, split, self._known)) for split, t in tables.items()
        }
        if self._extra is not None and len(self._extra):
            positives = self._extra_positives()
            known = tuple(np.concatenate(p) for p in zip(self._known, extra_known, strict=True))
            extra = WindowTable.join(positives, self._negatives(positives, "train", "train_extra", known))
            tables["train"] = WindowTable.join(tables["train"], extra)
        self._tables = self._without_leaks(tables)

    def examples(self, split: str) -> PeakExamples:
        """Positives and negatives of one split."""
        if split not in SPLITS:
            raise ConfigError(f"there is no split {split!r}: choose from {', '.join(SPLITS)}")
        table = self._tables[split]
        if split == "train" and self.repeat > 1:
            again = np.tile(np.flatnonzero(~table.extra), self.repeat - 1)
            table = table.take(np.r_[np.arange(len(table)), again])
        return PeakExamples(self.reader, table, self.target, self.narrow_width, self.input_length, self.extra_target)

    def describe(self) -> dict[str, Any]:
        """Files, genome, splits with n, what was dropped, the proof of the GC match, the leakage audit."""
        return {
            "source": "peaks",
            "files": [file_identity(f) for f in self._files],
            "format": self.peaks.format,
            "notes": self.peaks.notes,
            "licence": self.licence,
            "genome": self.genome.identity(),
            "aliases": dict(self.genome.aliases),
            "length": self.input_length,
            "splits": self.splits.describe(),
            "n": {split: t.counts() for split, t in self._tables.items()},
            "training_filters": {k: v for k, v in self.filters.items() if v is not None},
            "dropped": {k: v for k, v in self.dropped.items() if v},
            "negatives": {
                "how": f"windows of the genome with the same GC content, {self._match['distance']} bp from any peak",
                "per_positive": self._match["n"],
                "per_training_positive": self._match["train"],
                "gc_bin": self._match["gc"],
                **self.matching,
            },
            "audit": self.audit,
        }

    @cached_property
    def audit(self) -> dict[str, Any]:
        """Overlaps and duplicates across the splits."""
        return audit({split: self._audited(t) for split, t in self._tables.items()})

    def _on_genome(self, peaks: Intervals) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Contig ids (-1 for a contig the genome lacks), starts, ends of every row that could be read."""
        names = {}
        for name in dict.fromkeys(peaks.chrom[peaks.ok]):
            names[name] = find(name, self.genome.contigs)
        if not any(names.values()):
            self.genome.resolve(next(iter(names), "."))
        known = {n: int(self.genome.contig_ids([n])[0]) for n, found in names.items() if found}
        rows = np.flatnonzero(peaks.ok)
        ids = np.array([known.get(c, -1) for c in peaks.chrom[rows]], np.int64)
        self.dropped["unreadable_rows"] = int((~peaks.ok).sum())
        self.dropped["on_contigs_without_sequence"] = int((ids < 0).sum())
        self._rows = rows[ids >= 0]
        return ids[ids >= 0], peaks.start[self._rows], peaks.end[self._rows]

    def _positives(self, split: str, center: str) -> WindowTable:
        """The windows at the peaks of one split."""
        ids, starts, ends = self._known
        peaks = self.peaks.select(self._rows)
        first = peaks.centers(center == "summit") - self.input_length // 2
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
        bad = unknown >= 1 if split == "test" else unknown > self._match["max_n"]
        self.dropped[f"{split}_with_n"] = int(bad.sum())
        rows, windows = rows[~bad], windows[~bad]
        n = len(rows)
        table = WindowTable(
            ids[rows],
            first[rows],
            np.full(n, self.input_length, np.int64),
            np.ones(n, np.float32),
            ends[rows] - starts[rows],
            peaks.name[rows],
            np.full(n, -1, np.int64),
            gc_fraction(windows),
            np.zeros(n, bool),
        )
        if split == "test":
            return table
        _, once = np.unique(np.stack([table.contig, table.start], 1), axis=0, return_index=True)
        self.dropped[f"{split}_same_window"] = n - len(once)
        return table.take(np.sort(once))

    def _worth_training(self, peaks: Intervals, quality: np.ndarray, inside: np.ndarray) -> np.ndarray:
        keep = np.ones(len(peaks), bool)
        limit = self.filters
        if (limit["min_signal"] is not None or limit["top_n"] is not None) and np.isnan(quality[inside]).all():
            raise ConfigError(
                f"{self.peaks.path} has no signal value or score: leave data.min_signal and data.top_n out"
            )
        if limit["max_width"] is not None:
            keep &= peaks.width <= limit["max_width"]
        if limit["min_signal"] is not None:
            keep &= quality >= limit["min_signal"]
        if limit["top_n"] is not None:
            rows = np.flatnonzero(keep & inside)
            ordered = rows[np.argsort(-np.nan_to_num(quality[rows], nan=-np.inf), kind="stable")]
            keep[ordered[limit["top_n"] :]] = False
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

    def _negatives(self, positives: WindowTable, split: str, key: str, known) -> WindowTable:
        """Windows of the split's regions, matched group by group of one length."""
        found = [WindowTable.empty()]
        for length in np.unique(positives.length):
            rows = np.flatnonzero(positives.length == length)
            matched = match_gc(
                self.genome,
                positives.gc[rows],
                int(length),
                n_per_positive=self._match["train" if key == "train" else "n"],
                exclude=known,
                min_distance=self._match["distance"],
                bin_width=self._match["gc"],
                max_n_fraction=self._match["max_n"],
                regions=self.regions[split],
                seed=(self._match["seed"], SPLITS.index(split), int(length), int(key != split)),
            )
            self.matching[key if found[-1] is found[0] else f"{key}_{length}"] = matched.report
            n, partner = len(matched), rows[matched.matched_to]
            found.append(
                WindowTable(
                    matched.contig_ids,
                    matched.starts,
                    np.full(n, length, np.int64),
                    np.zeros(n, np.float32),
                    positives.width[partner],
                    np.full(n, ".", object),
                    np.full(n, -1, np.int64),
                    matched.gc,
                    positives.extra[partner],
                )
            )
        return WindowTable.join(*found)

    def _read_extra(self, paths: Sequence[Path], exclude: Sequence[str] | None):
        """Ready-made sequences that are not on contigs held out, and where they lie on the genome."""
        nowhere = tuple(np.empty(0, np.int64) for _ in range(3))
        if not paths:
            return None, nowhere
        extra = Sequences.join([read_sequences(p) for p in paths])
        held_out = list(exclude) if exclude is not None else self.splits.contigs("validation", "test")
        held_keys = {alias_key(c) for c in held_out}
        names = [c for c in dict.fromkeys(extra.chrom) if c]
        out = np.array([alias_key(c) in held_keys for c in extra.chrom], bool)
        placed = {c: find(c, self.genome.contigs) for c in names}
        ids = np.array([self.genome.contig_ids([placed[c]])[0] if placed.get(c) else -1 for c in extra.chrom], np.int64)
        for split in ("validation", "test"):
            for contig, begin, end in self.regions[split]:
                out |= (ids == contig) & (extra.start < end) & (extra.end > begin)
        unknown = np.add.reduceat(extra.codes == 4, extra.offsets[:-1]) / extra.lengths
        n_rich = unknown > self._match["max_n"]
        short = extra.lengths <= 2 * self.extra_margin
        self.dropped["extra_on_held_out_contigs"] = int(out.sum())
        self.dropped["extra_with_n"] = int((n_rich & ~out).sum())
        self.dropped["extra_too_short"] = int((short & ~out & ~n_rich).sum())
        on = ids >= 0
        return extra.select(~out & ~n_rich & ~short), (ids[on], extra.start[on], extra.end[on])

    def _extra_positives(self) -> WindowTable:
        extra, n, cut = self._extra, len(self._extra), self.extra_margin
        gc = np.empty(n)
        for length in np.unique(extra.lengths):
            rows = np.flatnonzero(extra.lengths == length)
            gc[rows] = gc_fraction(extra.batch(rows)[:, cut : length - cut])
        return WindowTable(
            np.full(n, -1, np.int64),
            extra.start + cut,
            extra.lengths - 2 * cut,
            np.ones(n, np.float32),
            extra.lengths.copy(),
            np.array(extra.headers, object),
            np.arange(n),
            gc,
            np.ones(n, bool),
        )

    def _without_leaks(self, tables: dict[str, WindowTable]) -> dict[str, WindowTable]:
        """Training examples unlike any that judge, validation unlike the test's, and no training example twice."""
        kept, seen = {}, np.empty(0, np.uint64)
        for split in reversed(SPLITS):
            table = tables[split]
            hashes, _ = self.reader.hashes(table)
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

    def _audited(self, table: WindowTable) -> Audited:
        hashes, turned = self.reader.hashes(table)
        chrom, start, end = self.reader.places(table, np.arange(len(table)))
        return Audited(_names(chrom, start, end, table.name), hashes, turned, chrom, start, end, table.label)


def _names(chrom: np.ndarray, start: np.ndarray, end: np.ndarray, name: np.ndarray) -> np.ndarray:
    named = zip(chrom, start, end, name, strict=True)
    return np.array([f"{c}:{s}-{e}" if c else str(n) for c, s, e, n in named], object)
