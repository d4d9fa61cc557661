"""The text of a VCF's or BCF's records, whole lines in large pieces: by its index where there is one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from zoo.errors import DataError
from zoo.files.compressed import is_gzip, read_chunks
from zoo.variants.records import line_record, quiet_htslib
from zoo.variants.variants import Record

FAR = 1 << 31
"""Behind every position that a VCF can have."""
_PIECE = 1 << 22


def read_header(path: Path) -> tuple[list[str], tuple[str, ...]]:
    """Contigs and samples.  The file's end is looked at too: DataError where a BGZF file is cut off."""
    if _is_bcf(path):
        import pysam

        try:
            with quiet_htslib(), pysam.VariantFile(str(path)) as file:
                return [str(contig) for contig in file.header.contigs], tuple(file.header.samples)
        except (OSError, ValueError, NotImplementedError) as error:
            raise DataError(f"{path} has no readable BCF header ({error}): fetch it again") from error
    text = b""
    for chunk in read_chunks(path, 1 << 16):
        text += chunk
        at = 0 if text.startswith(b"#CHROM") else text.find(b"\n#CHROM") + 1
        if (at or text.startswith(b"#CHROM")) and (close := text.find(b"\n", at)) >= 0:
            head = text[:close].decode("latin-1").splitlines()
            ids = [line[10:].partition("ID=")[2] for line in head if line.startswith("##contig=<")]
            contigs = [i.split(",")[0].rstrip(">") for i in ids]
            return contigs, tuple(head[-1].split("\t")[9:])
        if not text.startswith(b"#"):
            break
    raise DataError(f"{path} has no line that begins with #CHROM: it is no VCF, or was cut off in its header")


def record_lines(path: Path, contig: str, start: int, end: int, known: bool) -> Iterator[tuple[int, bytes]]:
    """(line number of the first, or 0 where it is unknown; whole lines) of a contig's records, perhaps others' too."""
    if _is_bcf(path) or (_indexed(path) and known):
        yield from _by_htslib(path, contig, start, end)
        return
    rest, number = b"", 1
    for chunk in read_chunks(path):
        whole, newline, tail = chunk.rpartition(b"\n")
        if newline:
            lines = rest + whole + newline
            yield number, lines
            number += lines.count(b"\n")
            rest = tail
        else:
            rest += chunk
    if rest:
        if not is_gzip(path):
            raise DataError(f"{path} line {number} has no line end: the file was cut off, fetch it again")
        yield number, rest + b"\n"


def indexed_contigs(path: Path) -> list[str] | None:
    """Contigs that the index knows, in the order of the file; None without an index that fits."""
    if not _indexed(path):
        return None
    import pysam

    try:
        if _is_bcf(path):
            return read_header(path)[0]
        with pysam.TabixFile(str(path), index=str(_indexed(path))) as file:
            return list(file.contigs)
    except (OSError, ValueError, NotImplementedError):
        return None


def indexed_records(
    path: Path, contig: str, spans: Iterable[tuple[int, int]], record: int, columns: int, sample: int
) -> Iterator[Record]:
    """Records, numbered from `record` on, that bear on spans of a contig, which are sorted and apart; by the index.

    columns, sample: as of `vcf_records`.  The number of a line is 0: an index does not know it.
    """
    before = 0
    for start, end in spans:
        for _, lines in _by_htslib(path, contig, start, end):
            for text in filter(None, lines.decode("utf-8", "backslashreplace").split("\n")):
                site = line_record(text, record, 0, columns, sample)
                if site[3] >= before:  # others were read with the span before
                    yield site
                    record += 1
        before = end


def _by_htslib(path: Path, contig: str, start: int, end: int) -> Iterator[tuple[int, bytes]]:
    import pysam

    stop = None if end >= FAR else end
    try:
        if _is_bcf(path):
            with quiet_htslib():
                file = pysam.VariantFile(str(path))
            fetch = (lambda a: map(str, file.fetch(contig, a, stop))) if _indexed(path) else None
        else:
            file = pysam.TabixFile(str(path), index=str(_indexed(path)), parser=None, encoding="latin-1")
            fetch = (lambda a: (f"{x}\n" for x in file.fetch(contig, a, stop))) if contig in file.contigs else None
            if fetch is None:
                return
        try:
            if fetch is None:
                lines = map(str, file)
            else:
                # A record overlapping the region may itself be overlapped from further left, which decides its fate.
                while start > 0 and (head := next(iter(fetch(start)), "")):
                    at = int(head.split("\t", 2)[1]) - 1
                    if at >= start:
                        break
                    start = at
                lines = fetch(start)
            size, held = 0, []
            for line in lines:
                held.append(line)
                size += len(line)
                if size > _PIECE:
                    yield 0, "".join(held).encode("latin-1")
                    size, held = 0, []
            yield 0, "".join(held).encode("latin-1")
        finally:
            file.close()
    except (OSError, ValueError, NotImplementedError) as error:
        raise DataError(f"{path} cannot be read ({error}): it is damaged, fetch and index it again") from error


def _is_bcf(path: Path) -> bool:
    return next(read_chunks(path, 8), b"")[:3] == b"BCF"


def _indexed(path: Path) -> Path | None:
    """The index that is not older than the file, if there is one: an old one may leave records out."""
    beside = [path.with_name(path.name + end) for end in (".tbi", ".csi")]
    return next((f for f in beside if f.exists() and f.stat().st_mtime_ns >= path.stat().st_mtime_ns), None)
