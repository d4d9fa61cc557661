"""`Bins`: read depth of one sample in the one form that every reader gives and everything else takes.

    chrom start end depth gc mappability mask     one row a bin, sorted, without overlap

Bins may lie side by side (a whole genome) or far apart and be of uneven size (a panel, an exome).  Coordinates are
0-based half-open.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from zoo.errors import DataError

_ARRAYS = ("contig", "start", "end", "depth", "gc", "mappability", "mask", "reference", "spread", "kind")


@dataclass(frozen=True)
class Bins:
    """n bins of one sample.

    contigs: names, in the order of the file's or the genome's contigs.
    contig: (n,) int32, index into `contigs`, never decreasing.
    start, end: (n,) int64, increasing within a contig, without overlap.
    depth: (n,) float32, mean coverage a base, or whatever is proportional to it; NaN where unknown, never negative.
    gc: (n,) float32, share of G and C from 0 to 1; NaN where unknown.
    mappability: (n,) float32 from 0 to 1; NaN where unknown.
    mask: (n,) bool, True where the bin may be used.
    sample: name of the sample.  sizes: bp of contigs, where known.
    reference: (n,) float32, log2 depth of a pooled reference, relative to its own median; NaN where there is none.
    spread: (n,) float32, its standard deviation; NaN where there is none.
    kind: (n,) uint8, 0 for a target or a bin of the genome, 1 for an off-target bin of a capture, whose depth is on
        another level and is normalised by itself; None where all bins are of kind 0.
    origin: how the numbers came about, for provenance and QC (reader, file, unit, GC from where, ...).
    notes: for the user, on the file.

    Raises DataError where the bins are not sorted, overlap, or hold what cannot be.
    """

    contigs: Sequence[str]
    contig: np.ndarray
    start: np.ndarray
    end: np.ndarray
    depth: np.ndarray
    gc: np.ndarray
    mappability: np.ndarray
    mask: np.ndarray
    sample: str = "sample"
    sizes: Mapping[str, int] = field(default_factory=dict)
    reference: np.ndarray | None = None
    spread: np.ndarray | None = None
    kind: np.ndarray | None = None
    origin: Mapping[str, str] = field(default_factory=dict)
    notes: Sequence[str] = ()

    def __post_init__(self) -> None:
        n = len(self.start)
        for name in _ARRAYS:
            values = getattr(self, name)
            if values is not None and len(values) != n:
                raise DataError(f"{name} of {self.sample} has {len(values):,} values for {n:,} bins: give one a bin")
        if n and not 0 <= self.contig.min() <= self.contig.max() < len(self.contigs):
            raise DataError(
                f"bins of {self.sample} lie on contigs that are not among its {len(self.contigs)}: name them"
            )
        same = np.diff(self.contig) == 0
        if (np.diff(self.contig) < 0).any() or (np.diff(self.start)[same] < 0).any():
            raise DataError(f"bins of {self.sample} are not sorted by contig and start: sort them first")
        if (self.start < 0).any() or (self.end <= self.start).any():
            i = int(np.flatnonzero((self.start < 0) | (self.end <= self.start))[0])
            raise DataError(f"bin {self.start[i]:,}..{self.end[i]:,} of {self.sample} is empty or negative: drop it")
        if (self.end[:-1] > self.start[1:])[same].any():
            i = int(np.flatnonzero((self.end[:-1] > self.start[1:]) & same)[0])
            raise DataError(
                f"bins of {self.sample} overlap at {self.contigs[self.contig[i]]}:{self.start[i + 1]:,}: merge them"
            )
        if (self.depth < 0).any():
            raise DataError(f"depth of {self.sample} is negative in {int((self.depth < 0).sum()):,} bins: drop them")
        for name in ("gc", "mappability"):
            values = getattr(self, name)
            if (bad := (values < 0) | (values > 1)).any():
                raise DataError(
                    f"{name} {values[bad][0]:g} of {self.sample} is no share from 0 to 1: write 41 % as 0.41"
                )

    def __len__(self) -> int:
        """n."""
        return len(self.start)

    @property
    def chrom(self) -> np.ndarray:
        """(n,) names of contigs."""
        return np.asarray(self.contigs, object)[self.contig]

    @property
    def width(self) -> np.ndarray:
        """(n,) bp."""
        return self.end - self.start

    def __getitem__(self, chosen: np.ndarray | slice) -> Bins:
        """The bins of a slice or of a mask, in their order."""
        picked = {k: getattr(self, k) for k in _ARRAYS}
        return replace(self, **{k: None if v is None else v[chosen] for k, v in picked.items()})

    def on(self, contig: str) -> Bins:
        """The bins of one contig."""
        if contig not in self.contigs:
            raise DataError(f"{self.sample} has no contig {contig!r}: it has {', '.join(self.contigs[:8])}")
        return self[self.contig == list(self.contigs).index(contig)]
