"""FASTA as a stream of pieces: headers and runs of codes, so that neither a contig nor a line must fit a buffer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from zoo.data.codes import ENCODE
from zoo.errors import DataError
from zoo.files.compressed import read_chunks

_TABLE = ENCODE.tobytes()
_DROP = b"\r\n \t"
_KEEPING = bytes(ord(chr(b).upper()) if chr(b) in "RYSWKMBDHVryswkmbdhv" else _TABLE[b] for b in range(256))


def pieces(path: str | Path, ambiguity: bool = False) -> Iterator[tuple[int, str | None, bytes]]:
    """(line number, header, b"") for every record, then (line number, None, codes) any number of times.

    Any line lengths, LF or CRLF, plain or gzip; lower case reads as upper case, IUPAC ambiguity as N, or, where
    `ambiguity` is asked for, as the upper-case letter itself.
    Raises DataError, naming the line, for a byte that is no nucleotide and for text before the first record.
    """
    line, line_start, header, started = 1, True, None, False
    for chunk in read_chunks(path):
        if line == 1 and not started and header is None:
            chunk = chunk.removeprefix(b"\xef\xbb\xbf")
        at = 0
        while at < len(chunk):
            if line_start and header is None and chunk[at] == ord(">"):
                header, at, started = b"", at + 1, True
            if header is not None:
                end = chunk.find(b"\n", at)
                header += chunk[at : end if end >= 0 else None]
                if end < 0:
                    break
                yield line, parse_header(header, path, line), b""
                line, line_start, header, at = line + 1, True, None, end + 1
                continue
            following = chunk.find(b"\n>", at)
            end = len(chunk) if following < 0 else following + 1
            body = chunk[at:end]
            if not started and body.strip():
                raise DataError(f"{path} line {line} begins with {body.lstrip()[:20]!r}, FASTA with '>': is it FASTA?")
            codes = to_codes(body, ambiguity)
            if b"\xff" in codes:
                raise _bad_letter(body, path, line)
            yield line, None, codes
            line, line_start, at = line + body.count(b"\n"), chunk[end - 1] == ord("\n"), end
    if header is not None:
        yield line, parse_header(header, path, line), b""
    if not started:
        raise DataError(f"{path} holds no sequence: FASTA begins with '>name'")


def to_codes(text: bytes, ambiguity: bool = False) -> bytes:
    """Lines of letters to codes, 255 for a byte that is no nucleotide; ambiguity as of `pieces`."""
    return text.translate(_KEEPING if ambiguity else _TABLE, _DROP)


def parse_header(raw: bytes, path: str | Path, line: int) -> str:
    """The text of a header line, without `>` and line end.  Raises DataError for a zero byte or a carriage return."""
    raw = raw.removesuffix(b"\r")
    if b"\r" in raw:
        raise DataError(f"{path} line {line} holds a lone carriage return: convert the line ends to LF")
    if b"\0" in raw:
        raise DataError(f"{path} line {line} holds a zero byte: it is no text")
    return raw.decode("utf-8", "replace").strip()


def _bad_letter(body: bytes, path: str | Path, line: int) -> DataError:
    for offset, text in enumerate(body.split(b"\n")):
        bad = text.translate(None, _DROP).translate(_TABLE).find(b"\xff")
        if bad >= 0:
            letter = text.translate(None, _DROP)[bad : bad + 1]
            shown = letter.decode("latin-1")
            return DataError(f"{path} line {line + offset}: letter {shown!r} is no IUPAC nucleotide: correct the line")
    return DataError(f"{path} holds a byte that is no nucleotide")
