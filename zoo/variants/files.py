"""`read_variants`: VCF, BCF, a table of variants or typed ones, as chunks of `Variants` in bounded memory."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from zoo.data.genome import Genome
from zoo.errors import ConfigError, DataError
from zoo.files.compressed import read_chunks
from zoo.files.pipes import Seekable, is_pipe, seekable
from zoo.variants.notation import KNOWN, is_notation
from zoo.variants.record_filter import RecordFilter
from zoo.variants.records import bcf_records, quiet_htslib, read_text, vcf_records
from zoo.variants.reference_check import AssemblyCheck, ContigLengths
from zoo.variants.region_filter import RegionFilter, Regions
from zoo.variants.table_columns import FORMATS, describe_missing, find_layout
from zoo.variants.variant_tables import notation_record, table_records
from zoo.variants.variants import Record, Variants, label_alleles

if TYPE_CHECKING:
    from pysam import VariantHeader

_LETTERS_A_CHUNK = 1 << 26
_OTHERS = {b"BCF\x04": "a BCF1 file of samtools", b"BAM\x01": "a BAM file", b"CRAM": "a CRAM file"}
_VCF_HEADER = "#CHROM\tPOS\tID\tREF\tALT"


def read_variants(
    source: str | Path | Sequence[str],
    genome: Genome,
    *,
    regions: Regions | None = None,
    fix_swapped: bool = False,
    any_assembly: bool = False,
    max_length: int = 10_000,
    chunk: int = 4096,
    start: int = 0,
) -> VariantFile:
    """Variants of a source, one row an allele, in its order; what it holds decides how it is read, not its name.

    source: VCF (plain, gzip, BGZF) or BCF; a table with the columns chrom, pos (1-based), ref, alt and perhaps id in
        any order, with those of ANNOVAR or MAF, or with one column of variants as one types them; "-" or a pipe with
        one of these; or what one types, "chr20:43,044,295:G>A" (1-based), or a list of that: `zoo.variants.notation`.
    regions: of `RegionFilter`; a record is in if its written REF overlaps one, or if it is malformed.
    fix_swapped, max_length (bp): of `label_alleles`.
    any_assembly: read on where contig lengths or REF say that the file is of another assembly than the genome.
    chunk: records at a time.  start: records to skip, for going on where another run stopped.

    Raises DataError for a file that is cut off, damaged or no file of variants, ConfigError for a typed text that is no
    variant; as it is read, GenomeMismatch for a file of another assembly (`AssemblyCheck`).  Single bad lines of a text
    file become malformed rows; rows on a contig of another length than the header's are contig_differs.
    """
    if chunk < 1 or start < 0:
        raise ConfigError(f"chunk {chunk} must be 1 or more and start {start} 0 or more: correct them")
    how = {"genome": genome, "fix_swapped": fix_swapped, "max_length": max_length, "chunk": chunk, "start": start}
    how["any_assembly"] = any_assembly
    if not isinstance(source, (str, Path)):
        file = VariantFile("typed variants", "typed", total=len(source), typed=list(source), **how)
    elif isinstance(source, str) and is_notation(source) and not Path(source).exists():
        file = VariantFile(source, "typed", total=1, typed=[source], **how)
    else:
        file = _open(source, how)
    typed_records(file.typed, genome)  # a wrong one is an error now, not at the first chunk
    file.lengths = ContigLengths.of(file.header_lines, genome)
    if file.kind in ("vcf", "bcf"):
        file.notes += file.lengths.describe(any_assembly)
    file.regions = None if regions is None else RegionFilter(regions, genome, file.notes)
    return file


@dataclass
class VariantFile:
    """A source of variants; every `iter` reads it from `start` on, in chunks of `Variants`.

    kind: vcf, bcf, table or typed.  total: records in all, where an index or the source says; else None.
    notes: what a user should know; complete once the chunks were read.  header_lines: of VCF and BCF, without
    line ends.  held: the file behind `path`, a copy where the source is a pipe; None for typed variants.
    filter: which records are read, where that is asked for.  tally: "records", how many were looked at so far.
    """

    path: str
    kind: str
    genome: Genome
    total: int | None = None
    notes: list[str] = field(default_factory=list)
    header_lines: list[str] = field(default_factory=list)
    lengths: ContigLengths = field(default_factory=ContigLengths)
    fix_swapped: bool = False
    any_assembly: bool = False
    max_length: int = 10_000
    chunk: int = 4096
    start: int = 0
    typed: list[str] = field(default_factory=list)
    held: Seekable | None = None
    layout: dict[str, Any] = field(default_factory=dict)
    regions: RegionFilter | None = None
    filter: RecordFilter | None = None
    tally: dict[str, int] = field(default_factory=dict)
    allele_type: ClassVar = Variants

    @cached_property
    def header(self) -> VariantHeader | None:
        """pysam's header of a VCF or BCF; None for a table and for a VCF without one.

        Raises DataError where htslib refuses the header lines, which `iter` does not need.
        """
        if not self.header_lines:
            return None
        import pysam

        # From the lines, not the file: htslib does not read plain gzip.
        with tempfile.NamedTemporaryFile("w", suffix=".vcf", encoding="utf-8") as file, quiet_htslib():
            file.write("\n".join(self.header_lines) + "\n")
            file.flush()
            try:
                with pysam.VariantFile(file.name) as opened:
                    return opened.header
            except (OSError, ValueError, NotImplementedError) as error:
                raise DataError(f"{self.path}: htslib cannot read its header: correct its ## lines") from error

    def __iter__(self) -> Iterator[Variants]:
        return self._checked(self._parts())

    def _parts(self) -> Iterator[Variants]:
        records = self._records()
        if self.filter is not None:
            records = self.filter.of(records, self.tally)
        for batch in _batches(records, self.chunk):
            self.tally["records"] = max(self.tally.get("records", 0), batch[-1][0] + 1)
            kept = batch if self.regions is None else self.regions.within(batch)
            if kept:
                part = label_alleles(kept, self.genome, self.fix_swapped, self.max_length, **self._assembly)
                if self.filter is not None:
                    self.filter.note(part)
                yield part

    @property
    def _assembly(self) -> dict[str, Any]:
        """What `label_alleles` must know of contigs that differ."""
        return {"differing": self.lengths.differing, "any_assembly": self.any_assembly}

    def _checked(self, parts: Iterator[Any]) -> Iterator[Any]:
        """The parts; raises GenomeMismatch where they are of another assembly."""
        check = AssemblyCheck(self.held.name if self.held else self.path, self.genome, self.lengths, self.any_assembly)
        for part in parts:
            check.add(part.shown)
            yield part
        if not self.start:
            check.finish()
        self.notes += [note for note in check.notes if note not in self.notes]

    def _records(self, sample: int | None = None) -> Iterator[Record]:
        """Records from `start` on; with a sample's column, all records, each with (FORMAT, that column) behind it.

        With a filter each has its line behind it.
        """
        if self.kind == "typed":
            return iter(typed_records(self.typed, self.genome, self.start))
        if self.kind == "table":
            return table_records(self.path, start=self.start, genome=self.genome, **self.layout)
        start = self.start if sample is None else 0  # a haplotype is known from its beginning alone
        if self.kind == "bcf":
            records = bcf_records(self.path, start, sample, whole=self.filter is not None)
        else:
            how = {"sample": sample, "whole": self.filter is not None, **self.layout}
            records = vcf_records(self.path, start=start, notes=self.notes, **how)
        return self._counted(records, start)

    def _counted(self, records: Iterator[Record], start: int) -> Iterator[Record]:
        """The records; an error at the end where the index knows of more."""
        last = start - 1
        for record in records:
            last = record[0]
            yield record
        if self.total is not None and last + 1 < self.total:
            raise DataError(
                f"{self.path} ends after {last + 1:,} records, its index counts {self.total:,}: fetch the file again, "
                "or index it again if it was changed on purpose"
            )


def _batches(records: Iterator[Record], chunk: int) -> Iterator[list[Record]]:
    """Lists of `chunk` records, of fewer where REF and ALT are long."""
    batch, size = [], 0
    for record in records:
        batch.append(record)
        size += len(record[5]) + len(record[6])
        if len(batch) >= chunk or size > _LETTERS_A_CHUNK:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def typed_records(texts: Sequence[str], genome: Genome, start: int = 0) -> list[Record]:
    """Records of typed variants from number `start` on.  Raises ConfigError for a text that is none."""
    records = []
    for number, text in enumerate(texts):
        try:
            if not isinstance(text, str):
                raise ConfigError(f"it has none of the forms that are read, {KNOWN}")
            records.append(notation_record(number, number + 1, text, genome))
        except ConfigError as error:
            short = repr(text if len(str(text)) <= 60 else f"{str(text)[:57]}...")
            raise ConfigError(
                f"variant {short} does not read contig:position:REF>ALT, as in chr20:43,044,295:G>A, with a position "
                f"from 1 on: {error}"
            ) from None
    return records[start:]


def _open(source: str | Path, how: dict[str, Any]) -> VariantFile:
    """Decide by the first bytes, then by the first lines that are neither blank nor begin with ##."""
    path = Path(source) if is_pipe(source) else Path(source).expanduser()
    if re.fullmatch("rs[0-9]+", str(source)) and not path.exists():
        raise ConfigError(f"{source} names no place of a genome: look it up, and give it as chr20:43,044,295:G>A")
    if any(mark in path.name for mark in ">:") and not path.exists():
        raise ConfigError(f"{str(path)!r} is no file, and no variant as in chr20:43,044,295:G>A or {KNOWN}: correct it")
    held = seekable(path)
    path, how = held.path, {**how, "held": held}
    head = next(read_chunks(path), b"")
    for magic, what in _OTHERS.items():
        if head.startswith(magic):
            raise DataError(f"{held.name} is {what}, not one of variants: give VCF, BCF or a table")
    if head.startswith(b"BCF\x02"):
        return VariantFile(str(path), "bcf", header_lines=_bcf_header(path), total=_indexed(path), **how)
    above, line, text = _first_line(path)
    cells = text.split("\t")
    if text.startswith(_VCF_HEADER):
        layout = {"columns": len(cells)}
        return VariantFile(str(path), "vcf", layout=layout, header_lines=[*above, text], total=_indexed(path), **how)
    notes: list[str] = []
    table = None if above and above[0].startswith("##fileformat=VCF") else find_layout(path, text, line, notes)
    if table is not None:
        return VariantFile(str(path), "table", layout={"layout": table}, notes=notes, **how)
    if not above and len(cells) >= 8 and cells[1].isdigit() and cells[3].isalpha():
        notes = [f"no header: its {len(cells)} columns are read as those of VCF, from CHROM, POS, ID, REF, ALT on"]
        return VariantFile(str(path), "vcf", layout={"columns": len(cells)}, notes=notes, total=_indexed(path), **how)
    if missing := describe_missing(text):
        raise DataError(f"{held.name} line {line} reads {text[:40]!r}: {missing}: rename a column; read are {FORMATS}")
    what = "is separated by spaces" if "\t" not in text and " " in text.strip() else f"reads {text[:40]!r}"
    raise DataError(
        f"{held.name} line {line} {what}, where a VCF has its header line ({_VCF_HEADER}, between tabs) and a table "
        f"its column names (chrom, pos, ref, alt): correct the header; read are {FORMATS}".replace("\t", " ")
    )


def _first_line(path: Path) -> tuple[list[str], int, str]:
    """(lines in ## above it, number, text) of the header line of a VCF or a table, or of the first line that is data.

    A comment in # is passed over, as above the header of a MAF, if it names no column.
    """
    above: list[str] = []
    comment: tuple[list[str], int, str] | None = None
    for line, text in read_text(path):
        text = text.removesuffix("\n")
        if text.strip() and not text.startswith(("##", "sep=")):
            if (
                text[0] != "#"
                or text.startswith(_VCF_HEADER)
                or describe_missing(text)
                or find_layout(path, text, line, [])
            ):
                return above, line, text
            comment = comment or (above, line, text)
        above += [text] if text.strip() else []
    if comment:
        return comment
    raise DataError(f"{path} holds no record and no header line: give VCF, BCF, or a table with chrom, pos, ref, alt")


def _bcf_header(path: Path) -> list[str]:
    import pysam

    with quiet_htslib():
        try:
            with pysam.VariantFile(str(path)) as file:
                return str(file.header).splitlines()
        except (OSError, ValueError, NotImplementedError) as error:
            raise DataError(f"{path} is no sound BCF file ({error}): fetch it again") from error


def _indexed(path: Path) -> int | None:
    """Records that the index beside the file counts."""
    if not any(Path(f"{path}{suffix}").exists() for suffix in (".csi", ".tbi")):
        return None
    import pysam.bcftools

    try:
        with quiet_htslib():
            return int(pysam.bcftools.index("--nrecords", str(path)))
    except (pysam.SamtoolsError, ValueError):
        return None
