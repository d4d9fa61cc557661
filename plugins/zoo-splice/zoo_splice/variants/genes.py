"""`Annotation`: genes by place, with the acceptors, donors and ends of exons that masks know.

    gene_id,chr,strand,start,end,jn_start,jn_end       the table of CI-SpliceAI: places count from 1, ends included
    #NAME CHROM STRAND TX_START TX_END EXON_START EXON_END    that of SpliceAI: starts count from 0
    GTF, GFF3                                          the sites of all transcripts of a gene
    grch37, grch38                                     the tables of CI-SpliceAI 1.2.2, which the plugin brings

Plain or gzip.  Genes come in the order of the file.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.resources import as_file, files
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from zoo.errors import DataError, GenomeMismatch
from zoo.features.annotation_file import read_features
from zoo.files.compressed import read_lines
from zoo_splice.gene_table import SITES, Genes, read_genes

if TYPE_CHECKING:
    from zoo.data.genome import Genome

BUNDLED = ("grch37", "grch38")
_JUNCTIONS = ["gene_id", "chr", "strand", "start", "end", "jn_start", "jn_end"]
_LONGEST = 1 << 40
_FEW, _SHARE = 200, 0.5
"""Introns from which the assembly is judged; share of them that must begin with GT or GC and end with AG."""


@dataclass(frozen=True, eq=False)
class Gene:
    """contig: id in the genome.  strand: 1 or -1.  start, end: 0-based half-open.

    acceptors, donors: places of the first and the last base of an exon beside an intron, 0-based, ascending.
    exon_ends: those of both and the two ends of the gene, ascending.
    """

    name: str
    contig: int
    strand: int
    start: int
    end: int
    acceptors: np.ndarray
    donors: np.ndarray
    exon_ends: np.ndarray


@dataclass(eq=False)
class Annotation:
    """genes: those on contigs of the genome.  notes: what a user should know.  description: for a file's header."""

    genes: list[Gene]
    description: str
    notes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._by_contig: dict[int, tuple[np.ndarray, np.ndarray, np.ndarray]] = {}
        for contig in {gene.contig for gene in self.genes}:
            numbers = np.array([i for i, gene in enumerate(self.genes) if gene.contig == contig])
            starts, ends = (np.array([getattr(self.genes[i], k) for i in numbers]) for k in ("start", "end"))
            self._by_contig[contig] = numbers, starts, ends

    def at(self, contig: int, position: int) -> list[Gene]:
        """The genes whose bounds hold a base, in the order of the file."""
        if contig not in self._by_contig:
            return []
        numbers, starts, ends = self._by_contig[contig]
        return [self.genes[i] for i in numbers[(starts <= position) & (position < ends)]]


def read_annotation(source: str, genome: Genome, any_assembly: bool = False) -> Annotation:
    """source: a file, or grch37 or grch38.

    Raises DataError for a file that breaks its format, GenomeMismatch where the genome has none of its contigs, or
    where its introns do not begin and end as introns do (not with `any_assembly`): the annotation of another assembly.
    """
    if source in BUNDLED:
        with as_file(files("zoo_splice") / "annotation" / f"{source}.csv.gz") as path:
            genes = _read(path)
    else:
        genes = _read(Path(source))
    name = f"{source} of CI-SpliceAI 1.2.2 (CC BY 4.0)" if source in BUNDLED else Path(source).name
    contigs = _contigs(genes, genome)
    kept = np.flatnonzero(contigs >= 0)
    if not len(kept):
        examples = ", ".join(dict.fromkeys(genes.chrom.tolist()[:3]))
        raise GenomeMismatch(
            f"annotation {source} has no gene on a contig of genome {genome.name!r} (it names {examples}): give the "
            "annotation of this assembly"
        )
    annotation = Annotation(list(_genes(genes, contigs)), f"{name}, {len(kept):,} genes")
    if len(kept) < len(genes):
        annotation.notes.append(
            f"annotation {source}: {len(kept):,} of {len(genes):,} genes lie on contigs of the genome"
        )
    annotation.notes += _without_exons(source, genes)
    _check_assembly(annotation, source, genome, any_assembly)
    return annotation


def _read(path: Path) -> Genes:
    if not path.is_file():
        raise DataError(f"annotation {path} is no file: give one, or {' or '.join(BUNDLED)}")
    if _first_line(path).startswith("gene_id,"):
        return _junction_table(path)
    return read_genes(path)


def _without_exons(source: str, genes: Genes) -> list[str]:
    """A note on the genes of GTF and GFF3 that have no exon or no strand, which `read_genes` leaves out."""
    if (
        source in BUNDLED
        or _first_line(Path(source)).startswith("gene_id,")
        or _first_line(Path(source)).count("\t") == 6
    ):
        return []
    features = read_features(source)
    known = set(genes.name.tolist())
    lost = [name for name in features.genes if name not in known]
    shown = ", ".join(lost[:3]) + (" ..." if len(lost) > 3 else "")
    return (
        [f"annotation {source}: {len(lost):,} genes without an exon or a strand are left out ({shown})"] if lost else []
    )


def _first_line(path: Path) -> str:
    return next((line for _, line in islice(read_lines(path), 1)), "").lstrip("\ufeff")


def _junction_table(path: Path) -> Genes:
    lines = read_lines(path)
    header = next(csv.reader([next(lines)[1]]))
    if header != _JUNCTIONS:
        raise DataError(
            f"{path} has the columns {','.join(header)[:80]}, not {','.join(_JUNCTIONS)}: correct its header"
        )
    rows, left, right = [], [], []
    for number, line in lines:
        if not line.strip():
            continue
        cells = next(csv.reader([line]))
        if len(cells) != len(_JUNCTIONS):
            raise DataError(f"{path} line {number} has {len(cells)} columns, not {len(_JUNCTIONS)}: correct it")
        name, chrom, strand, *numbers = cells
        start, end = (int(x) if x.isdigit() and len(x) < 13 else -1 for x in numbers[:2])
        leaving, entering = (_places(text, start, end) for text in numbers[2:])
        if (
            strand not in ("+", "-")
            or not (name and chrom)
            or not 0 < start <= end
            or leaving is None
            or entering is None
        ):
            raise DataError(
                f"{path} line {number}: gene {name[:40]!r} needs a contig, a strand (+ or -), a start not behind its "
                "end, and junctions between them: correct it"
            )
        rows.append((name, chrom, 1 if strand == "+" else -1, start - 1, end))
        left.append(entering - 1)
        right.append(leaving - 1)
    if not rows:
        raise DataError(f"{path} holds no gene: give the annotation of genes")
    return Genes.of(rows, left, right)


def _places(text: str, start: int, end: int) -> np.ndarray | None:
    """ "10,20" -> [10, 20]; None where a place is no number or outside of the gene."""
    cells = [cell for cell in text.split(",") if cell.strip()]
    if not all(cell.strip().isdigit() and start <= int(cell) <= end for cell in cells):
        return None
    return np.unique(np.array([int(cell) for cell in cells], np.int64))


def _contigs(genes: Genes, genome: Genome) -> np.ndarray:
    """(n,) id of every gene's contig in the genome, -1 for none."""
    ids: dict[str, int] = {}
    for name in dict.fromkeys(genes.chrom.tolist()):
        try:
            ids[name] = int(genome.contig_ids([name])[0])
        except GenomeMismatch:
            ids[name] = -1
    return np.array([ids[name] for name in genes.chrom.tolist()], np.int64)


def _genes(genes: Genes, contigs: np.ndarray) -> Iterator[Gene]:
    order = np.argsort(genes.gene, kind="stable")
    bounds = np.searchsorted(genes.gene[order], np.arange(len(genes) + 1))
    for i in np.flatnonzero(contigs >= 0):
        own = order[bounds[i] : bounds[i + 1]]
        acceptors, donors = (np.unique(genes.position[own[genes.kind[own] == k]]) for k in range(len(SITES)))
        start, end = int(genes.start[i]), int(genes.end[i])
        ends = np.unique(np.concatenate([acceptors, donors, [start, end - 1]]))
        yield Gene(str(genes.name[i]), int(contigs[i]), int(genes.strand[i]), start, end, acceptors, donors, ends)


def _check_assembly(annotation: Annotation, source: str, genome: Genome, any_assembly: bool) -> None:
    """Label genes that run off their contig; refuse an annotation whose introns do not read as introns."""
    lengths = genome.lengths(np.array([gene.contig for gene in annotation.genes]))
    off = [gene.name for gene, length in zip(annotation.genes, lengths, strict=True) if gene.end > length]
    if off:
        names = ", ".join(off[:3]) + (" ..." if len(off) > 3 else "")
        annotation.notes.append(
            f"annotation {source}: {len(off):,} genes run off the end of their contig ({names}), where all is read as N"
        )
    read, intact = _introns(annotation, genome)
    if read >= _FEW and intact < _SHARE * read:
        text = (
            f"annotation {source} is of another assembly than genome {genome.name!r}: {intact:,} of {read:,} of its "
            "acceptors and donors stand beside AG or GT"
        )
        if not any_assembly:
            raise GenomeMismatch(f"{text}: give the annotation of this assembly, or --any-assembly to go on")
        annotation.notes.append(text)


def _introns(annotation: Annotation, genome: Genome, most: int = 4000) -> tuple[int, int]:
    """How many sites were read, evenly over the genes, and beside how many the intron has AG, or GT or GC."""
    sites = [
        (gene.contig, place, gene.strand, kind)
        for gene in annotation.genes
        for kind, places in enumerate((gene.acceptors, gene.donors))
        for place in places
    ]
    sites = sites[:: max(1, len(sites) // most)]
    if not sites:
        return 0, 0
    contig, place, strand, kind = (np.array(column) for column in zip(*sites, strict=True))
    behind = (kind == 1) == (strand > 0)  # the intron lies at higher places
    windows = genome.windows(contig, np.where(behind, place + 1, place - 2), 2, strand)
    acceptor = (windows == [0, 2]).all(1)
    donor = (windows == [2, 3]).all(1) | (windows == [2, 1]).all(1)
    known = (windows < 4).all(1)
    return int(known.sum()), int((np.where(kind == 0, acceptor, donor) & known).sum())
