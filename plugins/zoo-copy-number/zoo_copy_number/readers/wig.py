"""wig: fixedStep and variableStep, plain or gzip; positions are 1-based in the file, 0-based half-open here.

    fixedStep chrom=2 start=1 step=1000 span=1000
    1854

Source: UCSC's description of the wiggle format.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from zoo.errors import DataError
from zoo.files.compressed import read_chunks
from zoo_copy_number.readers.runs import Runs
from zoo_copy_number.readers.sniff import sample_name

_STEP = re.compile(rb"(?m)^(?:fixedStep|variableStep|track|browser|#)[^\n]*\n?")
_KEY = re.compile(r"(\w+)=(\S+)")
_NUMBER = re.compile(rb"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?|-?[nN][aA][nN]|NA")
_PRINTED = re.compile(rb"[ \t]*[-+0-9.eENnAa]+[ \t]*")
_LONGEST_LINE = 1 << 16
_DIGITS = 12


@dataclass
class _Section:
    """What the last declaration said, and where the next value of fixedStep belongs (0-based)."""

    contig: int
    fixed: bool
    at: int
    step: int
    span: int


def read_wig(path: str | Path) -> Runs:
    """Runs of a wig file: one a value, of `span` bp.

    What the values count is not said in the file; `unit` calls them wig values.
    Raises DataError naming the line of a declaration or value that breaks the format.
    """
    contigs: list[str] = []
    return Runs(str(path), _pieces(path, contigs), contigs, sample_name(path), "wig", "wig values", gaps="unknown")


def _pieces(path: str | Path, contigs: list[str]) -> Iterator[tuple]:
    section: _Section | None = None
    line = 1
    for text in _whole_lines(path):
        at = 0
        for declaration in (*_STEP.finditer(text), None):
            values = text[at : declaration.start() if declaration else len(text)]
            if values.strip():
                if section is None:
                    raise DataError(f"{path} line {line}: a value before any fixedStep or variableStep line: add one")
                yield _values(path, line, values, section)
            line += values.count(b"\n")
            if declaration:
                if declaration[0].startswith((b"fixedStep", b"variableStep")):
                    section = _parse_declaration(path, line, declaration[0].decode("latin-1").strip(), contigs)
                line += 1
                at = declaration.end()


def _whole_lines(path: str | Path) -> Iterator[bytes]:
    """The text in large pieces that end with a line."""
    rest = b""
    for chunk in read_chunks(path):
        if b"\0" in chunk:
            raise DataError(f"{path} holds a zero byte: it is binary or UTF-16, save it as plain text")
        whole, newline, tail = (rest + chunk).rpartition(b"\n")
        if len(tail) > _LONGEST_LINE:
            raise DataError(f"{path} has a line of more than {_LONGEST_LINE:,} bytes: it is no wig file")
        rest = tail
        if newline:
            yield (whole + newline).replace(b"\r", b"")
    if rest:
        yield rest + b"\n"


def _parse_declaration(path: str | Path, line: int, text: str, contigs: list[str]) -> _Section:
    fixed = text.startswith("fixedStep")
    keys = dict(_KEY.findall(text))
    if "chrom" not in keys:
        raise DataError(f"{path} line {line}: {text[:60]!r} names no chrom: write chrom=chr1")
    numbers = {"span": 1, "step": 1, "start": 1}
    for key in numbers:
        value = keys.get(key, "" if fixed and key == "start" else str(numbers[key]))
        if not re.fullmatch(r"[0-9]{1,12}", value) or int(value) < 1:
            raise DataError(f"{path} line {line}: {key} {value!r} must be a whole number from 1 on: correct it")
        numbers[key] = int(value)
    if fixed and numbers["span"] > numbers["step"]:
        raise DataError(
            f"{path} line {line}: span {numbers['span']} is more than step {numbers['step']}, values overlap: "
            "correct it"
        )
    if keys["chrom"] not in contigs:
        contigs.append(keys["chrom"])
    return _Section(contigs.index(keys["chrom"]), fixed, numbers["start"] - 1, numbers["step"], numbers["span"])


def _values(path: str | Path, line: int, text: bytes, section: _Section) -> tuple:
    """(contig, start, end, value) of the lines of one section."""
    rows = [r for r in text.split(b"\n") if r.strip()]
    try:
        if section.fixed:
            value = _floats(rows)
            start = section.at + np.arange(len(value), dtype=np.int64) * section.step
            section.at += len(value) * section.step
        else:
            cells = text.split()
            if len(cells) != 2 * len(rows):
                raise ValueError
            start, value = _positions(cells[::2]) - 1, _floats(cells[1::2])
    except ValueError:
        _find_mistake(path, line, text, section.fixed)
        raise DataError(f"{path} line {line} and after: a value is no number: correct it") from None
    return np.full(len(start), section.contig, np.int32), start, start + section.span, value


def _positions(cells: list[bytes]) -> np.ndarray:
    array = np.array(cells)
    if array.dtype.itemsize > _DIGITS or not np.char.isdigit(array).all():
        raise ValueError
    positions = array.astype(np.int64)
    if (positions < 1).any():
        raise ValueError
    return positions


def _floats(cells: list[bytes]) -> np.ndarray:
    array = np.array(cells)
    if array.dtype.itemsize > 40 or not all(map(_PRINTED.fullmatch, cells)):
        raise ValueError
    value = np.where(array == b"NA", b"nan", array).astype(np.float64)
    if not np.isfinite(value[~np.isnan(value)]).all():
        raise ValueError
    return value


def _find_mistake(path: str | Path, line: int, text: bytes, fixed: bool) -> None:
    for number, row in enumerate(text.split(b"\n"), line):
        cells = row.split()
        if not cells:
            continue
        shown = ascii(row.decode("latin-1").strip()[:40])
        if len(cells) != (1 if fixed else 2):
            what = "one value" if fixed else "a position and a value"
            raise DataError(f"{path} line {number}: {shown} must be {what}: correct it")
        if not fixed and not (cells[0].isdigit() and len(cells[0]) <= _DIGITS and int(cells[0])):
            position = ascii(cells[0].decode("latin-1")[:40])
            raise DataError(f"{path} line {number}: position {position} is no whole number from 1 on: correct it")
        value = ascii(cells[-1].decode("latin-1")[:40])
        if len(cells[-1]) > 40 or not _NUMBER.fullmatch(cells[-1]) or not _is_finite(cells[-1]):
            raise DataError(f"{path} line {number}: {value} is no finite number: correct it")


def _is_finite(cell: bytes) -> bool:
    return cell.endswith(b"NA") or math.isfinite(float(cell)) or math.isnan(float(cell))
