"""Bound and unbound sequences from FASTA files, those of positives alone completed with negatives.

files -> sequences and labels, by file or by `; class:` in the headers -> with shuffles or windows of a genome
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from zoo.data.gc_matched_negatives import Exclude
from zoo.data.genome import Genome
from zoo.data.intervals import read_intervals
from zoo.data.sequences import Sequences, hash_by_length, read_sequences
from zoo.data.source import SPLITS
from zoo.data.sources.region_splits import split_by_region
from zoo.data.sources.sequence_negatives import (
    SequenceNegatives,
    genome_negatives,
    positives_on_genome,
    shuffled_negatives,
)
from zoo.data.sources.table_columns import LABEL_WORDS
from zoo.data.sources.windows import places_on_genome
from zoo.data.splits import Splits
from zoo.errors import ConfigError, DataError

_LABELS = {word: 1.0 - i for words in (("1", "0"), *LABEL_WORDS) for i, word in enumerate(words)}
UNCHANGED = "positives_that_no_shuffle_changes"


@dataclass(frozen=True)
class Labelled:
    """Sequences and their labels (n,) of 1 and 0."""

    sequences: Sequences
    labels: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def hashes(self) -> np.ndarray:
        """(n,) `canonical_hash`."""
        return hash_by_length(self.sequences.lengths, self.sequences.batch)[0]


def read_labelled(positives: list[Path], negatives: list[Path], what: str, alone: bool) -> Labelled:
    """Sequences and their labels, from two sets of files or from the classes in the headers of one.

    what: argument of the positives.  alone: headers without a class are those of positives.
    """
    other = what.replace("positives", "negatives")
    if not positives:
        raise ConfigError(f"data.{other} is given without data.{what}: give both")
    if negatives:
        parts = [read_sequences(p) for p in (*positives, *negatives)]
        labels = [float(i < len(positives)) for i in range(len(parts))]
        return Labelled(Sequences.join(parts), np.repeat(labels, [len(p) for p in parts]).astype(np.float32))
    sequences = Sequences.join([read_sequences(p) for p in positives])
    if alone and not any(sequences.label):
        return Labelled(sequences, np.ones(len(sequences), np.float32))
    for label, line, header in zip(sequences.label, sequences.line, sequences.headers, strict=True):
        if label.lower() not in _LABELS:
            raise ConfigError(
                f"{sequences.path} line {line}: {header[:40]!r} has no `; class:1` or `; class:0`: "
                f"set data.{other} to files, or data.negatives=shuffled to make them"
            )
    labels = np.array([_LABELS[x.lower()] for x in sequences.label], np.float32)
    if alone and what == "positives" and not labels.all():
        raise ConfigError(
            f"{sequences.path} holds negatives, `class:0` in its headers, and data.negatives says to make them: "
            "leave data.negatives out, or give the positives alone"
        )
    return Labelled(sequences, labels)


@dataclass
class NegativesMaker:
    """Completes sets of positives alone.

    genome, peaks: for windows of a genome, and files of further sites that they keep away from.
    splits: where windows are taken from, split by split; None for the whole genome.
    dropped: {reason: positives}.  notes: a sentence each.  matching: {split_length: report of the match}.
    """

    negatives: SequenceNegatives
    genome: Genome | None
    peaks: list[Path]
    splits: Splits | None
    seed: int
    dropped: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    matching: dict[str, Any] = field(default_factory=dict)

    def complete(self, sets: list[Labelled]) -> tuple[list[Labelled], np.ndarray]:
        """The sets with their negatives; (n,) number that a positive shares with its own, its row among all of them."""
        self.notes.append(f"negatives: {self.negatives.describe()['how']}")
        genome = self.genome
        if genome is not None:
            sets = [self._without_n(part) for part in sets]
        hashes = [part.hashes for part in sets]
        bound = {key for part, some in zip(sets, hashes, strict=True) for key in some[part.labels == 1].tolist()}
        exclude = None if genome is None else self._bound_places(genome, sets)
        whole, family, first = [], [], 0
        for number, (part, some) in enumerate(zip(sets, hashes, strict=True)):
            parents = np.empty(0, np.int64)
            if part.labels.all() and genome is not None and exclude is not None:
                made, parents = self._windows(genome, part.sequences, some, exclude, number)
                new = ~np.isin(Labelled(made, parents).hashes, list(bound))
                part, parents = _joined(part.sequences, made.select(new)), parents[new]
            elif part.labels.all():
                part, parents = self._shuffles(part.sequences, some, bound)
            family.append(first + np.r_[np.arange(len(part) - len(parents)), parents])
            first += len(part)
            whole.append(part)
        return whole, np.concatenate(family)

    def _shuffles(self, sequences: Sequences, hashes: np.ndarray, bound: set[int]) -> tuple[Labelled, np.ndarray]:
        shuffles, parents = shuffled_negatives(sequences, hashes, bound, self.negatives.per_positive, self.seed)
        changed = np.isin(hashes, hashes[parents])
        self._drop(UNCHANGED, ~changed)
        if not changed.any():
            raise DataError(f"no shuffle changes any sequence of {sequences.path}: give data.negatives files")
        short = int((np.bincount(parents)[np.unique(parents)] < self.negatives.per_positive).sum())
        if short:
            self.notes.append(f"{short:,} positives have fewer than {self.negatives.per_positive} different shuffles")
        return _joined(sequences.select(changed), shuffles), (np.cumsum(changed) - 1)[parents]

    def _windows(
        self, genome: Genome, sequences: Sequences, hashes: np.ndarray, exclude: Exclude, number: int
    ) -> tuple[Sequences, np.ndarray]:
        """Windows from the regions of the positive's split; number: of the set, the second is the posted test's."""
        codes, regions = np.zeros(len(sequences), np.int8), None
        if self.splits is not None:
            regions = self.splits.of(genome)
            codes = np.full(len(sequences), 2, np.int8) if number else split_by_region(sequences, self.splits)[0]
        made, parents = [Sequences.from_codes([])], [np.empty(0, np.int64)]
        for code in np.unique(codes[codes >= 0]).tolist():
            rows, split = np.flatnonzero(codes == code), "test" if number else SPLITS[code]
            within = regions[split] or None if regions else None
            seed = (self.seed, number, code)
            some, own, reports = genome_negatives(
                genome, sequences.select(rows), hashes[rows], self.negatives, exclude, within, seed
            )
            made.append(some)
            parents.append(rows[own])
            name = split if regions or number else "all"
            self.matching |= {f"{name}_{length}": report for length, report in reports.items()}
        return Sequences.join(made), np.concatenate(parents)

    def _without_n(self, part: Labelled) -> Labelled:
        """Windows are drawn without N, and a positive with one would be told by it."""
        if not part.labels.all():
            return part
        has_n = np.add.reduceat(part.sequences.codes == 4, part.sequences.offsets[:-1]) > 0
        self._drop("positives_with_n", has_n)
        if has_n.all():
            raise DataError(f"every sequence of {part.sequences.path} holds an N: set data.negatives=shuffled")
        return Labelled(part.sequences.select(~has_n), part.labels[~has_n])

    def _bound_places(self, genome: Genome, sets: list[Labelled]) -> Exclude:
        """Contig ids, starts, ends of what windows keep away from: positives of all sets, and the peaks."""
        positives = Sequences.join([part.sequences.select(part.labels == 1) for part in sets])
        places, note = positives_on_genome(genome, positives)
        self.notes += [note] if note else []
        for file in self.peaks:
            intervals = read_intervals(file)
            *others, _ = places_on_genome(genome, intervals.chrom, intervals.start, intervals.end)
            chrom, start, end = (np.concatenate(pair) for pair in zip(places, others, strict=True))
            places = (chrom, start, end)
        return places

    def _drop(self, reason: str, rows: np.ndarray) -> None:
        self.dropped[reason] = self.dropped.get(reason, 0) + int(rows.sum())


def _joined(positives: Sequences, negatives: Sequences) -> Labelled:
    labels = np.repeat([1.0, 0.0], [len(positives), len(negatives)]).astype(np.float32)
    return Labelled(Sequences.join([positives, negatives]), labels)
