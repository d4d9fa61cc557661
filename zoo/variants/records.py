"""Records of variants as they are written in VCF text and BCF.

A text line that breaks the format becomes a record that says so; htslib stops at the first such line, so VCF text is
parsed here.  Only the first five columns are read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

from zoo.errors import DataError
from zoo.files.compressed import read_chunks
from zoo.variants.variants import Record

_LONGEST_LINE = 1 << 28


def read_text(path: str | Path) -> Iterator[tuple[int, str]]:
    """(line number from 1, line) of a file, LF or CRLF, plain, gzip or BGZF.

    Bytes that are no UTF-8 are kept as \\xNN: old files have them in INFO.  A last line without a line end has
    "\\n" put behind it, so that a caller can tell.
    Raises DataError for a damaged or cut file, for a zero byte and for a lone carriage return.
    """
    rest, number = b"", 0
    for chunk in read_chunks(path):
        whole, end, rest = (rest + chunk).rpartition(b"\n")
        if len(rest) > _LONGEST_LINE:
            raise DataError(f"{path} line {number + 1} has no end within {len(rest):,} bytes: it is no text file")
        if end:
            lines = _decode(whole, path, number).split("\n")
            yield from enumerate(lines, number + 1)
            number += len(lines)
    if rest:
        yield number + 1, _decode(rest, path, number) + "\n"


def vcf_records(
    path: str | Path, columns: int, start: int, notes: list[str], sample: int | None = None, whole: bool = False
) -> Iterator[Record]:
    """Records from number `start` on; `columns` is the header's.

    sample: a column, from 0; every record then has (FORMAT, the text of that column) behind it.
    whole: every record has its line behind it.

    A record is malformed that has fewer columns than the header, or more, an empty contig, REF or ALT, or a POS that
    is no whole number.  Raises DataError where the last line breaks off before its last column.
    """
    record, body = -1, False
    for line, text in read_text(path):
        if text[:1] == "#":
            if body and text.startswith("#CHROM"):
                _note(notes, f"line {line} is a second header: the files before and after it were joined")
            continue
        if not text:
            continue
        body = True
        record += 1
        if text[-1] == "\n":
            text = text[:-1]
            if (n := text.count("\t") + 1) < columns:
                raise DataError(
                    f"{path} line {line}, the last, has {n} of {columns} columns and no line end: "
                    "the file was cut off, fetch it again"
                )
            _note(notes, f"line {line}, the last, has no line end: the file may have been cut off")
        if record >= start:
            site = line_record(text, record, line, columns, sample)
            yield (*site, text) if whole else site  # type: ignore[misc]  # the reader knows what is behind


def line_record(text: str, record: int, line: int, columns: int, sample: int | None = None) -> Record:
    """The record of one line of VCF text; arguments as of `vcf_records`."""
    cells = text.split("\t", 5)
    site = site_record(record, line, cells[:5], text.count("\t") + 1, columns)
    return site if sample is None else (*site, _genotype(text, sample))


def site_record(record: int, line: int, cells: list[str], n: int, columns: int) -> Record:
    """One line's chrom, POS (1-based), id, REF, ALT; what is missing reads as "."."""
    if n == columns and len(cells) == 5:
        chrom, pos, name, ref, alt = cells
        if chrom and ref and alt and pos.isascii() and pos.isdigit() and len(pos) < 16:
            if "," not in alt or all(alt.split(",")):
                return record, line, chrom, int(pos) - 1, name, ref, alt, ""
    chrom, pos, name, ref, alt = (c or "." for c in (*cells, "", "", "", "", "")[:5])
    whole = pos.isascii() and pos.isdigit() and len(pos) < 16
    if n != columns:
        why = f"line {line} has {n} columns where the header has {columns}"
    elif not whole:
        why = f"line {line}: POS {pos[:20]!r} is no whole number".replace(";", ",")
    else:
        why = f"line {line}: CHROM, REF or ALT is empty"
    return record, line, chrom, int(pos) - 1 if whole else -1, name, ref, alt, why


def bcf_records(path: str | Path, start: int, sample: int | None = None, whole: bool = False) -> Iterator[Record]:
    """Records of a BCF file; sample, whole: as of `vcf_records`.

    Raises DataError naming the record that htslib cannot read.
    """

    def fields(r: Any) -> tuple:
        site = r.chrom, r.pos - 1, r.id or ".", r.ref or ".", ",".join(r.alts or (".",)), ""
        if whole:
            return *site, str(r).rstrip("\n")
        return site if sample is None else (*site, _genotype(str(r).rstrip("\n"), sample))

    for record, site in enumerate(_read_bcf(path, fields, drop_samples=sample is None and not whole)):
        if record >= start:
            yield record, record + 1, *site


def bcf_lines(path: str | Path) -> Iterator[str]:
    """Lines of VCF text of the records of a BCF file; raises as `bcf_records` does."""
    yield from _read_bcf(path, lambda r: str(r).rstrip("\n"), drop_samples=False)


def _read_bcf(path: str | Path, of_record: Callable[[Any], Any], drop_samples: bool) -> Iterator[Any]:
    import pysam

    with quiet_htslib():
        try:
            file = pysam.VariantFile(str(path), drop_samples=drop_samples)
        except (OSError, ValueError, NotImplementedError) as error:
            raise DataError(f"{path} is no sound BCF file ({error}): fetch it again") from error
    n = 0
    try:
        while True:
            # Between batches the caller works, with htslib's own verbosity.
            with quiet_htslib():
                batch = [of_record(r) for r in islice(file, 512)]
            if not batch:
                return
            for record in batch:
                n += 1
                yield record
    except (OSError, ValueError, UnicodeDecodeError, NotImplementedError) as error:
        raise DataError(f"{path} is damaged after record {n:,} ({error}): fetch it again") from error
    finally:
        with quiet_htslib():
            _close(file)


@contextmanager
def quiet_htslib():
    """htslib writes no lines of its own to stderr."""
    import pysam

    before = pysam.set_verbosity(0)
    try:
        yield
    finally:
        pysam.set_verbosity(before)


def _genotype(text: str, sample: int) -> tuple[str, str]:
    cells = text.split("\t", sample + 1)
    return (cells[8], cells[sample]) if len(cells) > sample else (".", ".")


def _decode(raw: bytes, path: str | Path, before: int) -> str:
    if b"\0" in raw:
        line = before + 1 + raw[: raw.index(b"\0")].count(b"\n")
        raise DataError(f"{path} line {line} holds a zero byte: it is binary, UTF-16 or damaged, save it as plain text")
    if not before:
        raw = raw.removeprefix(b"\xef\xbb\xbf")
    text = raw.decode("utf-8", "backslashreplace")
    if "\r" in text:
        text = text.replace("\r\n", "\n").removesuffix("\r")
        if "\r" in text:
            line = before + 1 + text[: text.index("\r")].count("\n")
            raise DataError(f"{path} line {line} holds a lone carriage return: convert the line ends to LF")
    return text


def _note(notes: list[str], text: str) -> None:
    if text not in notes:
        notes.append(text)


def _close(file) -> None:
    """After a read error htslib's close reports it once more, as if the file were missing."""
    try:
        file.close()
    except OSError:
        pass
