"""The windows behind `data=peaks`: where they lie, and the batches made of them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from zoo.data.aliases import find
from zoo.data.genome import Genome
from zoo.data.sequences import Sequences, hash_by_length
from zoo.data.source import Examples
from zoo.errors import DataError

__all__ = ["PeakExamples", "WindowReader", "WindowTable"]


@dataclass(frozen=True)
class WindowTable:
    """n windows, in columns of (n,).

    contig, start, length: on the genome, contig -1 for a ready-made sequence, whose number `ready` is (else -1).
    extra: True for a ready-made sequence and for the negatives matched to one.
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
    extra: np.ndarray

    def __len__(self) -> int:
        return len(self.start)

    def take(self, rows: np.ndarray) -> WindowTable:
        """These rows, in this order."""
        return replace(self, **{k: v[rows] for k, v in vars(self).items()})

    def counts(self) -> dict[str, int]:
        """positives, ready-made positives where there are any, negatives."""
        ready = int((self.ready >= 0).sum())
        positives = int((self.label > 0).sum()) - ready
        extra = {"extra_positives": ready} if ready else {}
        return {"positives": positives, **extra, "negatives": int((self.label == 0).sum())}

    @classmethod
    def empty(cls) -> WindowTable:
        """No windows."""
        n = np.empty(0, np.int64)
        return cls(n, n, n, n.astype(np.float32), n, n.astype(object), n, n.astype(np.float64), n.astype(bool))

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
    ready: Sequences | None
    ready_margin: int

    def codes(self, table: WindowTable, rows: np.ndarray, margin: int = 0) -> np.ndarray:
        """(N, L + 2 * margin) codes of rows of one length; flanks are the true ones."""
        if not len(rows):
            return np.empty((0, 0), np.uint8)
        length = int(table.length[rows[0]])
        if (table.length[rows] != length).any():
            raise DataError("windows of several lengths do not fit one batch: group the indices by length")
        size = length + 2 * margin
        is_ready = table.ready[rows] >= 0
        if not is_ready.any():
            return self.genome.windows(table.contig[rows], table.start[rows] - margin, size)
        if margin > self.ready_margin:
            raise DataError(
                f"a margin of {margin} bp is wanted of ready-made sequences that keep {self.ready_margin}: "
                "set data.extra_margin to the largest shift"
            )
        out = np.empty((len(rows), size), np.uint8)
        whole = self.ready.batch(table.ready[rows[is_ready]])
        cut = self.ready_margin - margin
        out[is_ready] = whole[:, cut : cut + size]
        rest = rows[~is_ready]
        out[~is_ready] = self.genome.windows(table.contig[rest], table.start[rest] - margin, size)
        return out

    def hashes(self, table: WindowTable) -> tuple[np.ndarray, np.ndarray]:
        """`canonical_hash` of every window."""
        return hash_by_length(table.length, lambda rows: self.codes(table, rows))

    def places(self, table: WindowTable, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Contigs as the genome calls them (else as the header does), starts, ends."""
        contigs = list(self.genome.contigs)
        chrom = np.array([contigs[c] if c >= 0 else "" for c in table.contig[rows]], object)
        ready = np.flatnonzero(table.ready[rows] >= 0)
        if len(ready):
            theirs = self.ready.chrom[table.ready[rows[ready]]]
            names = {c: (find(c, contigs) or c) if c else "" for c in dict.fromkeys(theirs)}
            chrom[ready] = [names[c] for c in theirs]
        start = table.start[rows]
        return chrom, start, start + table.length[rows]


class PeakExamples(Examples):
    """Windows of one split.

    target, extra_target: names of the predictions; with an extra target the extra windows are labelled for it alone.
    groups: {"peaks <= 2,000 bp": (n,) bool}, for results by part; negatives go with the peak they are matched to.
    labels: (n,) 1 at a peak.  The negatives at the peaks weigh together what the positives weigh.
    """

    def __init__(
        self,
        reader: WindowReader,
        table: WindowTable,
        target: str,
        narrow_width: int,
        margin: int,
        extra_target: str | None = None,
    ):
        self._reader, self._table, self._target, self._extra_target = reader, table, target, extra_target
        main = table.label[~table.extra] > 0
        self._negative_weight = float(main.sum() / max(1, (~main).sum()))
        self.lengths = table.length
        self.labels = table.label
        self.margin = reader.ready_margin if (table.ready >= 0).any() else margin
        self.groups = {f"peaks <= {narrow_width:,} bp": table.width <= narrow_width}

    def batch(self, indices: np.ndarray, margin: int = 0) -> dict[str, np.ndarray]:
        """codes (N, L + 2 * margin), target/<name> and weight/<name> (N, 1), index (N,).

        covariates (N, 1): the window's GC content.
        """
        rows, table = np.asarray(indices, np.int64), self._table
        label = table.label[rows][:, None]
        extra = table.extra[rows][:, None]
        weight = np.where((label > 0) | extra, 1.0, self._negative_weight).astype(np.float32)
        labels = {f"target/{self._target}": label, f"weight/{self._target}": weight}
        if self._extra_target:
            labels[f"weight/{self._target}"] = np.where(extra, np.float32(0), weight)
            labels[f"target/{self._extra_target}"] = label
            labels[f"weight/{self._extra_target}"] = extra.astype(np.float32)
        return {
            "codes": self._reader.codes(table, rows, margin),
            **labels,
            "covariates": table.gc[rows][:, None].astype(np.float32),
            "index": rows,
        }

    def identity(self, indices: np.ndarray) -> dict[str, np.ndarray]:
        """chrom, start, end, name, and peak_width (bp; of the matched peak for a negative)."""
        rows, table = np.asarray(indices, np.int64), self._table
        chrom, start, end = self._reader.places(table, rows)
        return {"chrom": chrom, "start": start, "end": end, "name": table.name[rows], "peak_width": table.width[rows]}
