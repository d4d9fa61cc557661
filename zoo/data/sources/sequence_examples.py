"""Examples of ready-made sequences, and how they are split so that no sequence is on two sides."""

from __future__ import annotations

import numpy as np

from zoo.data.sequences import Sequences
from zoo.data.source import Examples
from zoo.data.sources.domains import RowAnnotations
from zoo.errors import DataError


class ReadyExamples(Examples):
    """Some rows of a set of sequences, with one target.

    values: (n, C) float32 for all sequences; NaN is a missing label, which has weight 0.
    weighted: yield weights even where this split misses nothing, so that all splits yield the same keys.
    annotations: domain and covariates of all sequences.
    """

    def __init__(
        self,
        sequences: Sequences,
        rows: np.ndarray,
        target: str,
        values: np.ndarray,
        weighted: bool = False,
        annotations: RowAnnotations | None = None,
    ):
        self._sequences, self._rows, self._target, self._weighted = sequences, rows, target, weighted
        self._annotations = annotations or RowAnnotations()
        self._values = values[rows]
        self.lengths = sequences.lengths[rows]
        self.labels = self._values[:, 0]

    def batch(self, indices: np.ndarray, margin: int = 0) -> dict[str, np.ndarray]:
        """codes (N, L), target/<name> (N, C), weight/<name> (N, C) where labels may be missing, domain (N,) and
        covariates (N, k) where they exist; no margin."""
        if margin:
            raise DataError(f"ready-made sequences have no flanks for a margin of {margin} bp: set trainer.shift=0")
        rows = np.asarray(indices, np.int64)
        values = self._values[rows]
        batch = {
            "codes": self._sequences.batch(self._rows[rows]),
            f"target/{self._target}": np.nan_to_num(values),
            "index": rows,
            **self._annotations.batch(self._rows[rows]),
        }
        if self._weighted:
            batch[f"weight/{self._target}"] = np.isfinite(values).astype(np.float32)
        return batch

    def identity(self, indices: np.ndarray) -> dict[str, np.ndarray]:
        """name; chrom, start, end where the headers say them; domain and covariates where they exist."""
        rows = self._rows[np.asarray(indices, np.int64)]
        columns = {"name": np.array([self._sequences.headers[i] for i in rows], object)}
        if (self._sequences.start >= 0).any():
            columns |= {k: getattr(self._sequences, k)[rows] for k in ("chrom", "start", "end")}
        return columns | self._annotations.identity(rows)


def groups(sequences: Sequences, hashes: np.ndarray, family: np.ndarray | None = None) -> np.ndarray:
    """(n,) uint64 that sequences share which are equal, reverse complements, of one family, or overlap on the genome.

    hashes: (n,) from `canonical_hash`.  family: (n,) ids that a positive shares with the negatives made of it.
    Splits drawn by it share neither a sequence nor a base.
    """
    key = hashes.copy()
    clusters = _clusters(sequences)
    _, same = np.unique(hashes, return_inverse=True)
    members = (clusters, same) if family is None else (clusters, same, family)
    while True:
        before = key
        for member in members:
            lowest = np.full(member.max() + 1, np.iinfo(np.uint64).max)
            np.minimum.at(lowest, member, key)
            key = lowest[member]
        if (key == before).all():
            return key


def _clusters(sequences: Sequences) -> np.ndarray:
    """(n,) number of the run of overlapping intervals that a sequence is in; its own where it has no place."""
    order = np.lexsort((sequences.end, sequences.start, sequences.chrom.astype(str)))
    chrom, start, end = sequences.chrom[order], sequences.start[order], sequences.end[order]
    opens = np.ones(len(order), bool)
    reach = -1
    for i in range(1, len(order)):
        reach = max(reach, end[i - 1]) if chrom[i] == chrom[i - 1] else -1
        opens[i] = start[i] < 0 or start[i] >= reach
    cluster = np.empty(len(order), np.int64)
    cluster[order] = np.cumsum(opens) - 1
    return cluster


def most_common(lengths: np.ndarray) -> int:
    """The length that most sequences have."""
    return int(np.bincount(lengths).argmax())
