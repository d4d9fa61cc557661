"""Windows of transcripts, and which of their bases are acceptors and donors.

Blocks + genome -> SpliceExamples.batch -> codes (N, L), target/splice (N, 2, L), weight/splice (N, 1, L)
"""

from __future__ import annotations

from typing import Protocol

import numpy as np

from zoo.data.source import Examples
from zoo.errors import DataError
from zoo_splice.gene_table import SITES
from zoo_splice.loci import Blocks

TARGET = "splice"


class Windows(Protocol):
    """What gives codes of windows: `zoo.data.genome.Genome`, or a simulated one."""

    def windows(
        self, contig_ids: np.ndarray, starts: np.ndarray, length: int, strands: np.ndarray | None = None
    ) -> np.ndarray:
        """(N, length) uint8; what lies beyond a contig is N, strand -1 is read from the other strand."""
        ...


class SpliceExamples(Examples):
    """Blocks of one split with half of the context on either side, as their transcripts read.

    genome: gives the codes.  contigs: names by id.
    context: bp, of both sides together, which have weight 0 as bases outside of genes have.
    clusters: (n,) locus of every block.
    """

    def __init__(self, blocks: Blocks, genome: Windows, contigs: list[str], context: int):
        self._blocks, self._genome, self._contigs, self._flank = blocks, genome, contigs, context // 2
        self.lengths = np.full(len(blocks), blocks.length + context, np.int64)
        self.clusters = blocks.locus

    def batch(self, indices: np.ndarray, margin: int = 0) -> dict[str, np.ndarray]:
        """codes (N, L) uint8, target/splice (N, 2, L) float32, weight/splice (N, 1, L) float32."""
        if margin:
            raise DataError(f"blocks of genes have no flank, but {margin} bp are asked for: set trainer.shift=0")
        rows, blocks, flank = np.asarray(indices, np.int64), self._blocks, self._flank
        length = blocks.length + 2 * flank
        locus, loci, start = blocks.locus[rows], blocks.loci, blocks.start[rows] - flank
        strand = loci.strand[locus]
        target = np.zeros((len(rows), len(SITES), length), np.float32)
        for kind in range(len(SITES)):
            for row, (first, last) in enumerate(blocks.bounds(kind, rows)):
                key = int(loci.contig[locus[row]]), int(strand[row])
                target[row, kind, loci.sites[key][kind][first:last] - start[row]] = 1
        place = start[:, None] + np.arange(length)
        inside = (place >= loci.start[locus][:, None]) & (place < loci.end[locus][:, None])
        inside[:, :flank] = inside[:, length - flank :] = False
        turn = strand < 0
        target[turn], inside[turn] = target[turn, :, ::-1], inside[turn, ::-1]
        return {
            "codes": np.array(self._genome.windows(loci.contig[locus], start, length, strand)),
            f"target/{TARGET}": target,
            f"weight/{TARGET}": inside[:, None].astype(np.float32),
        }

    def identity(self, indices: np.ndarray) -> dict[str, np.ndarray]:
        """chrom, start, end of the block without its context, strand, and name: the genes of its locus."""
        rows, blocks = np.asarray(indices, np.int64), self._blocks
        locus, start = blocks.locus[rows], blocks.start[rows]
        return {
            "chrom": np.array([self._contigs[c] for c in blocks.loci.contig[locus]], object),
            "start": start,
            "end": start + blocks.length,
            "strand": np.where(blocks.loci.strand[locus] > 0, "+", "-"),
            "name": blocks.loci.name[locus],
        }
