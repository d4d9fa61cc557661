"""Stretches of one strand that genes lie on, in blocks; each base of a strand is in one block at most.

Genes -> place_loci (overlapping genes of one strand are one locus) -> Blocks of a split: where every block lies
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from zoo_splice.gene_table import SITES, Genes


@dataclass(frozen=True, eq=False)
class Loci:
    """n loci.  name: genes joined by "/".  contig, strand, start, end: (n,) on the genome, 0-based half-open.

    sites: {(contig, strand): for each of SITES the sorted positions (m,)}, of all genes.
    """

    name: np.ndarray
    contig: np.ndarray
    strand: np.ndarray
    start: np.ndarray
    end: np.ndarray
    sites: dict[tuple[int, int], tuple[np.ndarray, ...]]

    def within(self, regions: Sequence[tuple[int, int, int]]) -> np.ndarray:
        """(n,) bool: which lie in one of the regions (contig, start, end) as a whole."""
        inside = np.zeros(len(self.name), bool)
        for contig, start, end in regions:
            inside |= (self.contig == contig) & (self.start >= start) & (self.end <= end)
        return inside

    def touching(self, regions: Sequence[tuple[int, int, int]]) -> np.ndarray:
        """(n,) bool: which share a base with one of the regions."""
        shared = np.zeros(len(self.name), bool)
        for contig, start, end in regions:
            shared |= (self.contig == contig) & (self.start < end) & (self.end > start)
        return shared


def place_loci(genes: Genes, contig: np.ndarray) -> Loci:
    """contig: (n,) of every gene, -1 for one that the genome does not have, which is left out."""
    order = np.lexsort((genes.start, genes.strand, contig))
    order = order[contig[order] >= 0]
    rows: list[list] = []
    for i in order:
        key = int(contig[i]), int(genes.strand[i])
        start, end = int(genes.start[i]), int(genes.end[i])
        if rows and (rows[-1][1], rows[-1][2]) == key and start < rows[-1][4]:
            rows[-1][0].append(genes.name[i])
            rows[-1][4] = max(rows[-1][4], end)
        else:
            rows.append([[genes.name[i]], *key, start, end])
    sites = {}
    of_contig, of_strand = contig[genes.gene], genes.strand[genes.gene]
    for key in {(row[1], row[2]) for row in rows}:
        here = (of_contig == key[0]) & (of_strand == key[1])
        sites[key] = tuple(np.unique(genes.position[here & (genes.kind == kind)]) for kind in range(len(SITES)))
    numbers = (np.array([row[i] for row in rows], np.int64) for i in range(1, 5))
    return Loci(np.array(["/".join(map(str, row[0])) for row in rows], object), *numbers, sites)


@dataclass(frozen=True, eq=False)
class Blocks:
    """m blocks of equal length that tile loci as the transcript reads; the last of a locus may reach past it.

    locus: (m,) number.  start: (m,) 0-based, on the genome, of the lowest base.  n_sites: (m,) of both kinds.
    """

    loci: Loci
    length: int
    locus: np.ndarray
    start: np.ndarray
    n_sites: np.ndarray

    def __len__(self) -> int:
        return len(self.locus)

    @classmethod
    def of(cls, loci: Loci, chosen: np.ndarray, length: int) -> Blocks:
        """Of the loci with these numbers."""
        n = -(-(loci.end[chosen] - loci.start[chosen]) // length)
        locus = np.repeat(chosen, n)
        number = np.arange(len(locus)) - np.repeat(np.cumsum(n) - n, n)
        forward = loci.strand[locus] > 0
        start = np.where(forward, loci.start[locus] + number * length, loci.end[locus] - (number + 1) * length)
        blocks = cls(loci, length, locus, start, np.zeros(len(locus), np.int64))
        for kind in range(len(SITES)):
            blocks.n_sites[:] += np.diff(blocks.bounds(kind), axis=1)[:, 0]
        return blocks

    def take(self, rows: np.ndarray) -> Blocks:
        """These blocks, in this order."""
        return Blocks(self.loci, self.length, self.locus[rows], self.start[rows], self.n_sites[rows])

    def bounds(self, kind: int, rows: np.ndarray | None = None) -> np.ndarray:
        """(m, 2): first and last of the sites of this kind in every block, as places in the sites of its strand."""
        rows = np.arange(len(self)) if rows is None else rows
        out = np.zeros((len(rows), 2), np.int64)
        locus = self.locus[rows]
        keys = np.stack([self.loci.contig[locus], self.loci.strand[locus]], 1)
        low = np.maximum(self.start[rows], self.loci.start[locus])
        high = np.minimum(self.start[rows] + self.length, self.loci.end[locus])
        for key in np.unique(keys, axis=0):
            at = np.flatnonzero((keys == key).all(1))
            positions = self.loci.sites[tuple(key.tolist())][kind]
            out[at] = np.stack([np.searchsorted(positions, low[at]), np.searchsorted(positions, high[at])], 1)
        return out
