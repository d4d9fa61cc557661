"""Constructs of one split as batches, and the source that every library of constructs is.

Library (sequences, parts, measurements, splits) -> batch {codes, target/activity, variance/activity, weight/activity}
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.data.leakage_audit import audit_source
from zoo.data.sequences import Sequences, hash_by_length
from zoo.data.source import SPLITS, Source
from zoo.data.sources.sequence_examples import ReadyExamples, most_common
from zoo.errors import ConfigError, DataError, did_you_mean
from zoo.fields import Field
from zoo_constructs.library.kmer_similarity import KmerSets
from zoo_constructs.library.measurements import Measurements
from zoo_constructs.library.splits import leak_audit

if TYPE_CHECKING:
    from zoo.evaluation.baselines import Baseline

TARGET = "activity"


class ConstructExamples(ReadyExamples):
    """Some constructs, with the variance of their measurement and their parts."""

    def __init__(self, source: ConstructSource, rows: np.ndarray):
        values = source.measurements.values
        super().__init__(source.sequences, rows, TARGET, values, weighted=not np.isfinite(values).all())
        variance = source.measurements.variance
        self._variance = variance[rows] if np.isfinite(variance).any() else None
        self._parts = source.parts

    def batch(self, indices: np.ndarray, margin: int = 0) -> dict[str, np.ndarray]:
        """As ReadyExamples', and variance/activity (N, C), NaN where it is unknown, where there are replicates."""
        batch = super().batch(indices, margin)
        if self._variance is not None:
            batch[f"variance/{TARGET}"] = self._variance[np.asarray(indices, np.int64)]
        return batch

    def identity(self, indices: np.ndarray) -> dict[str, np.ndarray]:
        """name, and the letters of every part."""
        rows = self._rows[np.asarray(indices, np.int64)]
        return super().identity(indices) | {role: letters[rows] for role, letters in self._parts.items()}


class ConstructSource(Source):
    """A library in memory, in three splits.

    sequences: n constructs.  parts: {role: (n,) letters}.  measurements: of them.  codes: (n,) of `SPLITS`.
    identity: from which on two sequences are near-duplicates to the audit.
    """

    sequences: Sequences
    parts: Mapping[str, np.ndarray]
    measurements: Measurements
    identity: float = 0.8

    def hold(self, sequences: Sequences, parts: Mapping[str, np.ndarray], measurements: Measurements) -> None:
        """Take the constructs in; their split is set by `split_by`."""
        self.sequences, self.parts, self.measurements = sequences, parts, measurements
        self.targets = {TARGET: Field("C", channels=measurements.names, values="real")}
        self.input_length = most_common(sequences.lengths)
        self.hashes, _ = hash_by_length(sequences.lengths, sequences.batch)

    def split_by(self, codes: np.ndarray) -> None:
        """codes: (n,) of `SPLITS`.  Raises DataError without a row to train on."""
        self.codes = codes
        self.rows = {split: np.flatnonzero(codes == i) for i, split in enumerate(SPLITS)}
        if not len(self.rows["train"]):
            raise DataError(f"{self.sequences.path or 'the library'} leaves no construct to train on: check its splits")

    @cached_property
    def kmers(self) -> KmerSets:
        """Of all constructs."""
        return KmerSets.of(self.sequences)

    def examples(self, split: str) -> ConstructExamples:
        """Constructs of one split."""
        if split not in SPLITS:
            raise ConfigError(f"no split {split!r}" + did_you_mean(split, SPLITS))
        return ConstructExamples(self, self.rows[split])

    def baselines(self, target: str) -> Sequence[Baseline]:
        """Additive and pairwise models of bases, and of the parts that recur, behind a monotone curve."""
        from zoo_constructs.library.construct_features import PartFeatures, construct_baselines

        recurring = {role: x for role, x in self.parts.items() if len(set(x)) <= len(x) / 2}
        codes = [self.sequences[i] for i in range(len(self.sequences))]
        parts = PartFeatures(codes, recurring) if recurring else None
        pairs = PartFeatures(codes, recurring, pairs=True) if len(recurring) > 1 else None
        return construct_baselines(int(self.sequences.lengths.max()), parts, pairs)

    def described(self) -> dict[str, Any]:
        """What the cards of all libraries say: columns, splits with n, what was left out, the audits."""
        field = self.targets[TARGET]
        missing = (~np.isfinite(self.measurements.values)).sum(0).tolist()
        audit = audit_source(self)
        audit["similarity"] = leak_audit(self.kmers, self.parts, self.codes, self.identity)
        return {
            "columns": list(field.channels),
            "values": field.values,
            "missing": dict(zip(field.channels, missing, strict=True)),
            "replicates": bool(np.isfinite(self.measurements.variance).any()),
            "parts": {role: len(set(letters)) for role, letters in self.parts.items()},
            "lengths": [int(self.sequences.lengths.min()), int(self.sequences.lengths.max())],
            "n": {split: len(rows) for split, rows in self.rows.items()},
            "dropped": {reason: count for reason, count in self.dropped.items() if count},
            "audit": audit,
        }
