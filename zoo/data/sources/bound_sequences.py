"""`data=bound_sequences`: ready-made bound sequences against windows of a genome, to train on beside other data.

FASTA -> not on held-out contigs -> negatives of the same length and GC content, away from them and from peaks
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from zoo.composition.settings import settings_of
from zoo.data.aliases import alias_key
from zoo.data.gc_matched_negatives import gc_fraction
from zoo.data.genome import Genome
from zoo.data.intervals import read_intervals
from zoo.data.sequences import Sequences, read_sequences
from zoo.data.source import SPLITS, Source
from zoo.data.sources.negatives import Negatives, matched_negatives
from zoo.data.sources.sequence_examples import most_common
from zoo.data.sources.windows import WindowExamples, WindowReader, WindowTable, places_on_genome
from zoo.data.splits import Splits
from zoo.errors import ConfigError
from zoo.fields import Field
from zoo.files.compressed import file_identity, resolve_paths


class BoundSequences(Source):
    """Bound sequences from FASTA files, for training only; as a source of `data=mixture`, beside one that judges.

    root: folder that relative paths are in.  sequences: FASTA file or files, in their own lengths.
    genome: {name, fasta}, given by the configuration's `genome`; negatives are windows of its training regions.
    peaks: BED-like file of further binding sites that negatives keep away from.
    splits: {train, validation, test: [regions]}, 0-based half-open, as of the source that judges.
    exclude: contigs whose sequences are left out; null for all that validation and test name.  Sequences that
        overlap a region of validation or test are left out in any case.
    margin: bp given up on each end of a sequence as flank for shifts.
    negatives: settings, see `Negatives`.  A sequence or negative with an N is left out.
    target, task: names of the prediction and of its one channel; the target of another source mixes both.
    """

    def __init__(
        self,
        *,
        root: str | None = None,
        sequences: str | Sequence[str] | None = None,
        genome: Mapping[str, Any] | None = None,
        peaks: str | None = None,
        splits: Mapping[str, Sequence[str]] | None = None,
        exclude: Sequence[str] | None = None,
        margin: int = 0,
        negatives: Negatives | Mapping[str, Any] | None = None,
        target: str = "binding",
        task: str = "bound",
        seed: int = 0,
    ):
        if not sequences:
            raise ConfigError("data=bound_sequences needs a FASTA file: set its sequences=/path/to/bound.fa.gz")
        if margin < 0:
            raise ConfigError(f"margin {margin} of data bound_sequences must be at least 0")
        self.negatives = settings_of(Negatives, "negatives", negatives)
        self.target, self.margin = target, margin
        self.targets = {target: Field("C", channels=(task,), values="binary")}
        files, peak_files = resolve_paths(root, sequences), resolve_paths(root, peaks)
        self._files = [*files, *peak_files]
        self.genome = Genome.from_config(genome)
        self.splits = Splits.from_config(splits)
        self.regions = self.splits.of(self.genome)
        self.dropped: dict[str, int] = {}
        read = Sequences.join([read_sequences(f) for f in files])
        *known, rows = places_on_genome(self.genome, read.chrom, read.start, read.end)
        for file in peak_files:
            intervals = read_intervals(file)
            *placed, _ = places_on_genome(self.genome, intervals.chrom, intervals.start, intervals.end)
            known = [np.concatenate(pair) for pair in zip(known, placed, strict=True)]
        held_out = self.splits.contigs("validation", "test") if exclude is None else exclude
        self.sequences = self._usable(read, self._on_held_out(read, held_out, known[0][: len(rows)], rows))
        self.reader = WindowReader(self.genome, self.sequences, margin)
        positives = self._positives()
        self.input_length = most_common(positives.length)
        around = tuple(known), self.regions["train"], 0.0
        matched, self.matching = matched_negatives(
            self.genome, positives, self.negatives, "train", *around, seed=(seed, 1)
        )
        self._table = self._without_duplicates(WindowTable.join(positives, matched))

    def examples(self, split: str) -> WindowExamples:
        """Sequences and their negatives in train, nothing in the other splits."""
        if split not in SPLITS:
            raise ConfigError(f"there is no split {split!r}: choose from {', '.join(SPLITS)}")
        table = self._table if split == "train" else WindowTable.empty()
        return WindowExamples(self.reader, table, self.target, 1.0, self.margin)

    def describe(self) -> dict[str, Any]:
        """Files, genome, n, what was dropped, the proof of the GC match."""
        reports = {f"train_{length}": report for length, report in self.matching.items()}
        return {
            "source": "bound_sequences",
            "files": [file_identity(f) for f in self._files],
            "genome": self.genome.identity(),
            "splits": self.splits.describe(),
            "n": {"train": self._table.counts()},
            "dropped": {k: v for k, v in self.dropped.items() if v},
            "negatives": self.negatives.describe(reports),
        }

    def _on_held_out(self, read: Sequences, exclude: Sequence[str], ids: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """(n,) bool: on an excluded contig, or on a region of validation or test; ids: contigs of the placed rows."""
        keys = {alias_key(c) for c in exclude}
        out = np.array([alias_key(c) in keys for c in read.chrom], bool)
        start, end = read.start[rows], read.end[rows]
        for split in ("validation", "test"):
            for contig, first, last in self.regions[split]:
                out[rows] |= (ids == contig) & (start < last) & (end > first)
        return out

    def _usable(self, read: Sequences, held_out: np.ndarray) -> Sequences:
        has_n = np.add.reduceat(read.codes == 4, read.offsets[:-1]) > 0
        short = read.lengths <= 2 * self.margin
        self.dropped["on_held_out_contigs"] = int(held_out.sum())
        self.dropped["with_n"] = int((has_n & ~held_out).sum())
        self.dropped["too_short"] = int((short & ~held_out & ~has_n).sum())
        keep = ~held_out & ~has_n & ~short
        if not keep.any():
            raise ConfigError(f"{read.path} leaves no sequence to train on: all are held out, hold an N or are short")
        return read.select(keep)

    def _positives(self) -> WindowTable:
        sequences, n, cut = self.sequences, len(self.sequences), self.margin
        gc = np.empty(n)
        for length in np.unique(sequences.lengths):
            rows = np.flatnonzero(sequences.lengths == length)
            gc[rows] = gc_fraction(sequences.batch(rows)[:, cut : length - cut])
        columns = {"length": sequences.lengths - 2 * cut, "width": sequences.lengths, "name": sequences.headers}
        return WindowTable.of(sequences.start + cut, **columns, label=1, ready=np.arange(n), gc=gc)

    def _without_duplicates(self, table: WindowTable) -> WindowTable:
        """No sequence twice; positives stand first, so that one with both labels stays a positive."""
        once = np.sort(np.unique(self.reader.hashes(table), return_index=True)[1])
        self.dropped["duplicates"] = len(table) - len(once)
        return table.take(once)
