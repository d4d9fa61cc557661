"""The input VCF or BCF with the scores of variants in INFO.

rows (record, cells) + lines of the input -> lines with ZOO_ keys, an index beside .vcf.gz and .bcf
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.effects.variants.rows import TEXTS, by_alt, is_whole
from zoo.errors import DataError
from zoo.files.atomic import atomic_path
from zoo.files.tables import MISSING
from zoo.terminal.printable import printable

if TYPE_CHECKING:
    from zoo.variants.files import VariantFile

_OWN = ("chrom", "pos", "id", "ref", "alt", "norm_pos", "norm_ref", "norm_alt")
Row = tuple[int, Sequence[str]]


def write_annotated(
    source: VariantFile,
    keep: bool,
    field: Any,
    path: Path,
    columns: Sequence[str],
    rows: Iterable[Row],
    comments: Mapping[str, Any],
) -> str | None:
    """The lines of the input with our keys behind their INFO; nothing else of a line is touched.

    Scores of haplotypes have a key for each of the two.  keep: the lines of records without a row stay.
    field: writes the scores to a key of its own (zoo.effects.variants.gene_scores); beside it stand status and notes.
    """
    from Bio.bgzf import BgzfWriter  # of pysam one that meets a full disk prints a stack at the exit

    copies = ("hap1_", "hap2_") if "haplotype" in columns else ("",)
    shown = columns if field is None else ("status", "notes")
    keys = {(c, copy): _key(copy + c) for copy in copies for c in shown if c not in (*_OWN, "sample", "haplotype")}
    with atomic_path(path) as temporary:
        plain = temporary.with_name(f"{temporary.name}.vcf{'.gz' if path.suffix != '.vcf' else ''}")
        try:
            file = BgzfWriter(str(plain), "wb") if path.suffix != ".vcf" else plain.open("wb")
            with file:
                for line in _lines(source, keep, field, list(columns), keys, rows, comments):
                    file.write(line.encode("utf-8", "surrogateescape"))
            if path.suffix == ".bcf":
                _to_bcf(plain, temporary)
            else:
                plain.replace(temporary)
        finally:
            plain.unlink(missing_ok=True)
    return None if path.suffix == ".vcf" else _index(path)


def _index(path: Path) -> str | None:
    """Index a file; what to tell where it cannot be."""
    from pysam import SamtoolsError, bcftools

    from zoo.variants.records import quiet_htslib

    try:
        with quiet_htslib():
            bcftools.index("-f", "-t" if path.suffix == ".gz" else "-c", str(path))
    except SamtoolsError:
        return f"{path} has no index: one needs records that are sorted, as `bcftools sort` does"
    return None


def _to_bcf(plain: Path, out: Path) -> None:
    from pysam import SamtoolsError, bcftools

    from zoo.variants.records import quiet_htslib

    try:
        with quiet_htslib():
            bcftools.view("--no-version", "-Ob", "-o", str(out), str(plain), catch_stdout=False)
    except SamtoolsError as error:
        raise DataError(
            "htslib cannot make a BCF of this VCF, often because its header declares too little: write .vcf.gz"
        ) from error


def _lines(source, keep, field, columns, keys, rows, comments) -> Iterator[str]:
    scored = groupby(rows, key=itemgetter(0))
    places = {key: (columns.index(c), copy) for (c, copy), key in keys.items()}
    number, alleles = next(scored, (None, ()))
    record = -1
    for line in _source_lines(source):
        if line.startswith("#CHROM"):
            yield from _header(keys, comments)
            yield from () if field is None else [f"{field.header}\n"]
        fields = line.split("\t")
        if line and not line.startswith("#"):
            record += 1
            if number != record:
                if keep:
                    yield f"{line}\n"
                continue  # left out by --regions, --filter, --carried-by or a shortlist
            if len(fields) >= 8:
                of_record, alts = [c for _, c in alleles], fields[4].split(",")
                cells = _by_copy(of_record if field is None else _first_rows(of_record, columns), columns, alts)
                each = ((key, [_info(c[i]) for c in cells[copy]]) for key, (i, copy) in places.items())
                ours = [f"{key}={','.join(values)}" for key, values in each]
                if field is not None and (text := field.text(of_record, columns)):
                    ours.insert(0, f"{field.key}={text}")
                fields[7] = ";".join(([] if fields[7] in (".", "") else [fields[7]]) + ours)
            number, alleles = next(scored, (None, ()))
        if line:
            yield "\t".join(fields) + "\n"
    if number is not None:
        raise DataError(f"{source.path} has changed: there are scores of its record {number + 1:,}: score it anew")


def _first_rows(cells: list[Sequence[str]], columns: list[str]) -> list[Sequence[str]]:
    """One row an ALT of those that a record has by gene."""
    alt = columns.index("alt")
    return [next(rows) for _, rows in groupby(cells, key=itemgetter(alt))]


def _by_copy(cells: list[Sequence[str]], columns: list[str], alts: list[str]) -> dict[str, list[Sequence[str]]]:
    """Rows of a record by copy of the chromosome, one an ALT; an unknown copy (0) is either."""
    nothing, alt = [MISSING] * len(columns), columns.index("alt")
    if "haplotype" not in columns:
        return {"": [row or nothing for row in by_alt(alts, cells, alt)]}
    haplotype = columns.index("haplotype")
    copies: dict[str, list[Sequence[str]]] = {"hap1_": [nothing] * len(alts), "hap2_": [nothing] * len(alts)}
    for row in cells:
        for number, own in enumerate(copies.values(), 1):
            if row[alt] in alts and int(row[haplotype]) in (0, number):
                own[alts.index(row[alt])] = row
    return copies


def _source_lines(source: VariantFile) -> Iterator[str]:
    """The lines of a VCF as they are, without line ends; of a BCF, as htslib writes them."""
    from zoo.variants.records import bcf_lines, read_text

    if source.kind == "bcf":
        yield from source.header_lines
        yield from bcf_lines(source.path)
    else:
        yield from (line.rstrip("\r\n") for _, line in read_text(source.path))


def _header(keys: Mapping[tuple[str, str], str], comments: Mapping[str, Any]) -> list[str]:
    lines = [f"##zoo_{_key(k).removeprefix('ZOO_')}={printable(v)}\n" for k, v in comments.items()]
    for (column, copy), key in keys.items():
        kind = "String" if column in TEXTS else "Integer" if is_whole(column) else "Float"
        name = re.sub(r'["\\]', "_", printable(column))  # a quote ends the description
        which = f", haplotype {copy[3]}" if copy else ""
        lines.append(f'##INFO=<ID={key},Number=A,Type={kind},Description="{name} of zoo score{which}">\n')
    return lines


def _key(column: str) -> str:
    return "ZOO_" + re.sub(r"[^0-9A-Za-z_.]", "_", column)


def _info(cell: str) -> str:
    """A value as INFO may hold it (VCF 4.3, 1.6.1.8): no blank, comma, semicolon or equals sign."""
    return "." if cell in (MISSING, "") else re.sub(r"[\s,;=]", "|", cell)
