"""Genes with their splice sites, from a table of genes and exons or from GTF and GFF3.

    NAME CHROM STRAND TX_START TX_END EXON_START EXON_END      exon starts count from 0, ends are not included
    gene_table.txt, annotation.gtf -> read_genes -> Genes: intervals, and the acceptors and donors of each

An acceptor is the first base of an exon that has an intron before it, a donor the last base of one that has an intron
behind it, both as the transcript reads.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path

import numpy as np

from zoo.errors import DataError
from zoo.features.annotation_file import read_features
from zoo.features.features import EXON, GENE, TRANSCRIPT
from zoo.files.compressed import read_lines

SITES = ("acceptor", "donor")
_LONGEST = 1 << 40


@dataclass(frozen=True, eq=False)
class Genes:
    """n genes and their m splice sites.

    name, chrom: (n,) texts.  strand: (n,) 1 or -1.  start, end: (n,) int64, 0-based half-open.
    gene: (m,) which gene a site is of.  kind: (m,) place in SITES.  position: (m,) 0-based, on the genome.
    """

    name: np.ndarray
    chrom: np.ndarray
    strand: np.ndarray
    start: np.ndarray
    end: np.ndarray
    gene: np.ndarray
    kind: np.ndarray
    position: np.ndarray

    def __len__(self) -> int:
        return len(self.name)

    @classmethod
    def of(cls, rows: Sequence[tuple[str, str, int, int, int]], left: Sequence, right: Sequence) -> Genes:
        """rows: (name, chrom, strand, start, end).  left, right: of each gene the first bases of exons after an intron,
        the last bases of exons before one, as the genome reads."""
        name, chrom, strand, start, end = ([row[i] for row in rows] for i in range(5))
        turn = np.array(strand, np.int64) < 0
        gene = np.concatenate([np.repeat(np.arange(len(rows)), [len(x) for x in side]) for side in (left, right)])
        position = np.concatenate([np.asarray(x, np.int64) for x in (*left, *right)] or [np.zeros(0, np.int64)])
        is_right = np.arange(len(gene)) >= sum(map(len, left))
        numbers = (np.array(x, np.int64) for x in (strand, start, end))
        texts = (np.array(x, object) for x in (name, chrom))
        gene = gene.astype(np.int64)
        return cls(*texts, *numbers, gene, np.where(turn[gene], ~is_right, is_right).astype(np.int64), position)


def read_genes(path: str | Path) -> Genes:
    """A table with the seven columns above, its header optional, or a GTF or GFF3 file; plain or gzip.

    Of GTF and GFF3 a gene's sites are those of all its transcripts.  Genes without a strand are left out.
    Raises DataError for a line that breaks the format, with its number.
    """
    lines = read_lines(path)
    head = list(islice(lines, 1))
    cells = head[0][1].split("\t") if head else []
    if len(cells) == 7:
        return _table(path, chain(head, lines))
    if not head:
        raise DataError(f"{path} is empty: give a table of genes and exons, GTF or GFF3")
    return _annotation(path)


def _table(path: str | Path, lines: Iterator[tuple[int, str]]) -> Genes:
    rows, left, right = [], [], []
    for number, line in lines:
        if not line.strip() or line.startswith("#"):
            continue
        cells = line.rstrip("\r\n").split("\t")
        if len(cells) != 7:
            raise DataError(
                f"{path} line {number} has {len(cells)} columns between tabs, not the 7 of NAME CHROM STRAND TX_START "
                "TX_END EXON_START EXON_END: correct it"
            )
        if number == 1 and not cells[3].isdigit():
            continue
        name, chrom, strand, *ends = cells[:5]
        starts, stops = (_numbers(text) for text in cells[5:])
        start, end = (int(x) if x.isdigit() else -1 for x in ends)
        ordered = len(starts) == len(stops) > 0 and (starts < stops).all() and (stops[:-1] < starts[1:]).all()
        if strand not in ("+", "-") or not chrom or not (ordered and 0 <= start <= starts[0] and stops[-1] <= end):
            raise DataError(
                f"{path} line {number}: gene {name[:40]!r} needs a contig, a strand (+ or -) and exons in ascending "
                "order that do not touch, within TX_START and TX_END: correct it"
            )
        rows.append((name, chrom, 1 if strand == "+" else -1, start, end))
        left.append(starts[1:])
        right.append(stops[:-1] - 1)
    if not rows:
        raise DataError(f"{path} holds no gene: give a table of genes and exons, GTF or GFF3")
    return Genes.of(rows, left, right)


def _numbers(text: str) -> np.ndarray:
    """ "10,20," -> [10, 20]; empty where a cell is no number."""
    cells = text.rstrip(",").split(",")
    whole = all(cell.isdigit() and len(cell) < 13 for cell in cells)
    return np.array([int(cell) for cell in cells] if whole else [], np.int64)


def _annotation(path: str | Path) -> Genes:
    """An exon's end is a site unless a transcript of its gene begins or ends there: the exons of all transcripts of a
    gene are known, not which exon is of which."""
    features = read_features(path)
    if not (features.kind == EXON).any():
        raise DataError(f"{path} has no exon: splice sites need GTF or GFF3 with exons, or a table of genes and exons")
    rows, left, right = [], [], []
    order = np.lexsort((features.start, features.gene, features.contig))
    order = order[features.gene[order] >= 0]
    keys = np.stack([features.contig[order], features.gene[order]])
    bounds = np.flatnonzero(np.append(True, (keys[:, 1:] != keys[:, :-1]).any(0))) if len(order) else []
    for at in np.split(order, bounds[1:]) if len(order) else []:
        kind, strand = features.kind[at], int(features.strand[at[0]])
        exons, whole = at[kind == EXON], at[(kind == TRANSCRIPT) | (kind == GENE)]
        if not strand or not len(exons):
            continue
        starts, ends = features.start[at].min(), features.end[at].max()
        first, last = np.append(features.start[whole], starts), np.append(features.end[whole], ends)
        rows.append((features.genes[features.gene[at[0]]], features.contigs[features.contig[at[0]]], strand,
                     int(starts), int(ends)))  # fmt: skip
        left.append(np.setdiff1d(features.start[exons], first))
        right.append(np.setdiff1d(features.end[exons], last) - 1)
    return Genes.of(rows, left, right)
