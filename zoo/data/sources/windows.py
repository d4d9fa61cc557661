"""Bound and unbound windows of a genome: where they lie, and the batches made of them."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from zoo.data.aliases import find
from zoo.data.genome import Genome
from zoo.data.sequences import Sequences, hash_by_length
from zoo.data.source import Examples
from zoo.errors import DataError


@dataclass(frozen=True)
class WindowTable:
    """n windows, in columns of (n,).

    contig, start, length: on the genome, contig -1 for a ready-made sequence, whose number `ready` is (else -1).
    label: 1 at a peak.  width: bp of the peak, for a negative of the peak that it is matched to.  gc: fraction.
    """

    contig: np.ndarray
    start: np.ndarray
    length: np.ndarray
    label: np.ndarray
    width: np.ndarray
    name: np.ndarray
    ready: np.ndarray
    gc: np.ndarray

    def __len__(self) -> int:
        return len(self.start)

    def take(self, rows: np.ndarray) -> WindowTable:
        """These rows, in this order."""
        return replace(self, **{k: v[rows] for k, v in vars(self).items()})

    def counts(self) -> dict[str, int]:
        """Positives and negatives."""
        return {"positives": int((self.label > 0).sum()), "negatives": int((self.label == 0).sum())}

    @classmethod
    def of(cls, start: np.ndarray, **columns: Any) -> WindowTable:
        """From columns, where one value may stand for all rows, and -1 for a column that is not named."""
        kinds = {"label": np.float32, "name": object, "gc": np.float64}
        columns = {f.name: np.asarray(columns.get(f.name, -1), kinds.get(f.name, np.int64)) for f in fields(cls)}
        return cls(**{**{k: np.broadcast_to(x, len(start)) for k, x in columns.items()}, "start": start})

    @classmethod
    def empty(cls) -> WindowTable:
        """No windows."""
        return cls.of(np.empty(0, np.int64))

    @classmethod
    def join(cls, *tables: WindowTable) -> WindowTable:
        """One after another."""
        return cls(**{k: np.concatenate([getattr(t, k) for t in tables]) for k in vars(tables[0])})


@dataclass(frozen=True)
class WindowReader:
    """Codes and places of the rows of a table.

    ready: sequences that are not on the genome, None without any.  ready_margin: bp of each end of theirs that
    are no window but its flank.
    """

    genome: Genome
    ready: Sequences | None = None
    ready_margin: int = 0

    def codes(self, table: WindowTable, rows: np.ndarray, margin: int = 0) -> np.ndarray:
        """(N, L + 2 * margin) codes of rows of one length; flanks are the true ones."""
        if not len(rows):
            return np.empty((0, 0), np.uint8)
        length = int(table.length[rows[0]])
        if (table.length[rows] != length).any():
            raise DataError("windows of several lengths do not fit one batch: group the indices by length")
        size = length + 2 * margin
        is_ready = table.ready[rows] >= 0
        if self.ready is None or not is_ready.any():
            return self.genome.windows(table.contig[rows], table.start[rows] - margin, size)
        if margin > self.ready_margin:
            raise DataError(
                f"a margin of {margin} bp is wanted of ready-made sequences that keep {self.ready_margin}: "
                "set the margin of data bound_sequences to the largest shift"
            )
        out, cut, rest = np.empty((len(rows), size), np.uint8), self.ready_margin - margin, rows[~is_ready]
        out[is_ready] = self.ready.batch(table.ready[rows[is_ready]])[:, cut : cut + size]
        out[~is_ready] = self.genome.windows(table.contig[rest], table.start[rest] - margin, size)
        return out

    def hashes(self, table: WindowTable) -> np.ndarray:
        """(n,) uint64, `canonical_hash` of every window."""
        return hash_by_length(table.length, lambda rows: self.codes(table, rows))[0]

    def places(self, table: WindowTable, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Contigs as the genome calls them (else as the header does), starts, ends."""
        contigs = list(self.genome.contigs)
        chrom = np.array([contigs[c] if c >= 0 else "" for c in table.contig[rows]], object)
        ready = np.flatnonzero(table.ready[rows] >= 0)
        if self.ready is not None and len(ready):
            theirs = self.ready.chrom[table.ready[rows[ready]]]
            names = {c: (find(c, contigs) or c) if c else "" for c in dict.fromkeys(theirs)}
            chrom[ready] = [names[c] for c in theirs]
        start = table.start[rows]
        return chrom, start, start + table.length[rows]


class WindowExamples(Examples):
    """Windows of one split.

    target: name of the prediction.
    negative_weight: weight of a negative against a positive's 1.
    margin: bp of flank that `batch` can add.
    labels: (n,) 1 at a peak.
    """

    def __init__(self, reader: WindowReader, table: WindowTable, target: str, negative_weight: float, margin: int):
        self._reader, self._table, self._target, self._negative_weight = reader, table, target, negative_weight
        self.lengths, self.labels, self.margin = table.length, table.label, margin

    def batch(self, indices: np.ndarray, margin: int = 0) -> dict[str, np.ndarray]:
        """codes (N, L + 2 * margin), target/<name> and weight/<name> (N, 1), index (N,).

        covariates (N, 1): the window's GC content.
        """
        rows, table = np.asarray(indices, np.int64), self._table
        label = table.label[rows][:, None]
        return {
            "codes": self._reader.codes(table, rows, margin),
            f"target/{self._target}": label,
            f"weight/{self._target}": np.where(label > 0, 1.0, self._negative_weight).astype(np.float32),
            "covariates": table.gc[rows][:, None].astype(np.float32),
            "index": rows,
        }

    def identity(self, indices: np.ndarray) -> dict[str, np.ndarray]:
        """chrom, start, end, name, and peak_width (bp; of the matched peak for a negative)."""
        rows, table = np.asarray(indices, np.int64), self._table
        chrom, start, end = self._reader.places(table, rows)
        return {"chrom": chrom, "start": start, "end": end, "name": table.name[rows], "peak_width": table.width[rows]}


def places_on_genome(
    genome: Genome, chrom: np.ndarray, start: np.ndarray, end: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Contig ids, starts, ends of the intervals whose contig the genome has, and their rows: each (n,).

    chrom: (N,) names, as in the genome or an alias; "" for a sequence without a place.
    """
    names = {name: find(name, genome.contigs) for name in dict.fromkeys(chrom) if name}
    ids_of = {name: int(genome.contig_ids([contig])[0]) for name, contig in names.items() if contig}
    ids = np.array([ids_of.get(name, -1) for name in chrom], np.int64)
    rows = np.flatnonzero(ids >= 0)
    return ids[rows], start[rows], end[rows], rows
