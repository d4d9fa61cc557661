"""`data=fasta`: sequences that are bound and sequences that are not, in FASTA files, as papers post them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from zoo.composition.settings import settings_of
from zoo.data.genome import Genome
from zoo.data.leakage_audit import audit_source
from zoo.data.sequences import Sequences
from zoo.data.source import SPLITS, Source
from zoo.data.sources.domains import Cohort, RowAnnotations, described_domains, header_values, hold_out, numbers
from zoo.data.sources.labelled_sequences import Labelled, NegativesMaker, read_labelled
from zoo.data.sources.region_splits import fractions_or_regions, split_by_region
from zoo.data.sources.sequence_examples import ReadyExamples, groups, most_common
from zoo.data.sources.sequence_negatives import HOW, SequenceNegatives
from zoo.data.splits import Splits, draw_splits
from zoo.errors import ConfigError, DataError
from zoo.fields import Field
from zoo.files.compressed import file_identity, resolve_paths

_KINDS = ("positives", "negatives", "test_positives", "test_negatives")


class Fasta(Source):
    """Bound against not bound, from FASTA files (plain or gzip); sequences may differ in length.

    root: folder that relative paths are in.
    genome: {name, fasta}, given by the configuration's `genome`; for negatives that are windows of it.
    positives: a file or several.
    negatives: a file or several; or `shuffled` or `genome`, or settings (see `SequenceNegatives`), to make them of the
        positives; or null: `; class:1` or `; class:0` in the headers decides (true and false, yes and no, and so on).
    test_positives, test_negatives: the posted test set, kept whole.  Training sequences that it holds on either
        strand, or that overlap one of its on the genome, are left out.  Where neither files nor headers say its
        negatives, they are made as those of training are.
    splits: {validation, test: fractions}, drawn by a hash that duplicates, reverse complements, overlapping intervals
        and the negatives made of a positive share, so that they fall into one split; or {train, validation, test:
        [regions]}, 0-based half-open, of which the headers say the place.  The test's only where no test files are
        given.
    target, task: names of the prediction and of its one channel.
    cohort: settings, see `Cohort`: the domain and the covariates of a sequence, and a domain that is held out.  Made
        negatives are of their positive's domain.

    Outside a posted test set every sequence comes once, and one that has both labels not at all.
    """

    def __init__(
        self,
        *,
        root: str | None = None,
        genome: Mapping[str, Any] | None = None,
        positives: str | Sequence[str] | None = None,
        negatives: str | Sequence[str] | SequenceNegatives | Mapping[str, Any] | None = None,
        test_positives: str | Sequence[str] | None = None,
        test_negatives: str | Sequence[str] | None = None,
        splits: Mapping[str, Any] | None = None,
        target: str = "binding",
        task: str = "bound",
        cohort: Cohort | Mapping[str, Any] | None = None,
        licence: str = "",
        seed: int = 0,
    ):
        if not positives:
            raise ConfigError("data=fasta needs a file of sequences: set data.positives=/path/to/bound.fa.gz")
        self.target, self.licence, self._seed = target, licence, seed
        self.targets = {target: Field("C", channels=(task,), values="binary")}
        self.negatives, negatives = _made_or_files(negatives)
        self._files = [resolve_paths(root, p) for p in (positives, negatives, test_positives, test_negatives)]
        self.splits = fractions_or_regions(splits, test_is_posted=any(self._files[2:]))
        is_alone = self.negatives is not None
        sets = [read_labelled(*self._files[:2], "positives", is_alone)]
        if any(self._files[2:]):
            sets.append(read_labelled(*self._files[2:], "test_positives", is_alone))
        self.dropped: dict[str, int] = {}
        self.notes: list[str] = []
        self.genome, self._matching, family = None, {}, None
        if self.negatives is not None:
            self.genome = Genome.from_config(genome) if self.negatives.how == "genome" else None
            sets, family = self._completed(sets, self.negatives, resolve_paths(root, self.negatives.peaks))
        self.sequences = Sequences.join([part.sequences for part in sets])
        self._labels = np.concatenate([part.labels for part in sets])
        self._hashes = np.concatenate([part.hashes for part in sets])
        self.input_length = most_common(self.sequences.lengths)
        cohort = settings_of(Cohort, "data.cohort", cohort)
        self.annotations = self._annotated(cohort.domain, cohort.names, family)
        self.domains, self.covariates = self.annotations.domains, self.annotations.names
        self._groups = groups(self.sequences, self._hashes, family)
        is_posted = np.arange(len(self.sequences)) >= len(sets[0])
        split = np.full(len(self.sequences), SPLITS.index("test"), np.int8)
        if cohort.held_out is None:
            split[~is_posted] = self._split(~is_posted, family)
            self._rows = self._clean(split, is_posted)
        else:
            self._rows = self._leave_out(str(cohort.held_out), split, is_posted, family)
        for name, rows in self._rows.items():
            if not len(rows):
                raise DataError(f"no sequence is left for {name}: give more sequences, or a larger part of them")

    def examples(self, split: str) -> ReadyExamples:
        """Sequences of one split."""
        if split not in SPLITS:
            raise ConfigError(f"there is no split {split!r}: choose from {', '.join(SPLITS)}")
        labels = self._labels[:, None]
        return ReadyExamples(self.sequences, self._rows[split], self.target, labels, annotations=self.annotations)

    def describe(self) -> dict[str, Any]:
        """Files, splits with n, what was dropped, the leakage audit."""
        made = {**self.negatives.describe(), **self._matching} if self.negatives else None
        return {
            "source": "fasta",
            "files": {k: [file_identity(f) for f in fs] for k, fs in zip(_KINDS, self._files, strict=True) if fs},
            **({"genome": self.genome.identity()} if self.genome else {}),
            "licence": self.licence,
            "lengths": [int(self.sequences.lengths.min()), int(self.sequences.lengths.max())],
            "splits": self._described_splits(),
            "n": {
                split: {"positives": int(self._labels[r].sum()), "negatives": int((self._labels[r] == 0).sum())}
                for split, r in self._rows.items()
            },
            **{"dropped": {}, **described_domains(self.annotations, self._rows, self.dropped)},
            "negatives": made or {"how": "as given with the positives"},
            "audit": audit_source(self),
        }

    def _completed(
        self, sets: list[Labelled], negatives: SequenceNegatives, peaks: list[Any]
    ) -> tuple[list[Labelled], np.ndarray]:
        """The sets with negatives for positives alone, and (n,) ids that these share with their positive."""
        regions = self.splits if isinstance(self.splits, Splits) else None
        maker = NegativesMaker(negatives, self.genome, peaks, regions, self._seed)
        completed = maker.complete(sets)
        self.dropped |= maker.dropped
        self.notes += maker.notes
        self._matching = maker.matching
        return completed

    def _split(self, rows: np.ndarray, family: np.ndarray | None) -> np.ndarray:
        """Codes of SPLITS for the rows of a mask, -1 for a sequence in none; a negative has its positive's."""
        if isinstance(self.splits, Splits):
            own = rows if family is None else rows & (family == np.arange(len(rows)))
            codes = np.full(len(rows), -1, np.int8)
            codes[own], notes = split_by_region(self.sequences.select(own), self.splits)
            codes = codes if family is None else codes[family]
            self.notes += notes
            return codes[rows]
        test = 0.0 if not rows.all() else self.splits.test
        labels = self._labels[rows, None]
        codes, note = draw_splits(self._groups[rows], labels, self.splits.validation, test, self._seed)
        self.notes += [note] if note else []
        return codes

    def _described_splits(self) -> dict[str, Any]:
        """Plain JSON: where every split is from."""
        is_posted = any(self._files[2:])
        if isinstance(self.splits, Splits):
            return self.splits.describe() | ({"test": ["the posted test set"]} if is_posted else {})
        by = "hash shared by duplicates, reverse complements and overlapping intervals"
        test = None if is_posted else self.splits.test
        return {"by": by, "validation": self.splits.validation, "test": test, "seed": self._seed}

    def _clean(self, split: np.ndarray, posted: np.ndarray) -> dict[str, np.ndarray]:
        """{split: rows}: a posted test whole, all else without duplicates, contradictions, what a later split holds."""
        known = ~posted & np.isin(self._groups, self._groups[posted])
        later = np.zeros(len(split), bool)
        for code in (0, 1):
            later |= ~known & (split == code) & np.isin(self._groups, self._groups[split > code])
        left = ~posted & ~known & ~later & (split >= 0)
        self.dropped |= {
            "in_no_split": int((~known & (split < 0)).sum()),
            "in_or_overlapping_test": int(known.sum()),
            "in_a_later_split": int(later.sum()),
        }
        keep = posted | self._once(left)
        return {name: np.flatnonzero(keep & (split == code)) for code, name in enumerate(SPLITS)}

    def _leave_out(
        self, name: str, split: np.ndarray, posted: np.ndarray, family: np.ndarray | None
    ) -> dict[str, np.ndarray]:
        """{split: rows}: one domain is the test, see `hold_out`."""
        held = self.annotations.held_out(name)
        by_place = isinstance(self.splits, Splits)
        drawn = ~posted if by_place else ~posted & ~held
        split[~posted] = SPLITS.index("train")
        split[drawn] = self._split(drawn, family)
        split, left_out = hold_out(split, held, self._groups, test_is_stated=by_place or bool(posted.any()))
        self.dropped |= left_out
        self.notes.append(f"test is domain {name!r}, the others train and validate")
        keep = self._once(split >= 0)
        return {name: np.flatnonzero(keep & (split == code)) for code, name in enumerate(SPLITS)}

    def _once(self, rows: np.ndarray) -> np.ndarray:
        """(n,) bool: those of the rows that come first in their domain, without sequences of both labels in one."""
        key = self._hashes
        if self.annotations.domain is not None:
            key = key + (self.annotations.domain + 1).astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        both = rows & np.isin(key, np.intersect1d(key[self._labels == 1], key[self._labels == 0]))
        once, others = np.zeros(len(rows), bool), np.flatnonzero(rows)
        once[others[np.unique(key[others], return_index=True)[1]]] = True
        self.dropped |= {"with_both_labels": int(both.sum()), "duplicates": int((rows & ~once & ~both).sum())}
        return once & ~both

    def _annotated(self, domain: str | None, names: Sequence[str], family: np.ndarray | None) -> RowAnnotations:
        """Domain and covariates as the headers say them; what is made of a positive is of its domain."""
        cells = header_values(self.sequences, domain) if domain else None
        if domain and cells is None:
            raise DataError(
                f"no header of {self.sequences.path} says {domain}:NAME: set data.cohort.domain to a key that they have"
            )
        if cells is not None and family is not None:
            cells = [cells[i] for i in family]

        def column(name: str) -> np.ndarray | None:
            values = header_values(self.sequences, name)
            return None if values is None else numbers(values, f"{name} in the headers of {self.sequences.path}")

        return RowAnnotations.read(self.sequences, cells, names, column)


def _made_or_files(negatives: Any) -> tuple[SequenceNegatives | None, Any]:
    """How negatives are made, or None; and their files, or None."""
    if isinstance(negatives, str) and negatives in HOW:
        negatives = SequenceNegatives(how=negatives)
    if isinstance(negatives, SequenceNegatives | Mapping):
        return settings_of(SequenceNegatives, "data.negatives", negatives), None
    return None, negatives
