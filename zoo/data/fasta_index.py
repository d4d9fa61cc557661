"""FASTA through its index: the same pieces as `zoo.data.fasta_records`, read by pyfaidx.

    hg38.fa     -> hg38.fa.fai                     in samtools' format, made where there is none that fits
    hg38.fa.gz  -> hg38.fa.gz.fai, hg38.fa.gz.gzi  for BGZF

An index may be old or of another file.  So the whole file is read: records and headers must fill it without a gap, and
each record must be as long as the index says.  Whatever does not fit is left to the reader that needs no index.
"""

from __future__ import annotations

import os
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from zoo.data.fasta_records import parse_header, pieces, to_codes
from zoo.errors import DataError
from zoo.files.compressed import compression

if TYPE_CHECKING:
    from pyfaidx import Faidx

_PIECE = 1 << 20
_LONGEST_HEADER = 1 << 20

Pieces = Iterator[tuple[int, str | None, bytes]]


class NotIndexed(Exception):
    """This file cannot be read through this index."""


def readers(fasta: Path, store: Path) -> Iterator[Pieces]:
    """Ways to read a file, as `fasta_records.pieces` gives it with ambiguity codes: the first counts that does not
    raise NotIndexed.

    store: a folder for the index of a FASTA whose own folder may not be written, or has the index of another file.

    With an index line numbers are 0.  The last way is without one: for plain gzip, lines of uneven length, names that
    come twice, and for the errors of a file that is none.
    """
    packed, named = compression(fasta), fasta.name.lower().endswith((".gz", ".bgz"))
    if packed != "gzip" and named == (packed == "bgzf"):  # pyfaidx goes by the name's end
        suffixes = (".fai", ".gzi") if named else (".fai",)
        beside = [fasta.with_name(fasta.name + suffix) for suffix in suffixes]
        if _current(fasta, beside):
            yield _indexed(fasta, beside)
        yield _indexed(fasta, beside if store.parent == fasta.parent else [store / path.name for path in beside])
    yield pieces(fasta, ambiguity=True)


def _current(fasta: Path, index: list[Path]) -> bool:
    return all(path.exists() and path.stat().st_mtime >= fasta.stat().st_mtime for path in index)


def _indexed(fasta: Path, index: list[Path]) -> Pieces:
    from pyfaidx import Faidx, FastaIndexingError

    try:
        if not _current(fasta, index):
            _build(fasta, index)
        with Faidx(fasta, indexname=index[0], gzi_indexname=index[-1], build_index=False, rebuild=False) as faidx:
            yield from _checked(fasta, faidx)
    except (OSError, ValueError, RuntimeError, zlib.error, DataError, FastaIndexingError) as error:
        raise NotIndexed(f"{fasta}: {error}") from error


def _checked(fasta: Path, faidx: Faidx) -> Pieces:
    at = 0
    faidx.file.seek(0)
    for name, record in faidx.index.items():
        if not 0 < record.offset - at < _LONGEST_HEADER:
            raise NotIndexed(f"{fasta} has no header of {name!r} before byte {record.offset:,}")
        before = faidx.file.read(record.offset - at).lstrip()
        header = parse_header(before[1:-1], fasta, 0)
        if before[:1] != b">" or before.find(b"\n") != len(before) - 1 or header.split()[:1] != [name]:
            raise NotIndexed(f"{fasta} has no header of {name!r} before byte {record.offset:,}")
        yield 0, header, b""
        bases, at = 0, record.offset
        while at < record.bend and (text := faidx.file.read(min(_PIECE, record.bend - at))):
            codes = to_codes(text, ambiguity=True)
            if b"\xff" in codes:
                raise NotIndexed(f"record {name!r} of {fasta} holds a letter that is no nucleotide")
            yield 0, None, codes
            bases, at = bases + len(codes), at + len(text)
        if bases != record.rlen:
            raise NotIndexed(f"record {name!r} of {fasta} has {bases:,} bases, its index says {record.rlen:,}")
    while rest := faidx.file.read(_PIECE):
        if rest.strip():
            raise NotIndexed(f"{fasta} goes on behind the last record of its index")


def _build(fasta: Path, index: list[Path]) -> None:
    """By samtools, which takes a third of pyfaidx' time for BGZF; moved into place whole."""
    import pysam

    loud = pysam.set_verbosity(0)  # what is wrong with the file is for the next reader to say
    temporary = [path.with_name(f"{path.name}.{os.getpid()}.tmp") for path in index]
    try:
        pysam.faidx("--fai-idx", str(temporary[0]), "--gzi-idx", str(temporary[-1]), str(fasta))
        now = max(time.time(), fasta.stat().st_mtime)
        for made, path in zip(temporary, index, strict=True):
            os.utime(made, (now, now))
            os.replace(made, path)
    except pysam.SamtoolsError as error:
        raise NotIndexed(f"{fasta}: {error}") from error
    finally:
        pysam.set_verbosity(loud)
        for made in temporary:
            made.unlink(missing_ok=True)
