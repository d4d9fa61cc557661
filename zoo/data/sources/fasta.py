"""`data=fasta`: sequences that are bound and sequences that are not, in FASTA files, as papers post them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from zoo.composition.settings import settings_of
from zoo.data.leakage_audit import audit_source
from zoo.data.sequences import Sequences, hash_by_length, read_sequences
from zoo.data.source import SPLITS, Source
from zoo.data.sources.sequence_examples import ReadyExamples, groups, most_common
from zoo.data.sources.sequence_negatives import HOW, SequenceNegatives, shuffled_negatives
from zoo.data.sources.table_columns import LABEL_WORDS
from zoo.data.splits import Fractions, draw_splits
from zoo.errors import ConfigError, DataError
from zoo.fields import Field
from zoo.files.compressed import file_identity, resolve_paths

_LABELS = {word: 1.0 - i for words in (("1", "0"), *LABEL_WORDS) for i, word in enumerate(words)}


class Fasta(Source):
    """Bound against not bound, from FASTA files (plain or gzip); sequences may differ in length.

    root: folder that relative paths are in.
    positives: a file or several.
    negatives: a file or several; or `shuffled`, or settings (see `SequenceNegatives`), to make them of the positives;
        or null: `; class:1` or `; class:0` in the headers decides (true and false, yes and no, and the like).
    test_positives, test_negatives: the posted test set, kept whole.  Training sequences that it holds on either
        strand, or that overlap one of its on the genome, are left out.  Where neither files nor headers say its
        negatives, they are made as those of training are.
    splits: {validation, test: fractions}, drawn by a hash that duplicates, reverse complements and overlapping
        intervals share, so that they fall into one split; the test's only where no test files are given.
    target, task: names of the prediction and of its one channel.

    Outside a posted test set every sequence comes once, and one that has both labels not at all.
    """

    def __init__(
        self,
        *,
        root: str | None = None,
        positives: str | Sequence[str] | None = None,
        negatives: str | Sequence[str] | SequenceNegatives | Mapping[str, Any] | None = None,
        test_positives: str | Sequence[str] | None = None,
        test_negatives: str | Sequence[str] | None = None,
        splits: Fractions | Mapping[str, float] | None = None,
        target: str = "binding",
        task: str = "bound",
        licence: str = "",
        seed: int = 0,
    ):
        if not positives:
            raise ConfigError("data=fasta needs a file of sequences: set data.positives=/path/to/bound.fa.gz")
        fractions = settings_of(Fractions, "data.splits", splits)
        self.target, self.licence = target, licence
        self.targets = {target: Field("C", channels=(task,), values="binary")}
        self.negatives, negatives = _made_or_files(negatives)
        self._files = [resolve_paths(root, p) for p in (positives, negatives, test_positives, test_negatives)]
        self.dropped: dict[str, int] = {}
        self.notes: list[str] = []
        sets = [_labelled(*self._files[:2], "positives", self.negatives is not None)]
        if any(self._files[2:]):
            sets.append(_labelled(*self._files[2:], "test_positives", self.negatives is not None))
        family = None
        if self.negatives is not None:
            sets, family = self._with_shuffles(sets, self.negatives, seed)
        self.sequences = Sequences.join([sequences for sequences, _ in sets])
        self._labels = np.concatenate([labels for _, labels in sets])
        self._hashes, _ = hash_by_length(self.sequences.lengths, self.sequences.batch)
        self.input_length = most_common(self.sequences.lengths)
        self._groups = groups(self.sequences, self._hashes, family)
        is_posted = np.arange(len(self.sequences)) >= len(sets[0][0])
        test = None if is_posted.any() else fractions.test
        split = np.full(len(self.sequences), SPLITS.index("test"), np.int8)
        split[~is_posted], note = draw_splits(
            self._groups[~is_posted], self._labels[~is_posted, None], fractions.validation, test or 0.0, seed
        )
        self.notes += [note] if note else []
        by = "hash shared by duplicates, reverse complements and overlapping intervals"
        self._how = {"by": by, "validation": fractions.validation, "test": test, "seed": seed}
        self._rows = self._clean(split, is_posted)
        for name, rows in self._rows.items():
            if not len(rows):
                raise DataError(f"no sequence is left for {name}: give more sequences, or a larger fraction")

    def examples(self, split: str) -> ReadyExamples:
        """Sequences of one split."""
        if split not in SPLITS:
            raise ConfigError(f"there is no split {split!r}: choose from {', '.join(SPLITS)}")
        return ReadyExamples(self.sequences, self._rows[split], self.target, self._labels[:, None])

    def describe(self) -> dict[str, Any]:
        """Files, splits with n, what was dropped, the leakage audit."""
        kinds = ("positives", "negatives", "test_positives", "test_negatives")
        return {
            "source": "fasta",
            "files": {k: [file_identity(f) for f in fs] for k, fs in zip(kinds, self._files, strict=True) if fs},
            "licence": self.licence,
            "lengths": [int(self.sequences.lengths.min()), int(self.sequences.lengths.max())],
            "splits": self._how,
            "n": {
                split: {"positives": int(self._labels[r].sum()), "negatives": int((self._labels[r] == 0).sum())}
                for split, r in self._rows.items()
            },
            "dropped": {k: v for k, v in self.dropped.items() if v},
            "negatives": self.negatives.describe() if self.negatives else {"how": "as given with the positives"},
            "audit": audit_source(self),
        }

    def _with_shuffles(
        self, sets: list[tuple[Sequences, np.ndarray]], negatives: SequenceNegatives, seed: int
    ) -> tuple[list[tuple[Sequences, np.ndarray]], np.ndarray]:
        """The sets, those of positives alone with their shuffles; and (n,) ids that a positive shares with its own."""
        hashes = [hash_by_length(sequences.lengths, sequences.batch)[0] for sequences, _ in sets]
        bound = {key for (_, labels), some in zip(sets, hashes, strict=True) for key in some[labels == 1].tolist()}
        whole, family, first = [], [], 0
        for (sequences, labels), some in zip(sets, hashes, strict=True):
            parents = np.empty(0, np.int64)
            if labels.all():
                shuffles, parents = shuffled_negatives(sequences, some, bound, negatives.per_positive, seed)
                changed = np.isin(some, some[parents])
                self.dropped["positives_that_no_shuffle_changes"] = self.dropped.get(
                    "positives_that_no_shuffle_changes", 0
                ) + int((~changed).sum())
                if not changed.any():
                    raise DataError(f"no shuffle changes any sequence of {sequences.path}: give data.negatives files")
                parents = (np.cumsum(changed) - 1)[parents]
                kept = sequences.select(changed)
                sequences = Sequences.join([kept, shuffles])
                labels = np.r_[np.ones(len(kept)), np.zeros(len(shuffles))].astype(np.float32)
            family.append(first + np.r_[np.arange(len(labels) - len(parents)), parents])
            first += len(labels)
            whole.append((sequences, labels))
        self.notes.append(f"negatives: {negatives.describe()['how']}")
        return whole, np.concatenate(family)

    def _clean(self, split: np.ndarray, posted: np.ndarray) -> dict[str, np.ndarray]:
        """{split: rows}: a posted test whole, all else without duplicates, contradictions and what that test holds."""
        known = ~posted & np.isin(self._groups, self._groups[posted])
        contradicted = np.intersect1d(self._hashes[self._labels == 1], self._hashes[self._labels == 0])
        both = ~posted & np.isin(self._hashes, contradicted)
        once = np.zeros(len(split), bool)
        others = np.flatnonzero(~posted)
        once[others[np.unique(self._hashes[others], return_index=True)[1]]] = True
        self.dropped |= {
            "in_or_overlapping_test": int(known.sum()),
            "with_both_labels": int((both & ~known).sum()),
            "duplicates": int((~posted & ~once & ~known & ~both).sum()),
        }
        keep = posted | (once & ~known & ~both)
        return {name: np.flatnonzero(keep & (split == code)) for code, name in enumerate(SPLITS)}


def _made_or_files(negatives: Any) -> tuple[SequenceNegatives | None, Any]:
    """How negatives are made, or None; and their files, or None."""
    if isinstance(negatives, str) and negatives in HOW:
        negatives = SequenceNegatives(how=negatives)
    if isinstance(negatives, SequenceNegatives | Mapping):
        return settings_of(SequenceNegatives, "data.negatives", negatives), None
    return None, negatives


def _labelled(positives: list[Path], negatives: list[Path], what: str, alone: bool) -> tuple[Sequences, np.ndarray]:
    """Sequences and their labels, from two sets of files or from the classes in the headers of one.

    alone: headers without a class are those of positives.
    """
    other = what.replace("positives", "negatives")
    if not positives:
        raise ConfigError(f"data.{other} is given without data.{what}: give both")
    if negatives:
        parts = [read_sequences(p) for p in (*positives, *negatives)]
        labels = [float(i < len(positives)) for i in range(len(parts))]
        return Sequences.join(parts), np.repeat(labels, [len(p) for p in parts]).astype(np.float32)
    sequences = Sequences.join([read_sequences(p) for p in positives])
    if alone and not any(sequences.label):
        return sequences, np.ones(len(sequences), np.float32)
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
    return sequences, labels
