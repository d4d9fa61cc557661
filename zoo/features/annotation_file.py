"""`read_features`: the genes of a GTF, GFF3 or BED file, plain or gzip; what it holds decides, not its name.

GENCODE, Ensembl, RefSeq, StringTie ...     gene, transcript, exon, CDS and UTR lines; others are passed over
BED3 to BED12                               each line an interval, whose name stands for a gene
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path

from zoo.errors import DataError
from zoo.features.features import (
    CDS,
    EXON,
    FIVE_PRIME,
    GENE,
    INTERVAL,
    THREE_PRIME,
    TRANSCRIPT,
    UTR,
    Features,
    FeatureTable,
)
from zoo.features.gff3 import Family
from zoo.files.compressed import read_chunks

_KIND = {
    **dict.fromkeys((b"gene", b"ncRNA_gene", b"pseudogene", b"transposable_element_gene"), GENE),
    **dict.fromkeys((b"transcript", b"mRNA", b"primary_transcript", b"pseudogenic_transcript"), TRANSCRIPT),
    **dict.fromkeys((b"lnc_RNA", b"lncRNA", b"ncRNA", b"rRNA", b"tRNA", b"miRNA", b"snRNA", b"snoRNA"), TRANSCRIPT),
    **dict.fromkeys((b"exon", b"pseudogenic_exon"), EXON),
    **dict.fromkeys((b"CDS", b"stop_codon"), CDS),  # GTF does not count the stop codon to the CDS
    **dict.fromkeys((b"five_prime_UTR", b"five_prime_utr", b"5UTR"), FIVE_PRIME),
    **dict.fromkeys((b"three_prime_UTR", b"three_prime_utr", b"3UTR"), THREE_PRIME),
    b"UTR": UTR,
}
_STRAND = {b"+": 1, b"-": -1, b".": 0, b"?": 0}
_LONGEST = 1 << 40
_GENE_ID, _GENE_NAME, _TRANSCRIPT_ID = (
    re.compile(rb'(?:^|[;\s])%s\s+(?:"([^"]*)"|([^\s;"]+))' % key)
    for key in (b"gene_id", b"gene_name", b"transcript_id")
)
_KEY_VALUE = re.compile(rb"\s*[A-Za-z_][\w.-]*=")

Line = tuple[int, list[bytes]]
"""(its number from 1, the columns)."""


def read_features(path: str | Path) -> Features:
    """Genes, transcripts, exons, CDS and UTRs of a GTF or GFF3 file, or the intervals of a BED file.

    GTF and GFF3 count from 1, last base included, BED from 0, end not included; `Features` counts as BED.
    Genes have their name (gene_name, Name) where there is one, else their identifier.

    Raises DataError for a line that breaks its format, with its number, and for a file without a feature.
    """
    lines = _lines(path)
    head = list(islice(lines, 1))
    if not head:
        raise DataError(f"{path} holds no feature: give a GTF, GFF3 or BED file")
    (number, cells), table = head[0], FeatureTable()
    if len(cells) == 1:
        cells = cells[0].split()
    if len(cells) > 2 and cells[1].isdigit() and cells[2].isdigit():
        name, read = "BED", _bed
    elif len(cells) > 4 and cells[3].isdigit() and cells[4].isdigit():
        while head[-1][1][8:] in ([b"."], [b""]) and (more := next(lines, None)):  # the first with attributes tells
            head.append(more)
        name, read = ("GFF3", _gff3) if _KEY_VALUE.match(head[-1][1][-1]) else ("GTF", _gtf)
    else:
        raise DataError(f"{path} line {number} has no start and end where GTF, GFF3 or BED have them: correct it")
    read(path, chain(head, lines), table)
    if not len(table):
        raise DataError(f"{path} has no gene, transcript, exon, CDS or UTR in column 3: give the annotation of genes")
    return table.features(str(path), name)


def _lines(path: str | Path) -> Iterator[Line]:
    """The lines that hold a feature, without their ends."""
    rest, number = b"", 0
    for chunk in chain(read_chunks(path), [b"\n"]):
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            number += 1
            if line[:1] == b"#":
                if line.startswith(b"##FASTA"):
                    return
                continue
            if line[-1:] == b"\r":
                line = line[:-1]
            cells = line.split(b"\t")
            if len(cells) > 1 or (line.strip() and line.split(None, 1)[0] not in (b"track", b"browser")):
                yield number, cells


def _bed(path: str | Path, lines: Iterator[Line], table: FeatureTable) -> None:
    for number, cells in lines:
        if len(cells) == 1:
            cells = cells[0].split()
        chrom, start, end, *more = (*cells, b"", b"")[: max(3, len(cells))]
        if not (chrom and start.isdigit() and end.isdigit() and int(start) <= int(end) < _LONGEST):
            raise DataError(
                f"{path} line {number} does not begin with a contig, a start and an end not before it: correct it"
            )
        name = more[0] if more and more[0] != b"." else b""
        strand = _STRAND.get(more[2] if len(more) > 2 else b".", 0)
        table.add(chrom, int(start), int(end), strand, INTERVAL, table.genes.number(name), table.ids.number(name))


def _gtf(path: str | Path, lines: Iterator[Line], table: FeatureTable) -> None:
    for number, cells in lines:
        kind, start, end, strand = _place(path, number, cells)
        if kind is None:
            continue
        text = cells[8]
        match = _GENE_ID.search(text)
        if not match:
            raise DataError(f"{path} line {number} has no gene_id in column 9: GTF needs one, complete the line")
        identifier = match[1] or match[2] or b""
        gene = table.genes.number(identifier)
        if gene >= 0 and gene not in table.genes.shown and (match := _GENE_NAME.search(text)):
            table.genes.shown[gene] = match[1] or match[2] or identifier
        match = None if kind == GENE else _TRANSCRIPT_ID.search(text)
        of = (match and (match[1] or match[2])) or identifier
        table.add(cells[0], start, end, strand, kind, gene, table.ids.number(of))


def _gff3(path: str | Path, lines: Iterator[Line], table: FeatureTable) -> None:
    family = Family(table)
    for number, cells in lines:
        kind, start, end, strand = _place(path, number, cells)
        family.add(cells[0], start, end, strand, kind, cells[8])
    family.finish()


def _place(path: str | Path, number: int, cells: list[bytes]) -> tuple[int | None, int, int, int]:
    """(kind, None for a type that is passed over; start; end; strand) of a line; positions 0-based half-open."""
    if len(cells) != 9:
        raise DataError(f"{path} line {number} has {len(cells)} columns between tabs, GTF and GFF3 have 9: correct it")
    kind = _KIND.get(cells[2])
    if kind is None:
        return None, 0, 0, 0
    start, end = cells[3], cells[4]
    if not (start.isdigit() and end.isdigit() and 0 < int(start) <= int(end) < _LONGEST):
        shown = f"{start[:20].decode('latin-1')!r} to {end[:20].decode('latin-1')!r}"
        raise DataError(
            f"{path} line {number}: start and end ({shown}) must be whole numbers from 1 on, in order: correct it"
        )
    strand = _STRAND.get(cells[6])
    if strand is None or not cells[0]:
        shown = repr(cells[6][:20].decode("latin-1"))
        raise DataError(f"{path} line {number}: it needs a contig, and a strand (+, - or .) for {shown}: correct it")
    return kind, int(start) - 1, int(end), strand
