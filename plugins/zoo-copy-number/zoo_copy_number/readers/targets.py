"""Targets of a capture: the intervals of a BED file as bins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from zoo.data.intervals import read_intervals
from zoo.errors import DataError, GenomeMismatch
from zoo_copy_number.readers.contigs import match_contigs


@dataclass
class Targets:
    """n intervals, sorted, without overlap: contig (n,) index into contigs, start and end (n,) int64."""

    path: str
    contigs: list[str]
    contig: np.ndarray
    start: np.ndarray
    end: np.ndarray
    notes: list[str] = field(default_factory=list)

    def on(self, sizes: Mapping[str, int], owner: str) -> tuple[list[str], np.ndarray, np.ndarray, np.ndarray]:
        """(contigs, contig, start, end) by the names and in the order of `sizes`.

        Raises GenomeMismatch for a target on an unknown contig or past the end of its contig.
        """
        place = match_contigs(self.contigs, sizes)
        for i, name in enumerate(self.contigs):
            last = int(self.end[self.contig == i].max())
            if place[name] is None or last > sizes[place[name]]:
                why = "which it does not have" if place[name] is None else f"which has {sizes[place[name]]:,} bp"
                raise GenomeMismatch(
                    f"{self.path} has targets on {name} up to {last:,}, in {owner}, {why}: use targets of its assembly"
                )
        contigs = [c for c in sizes if c in set(place.values())]
        code = np.array([contigs.index(place[c]) for c in self.contigs], np.int32)[self.contig]
        order = np.lexsort((self.start, code))
        return contigs, code[order], self.start[order], self.end[order]


def read_targets(path: str | Path, bin_size: int | None = None) -> Targets:
    """Intervals of a BED file; those that overlap are joined, and cut into equal parts of at most `bin_size` bp."""
    intervals = read_intervals(path)
    code = {c: i for i, c in enumerate(dict.fromkeys(intervals.chrom))}
    contigs, contig = list(code), np.array([code[c] for c in intervals.chrom], np.int32)
    order = np.lexsort((intervals.end, intervals.start, contig))
    contig, start, end = contig[order], intervals.start[order], intervals.end[order]
    if (end <= start).any():
        i = int(np.flatnonzero(end <= start)[0])
        raise DataError(f"{path}: target {contigs[contig[i]]}:{start[i]:,}-{end[i]:,} is empty: drop it")
    # Offset by contig, so that one running maximum finds the overlaps of all.
    reach = np.maximum.accumulate(contig.astype(np.int64) * (1 << 41) + end)
    new = np.r_[True, (np.diff(contig) != 0) | (contig[1:] * np.int64(1 << 41) + start[1:] >= reach[:-1])]
    first = np.flatnonzero(new)
    notes = []
    if joined := len(start) - len(first):
        notes.append(f"{joined:,} targets of {Path(path).name} overlap another and were joined with it")
    end = np.maximum.reduceat(end, first)
    contig, start = contig[first], start[first]
    if bin_size is not None:
        parts = -(-(end - start) // bin_size)
        rank = np.arange(parts.sum()) - np.repeat(np.cumsum(parts) - parts, parts)
        contig, start, width, parts = (np.repeat(x, parts) for x in (contig, start, end - start, parts))
        start, end = start + width * rank // parts, start + width * (rank + 1) // parts
    return Targets(str(path), contigs, contig, start, end, notes)
