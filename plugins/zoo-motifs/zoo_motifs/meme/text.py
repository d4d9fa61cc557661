"""The lines of a file of motifs, within bounds, and the numbers in them."""

from __future__ import annotations

from pathlib import Path

from zoo.errors import DataError
from zoo.files.compressed import read_chunks

_MAX_BYTES = 1 << 27

Lines = list[tuple[int, str]]
"""Line number from 1, and the line without blanks around it."""


def read_motif_lines(path: str | Path) -> Lines:
    """(number, line without blanks around it); the whole text is bounded, a gzip bomb ends here."""
    parts, size = [], 0
    for chunk in read_chunks(path):
        size += len(chunk)
        if size > _MAX_BYTES:
            raise DataError(f"{path} unpacks to more than {_MAX_BYTES >> 20} MB, no set of motifs: split the file")
        parts.append(chunk)
    raw = b"".join(parts).removeprefix(b"\xef\xbb\xbf")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise DataError(
            f"{path} line {line} is no UTF-8 text: give a motif file as text, such as MEME's or JASPAR's"
        ) from error
    if "\0" in text:
        raise DataError(f"{path} holds a zero byte: it is binary or UTF-16, save it as plain text")
    return [(number, line.strip()) for number, line in enumerate(text.split("\n"), 1)]


def parse_numbers(line: str) -> list[float] | None:
    """The numbers of a row; None for a line that is something else, or empty."""
    if not line or line[0] not in "0123456789.+-nNiI":
        return None
    numbers = [parse_number(word) for word in line.split()]
    return None if None in numbers else [number for number in numbers if number is not None]


def parse_number(text: str) -> float | None:
    """A float; None for anything else."""
    try:
        return float(text) if "_" not in text else None
    except ValueError:
        return None
