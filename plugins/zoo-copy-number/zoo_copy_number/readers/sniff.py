"""Which format a file of read depth has: by what it holds first, by its name where several formats look alike."""

from __future__ import annotations

import gzip
import re
import zlib
from pathlib import Path

from zoo.errors import DataError
from zoo.files.compressed import is_gzip, read_chunks, read_lines
from zoo_copy_number.readers.text import find_array_columns, is_setting

FORMATS = ("bam", "cram", "mosdepth", "bedgraph", "wig", "bigwig", "cnvkit", "array")
_BIGWIG = (b"\x26\xfc\x8f\x88", b"\x88\x8f\xfc\x26")
_NUMBER = re.compile(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?|\.|na|-?nan", re.ASCII | re.IGNORECASE)
_ENDINGS = re.compile(
    r"(\.(gz|bgz|bam|cram|bw|bigwig|wig|cnn|cnr|bed|bedgraph|bdg|bg|txt|tsv|regions|per-base"
    r"|targetcoverage|antitargetcoverage|sorted|dedup|markdup))+$",
    re.IGNORECASE,
)
_NOT_DEPTH = {
    "##fileformat=VCF": "a VCF: give the depth it was called from",
    "@HD": "SAM text: sort, compress and index it (samtools sort -o x.bam, samtools index x.bam)",
    "@SQ": "SAM text: sort, compress and index it (samtools sort -o x.bam, samtools index x.bam)",
    "[Header]": "a final report of GenomeStudio: save the Chr, Position and Log R Ratio of one sample as a table",
    ">": "a FASTA file: give it as fasta, beside a file of depth",
}


def detect_format(path: str | Path) -> str:
    """One of FORMATS.

    Raises DataError for an empty file and for one that is none of them, saying what it looks like.
    """
    path = Path(path)
    if not is_gzip(path):  # also where it cannot be read
        with path.open("rb") as file:
            head = file.read(4)
        if not head:
            raise DataError(f"{path} is empty: it should hold read depth ({', '.join(FORMATS)})")
        if head == b"CRAM":
            return "cram"
        if head in _BIGWIG:
            return "bigwig"
    elif next(_read_start(path), b"")[:4] == b"BAM\x01":
        return "bam"
    return _text_format(path)


def sample_name(path: str | Path) -> str:
    """The sample that a file is called after.

    >>> sample_name("x/TR_55_T.antitargetcoverage.cnn.gz"), sample_name("NA12878.regions.bed.gz")
    ('TR_55_T', 'NA12878')
    """
    name = Path(path).name
    return _ENDINGS.sub("", name) or name


def _read_start(path: Path):
    """Unpacked bytes; of a BAM that was cut off, htslib's reader will say so better."""
    try:
        yield from read_chunks(path, 1 << 16)
    except DataError as error:
        try:
            with gzip.open(path) as file:
                head = file.read(4)
        except (OSError, EOFError, zlib.error):
            raise error from None
        if head != b"BAM\x01":
            raise
        yield head


def _text_format(path: Path) -> str:
    setting = ""
    for number, line in read_lines(path):
        for start, what in _NOT_DEPTH.items():
            if number == 1 and line.startswith(start):
                raise DataError(f"{path} is {what}")
        if re.match(r"#\s*chrom\tstart\tend\tregion\t[0-9]+X", line):
            raise DataError(f"{path} is mosdepth's thresholds file, bases at or above a depth: give its regions.bed.gz")
        if line.startswith(("fixedStep", "variableStep")):
            return "wig"
        if is_setting(line):
            setting = line if line.startswith("track") else setting
            continue
        cells = line.split("\t") if "\t" in line else line.split()
        if {"chromosome", "start", "end"} <= set(cells):
            return "cnvkit"
        _refuse_segments(path, cells)
        if find_array_columns(line) is not None:
            return "array"
        found = _by_columns(path, cells, setting)
        if found is not None:
            return found
        what = f"its line {number}, {line[:40]!r}, is none of contig, start, end, value"
        raise DataError(f"{path} is no file of read depth, {what}: give one of {', '.join(FORMATS)}")
    raise DataError(f"{path} holds no bins: it should hold read depth ({', '.join(FORMATS)})")


def _refuse_segments(path: Path, names: list[str]) -> None:
    """Segments, as DNAcopy and GDC write them, are calls already."""
    marks = {"nummark", "nummarks", "numprobes", "probes", "segmean", "segmentmean", "nsnp", "numsnp"}
    if marks & {re.sub(r"[^a-z0-9]", "", n.lower()) for n in names}:
        raise DataError(f"{path} holds segments, which are calls already: give the depth or probes they were made from")


def _by_columns(path: Path, cells: list[str], setting: str) -> str | None:
    name = path.name.lower().removesuffix(".gz").removesuffix(".bgz")
    if len(cells) < 4 or not (cells[1].isdigit() and cells[2].isdigit()):
        return None
    if name.endswith(".quantized.bed"):
        raise DataError(f"{path} is mosdepth's quantized file, classes of depth: give its regions.bed.gz")
    numbers = [bool(_NUMBER.fullmatch(c)) for c in cells[3:]]
    if name.endswith(".regions.bed") and len(cells) in (4, 5) and numbers[-1]:
        return "mosdepth"
    if len(cells) == 4 and numbers[0]:
        return "bedgraph"
    if numbers[-1] and "bedGraph" not in setting:
        raise DataError(
            f"{path} has {len(cells)} columns, of which the last may be a score, a count or a depth: "
            "give contig, start, end and mean depth alone, or name the format: mosdepth has it in the last column"
        )
    return None
