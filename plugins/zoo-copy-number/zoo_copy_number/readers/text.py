"""Columns of a large table of text, checked and in bounded memory: bedGraph, mosdepth, CNVkit.

    bytes -> pandas' C parser, a million lines at a time -> {column: array}, contigs as codes

Where the parser stops, or reads a NaN that may be a missing column, the lines are looked at one by one to name the
bad one.
"""

from __future__ import annotations

import io
import math
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from zoo.errors import DataError
from zoo.files.compressed import read_chunks, read_lines

_ROWS = 1 << 20
_LONGEST_LINE = 1 << 22
_MISSING = ["", ".", "NA", "na", "nan", "NaN", "-nan"]
_CHROMOSOME = r"chr|chrom|chromosome|chromosomeid|chrname"
_POSITION = r"pos|position|physicalposition|mapinfo|chromposition|chromosomeposition|basepairposition|bp|start"
_LOG2 = r"(.*\.)?(logrratio|log2ratio|lrr|log2copyratio)|logr|log2r|l2r|log2"
"""Of log base 2 alone: Agilent's LogRatio is of base 10."""

_WHOLE = re.compile(r"[0-9]{1,15}", re.ASCII)


@dataclass
class ColumnLayout:
    """Which columns a file has and which are read.

    names: of all columns.  whole, real: the ones read, as int64 and float64.  text: read as text.
    contig: the column of contigs; `contigs` fills while the file is read, in the order of first appearance.
    skip: lines before the first row.  tabs: False where spaces separate the columns.
    """

    names: list[str]
    whole: tuple[str, ...] = ("start", "end")
    real: tuple[str, ...] = ("depth",)
    text: tuple[str, ...] = ()
    contig: str = "contig"
    skip: int = 0
    tabs: bool = True
    contigs: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class ArrayColumns:
    """Where a table of probes has contig, position and log2 ratio, of n columns; separator: None for spaces."""

    contig: int
    position: int
    log2: int
    n: int
    separator: str | None

    def split(self, line: str) -> list[str]:
        """The cells of a line, without blanks and quotes around them."""
        return _cells(line, self.separator)


def find_array_columns(line: str) -> ArrayColumns | None:
    """The columns of a header of probes, or None where a line is none."""
    separator = next((s for s in "\t," if s in line), None)
    names = [re.sub(r"[^a-z0-9.]", "", c.lower()) for c in _cells(line, separator)]
    places = [
        next((i for i, name in enumerate(names) if re.fullmatch(pattern, name)), None)
        for pattern in (_CHROMOSOME, _POSITION, _LOG2)
    ]
    if None in places or len(set(places)) < 3:
        return None
    return ArrayColumns(*places, len(names), separator)


def find_line(path: str | Path, contig: str, start: int) -> str:
    """' line N', the first line of a table of text whose bin begins at `start`; '' where there is none to be named.

    It is for messages: a file that cannot be read again is of no line.
    """
    with suppress(DataError):
        for number, line in read_lines(path):
            cells = line.split()
            if len(cells) > 2 and cells[0] == contig and cells[1] == str(start):
                return f" line {number}"
    return ""


def _cells(line: str, separator: str | None) -> list[str]:
    return [c.strip().strip('"') for c in (line.split(separator) if separator else line.split())]


def is_setting(line: str) -> bool:
    """Whether a line is a comment, a browser's setting or blank, and no row."""
    return not line.strip() or line.startswith(("#", "track", "browser"))


def read_columns(path: str | Path, layout: ColumnLayout) -> Iterator[Mapping[str, np.ndarray]]:
    """Pieces of the table: `contig` (m,) int32 into layout.contigs, whole and real columns, text as objects.

    Raises DataError naming line and column for a cell that is not what its column holds, and for a line with too few
    or too many columns.
    """
    import pandas

    at: dict[str, int] = {}
    unknown, numbers = False, (*layout.whole, *layout.real)
    how = {
        "sep": "\t" if layout.tabs else r"\s+",
        "header": None,
        "names": layout.names,
        "skiprows": layout.skip,
        # All columns are parsed: with usecols, a line of too many would pass.
        "dtype": {
            **{name: str for name in layout.names if name not in numbers},
            **dict.fromkeys(layout.whole, np.int64),
            **dict.fromkeys(layout.real, np.float64),
        },
        "keep_default_na": False,
        "na_values": {name: _MISSING if name in layout.real else [""] for name in layout.names},
        "quoting": 3,
        "chunksize": _ROWS,
        "engine": "c",
        "encoding": "utf-8",
    }
    try:
        # pandas warns of what it then refuses, a missing whole number.
        with (
            np.errstate(invalid="ignore"),
            io.BufferedReader(_Unpacked(path), 1 << 20) as file,
            pandas.read_csv(file, **how) as pieces,
        ):
            for frame in pieces:
                codes, names = pandas.factorize(frame[layout.contig])
                if (codes < 0).any():
                    unknown = True
                    break
                for name in map(str, names):
                    if at.setdefault(name, len(at)) == len(layout.contigs):
                        layout.contigs.append(name)
                table = np.array([at[str(n)] for n in names], np.int32)
                found = {k: frame[k].to_numpy() for k in numbers}
                unknown |= any(np.isnan(found[k]).any() for k in layout.real)
                yield {"contig": table[codes], **found, **{k: frame[k].to_numpy(object) for k in layout.text}}
    except pandas.errors.EmptyDataError:
        return
    except (ValueError, OverflowError) as error:
        _find_mistake(path, layout)
        raise DataError(f"{path} cannot be read as a table ({str(error)[:80]}): check its columns") from error
    if unknown:
        _find_mistake(path, layout)


class _Unpacked(io.RawIOBase):
    """The unpacked bytes of a file; a line longer than any table's and zero bytes are refused as they pass."""

    def __init__(self, path: str | Path):
        self.path, self.chunks, self.rest, self.line = path, read_chunks(path), b"", 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:
        if not self.rest:
            self.rest = next(self.chunks, b"")
            if b"\0" in self.rest:
                raise DataError(f"{self.path} holds a zero byte: it is binary or UTF-16, save it as plain text")
            cut = self.rest.rfind(b"\n")
            self.line = self.line + len(self.rest) if cut < 0 else len(self.rest) - cut
            if self.line > _LONGEST_LINE:
                raise DataError(f"{self.path} has a line of more than {_LONGEST_LINE:,} bytes: it is no table of depth")
        n = min(len(buffer), len(self.rest))
        buffer[:n] = self.rest[:n]
        self.rest = self.rest[n:]
        return n


def _find_mistake(path: str | Path, layout: ColumnLayout) -> None:
    """Raise DataError for the first line that breaks the layout; nothing where there is none."""
    at = {name: i for i, name in enumerate(layout.names)}
    n = len(layout.names)
    for number, line in read_lines(path):
        if number <= layout.skip or not line.strip():
            continue
        cells = line.split("\t") if layout.tabs else line.split()
        where = f"{path} line {number}"
        if len(cells) != n:
            raise DataError(f"{where} has {len(cells)} columns, the first row has {n}: complete it or drop it")
        if not cells[at[layout.contig]]:
            raise DataError(f"{where} names no contig: write it in column {at[layout.contig] + 1}")
        for name in (*layout.whole, *layout.real):
            cell = cells[at[name]]
            shown = f"{where}, column {at[name] + 1} ({name}): {cell[:40]!r}"
            if name in layout.whole and not _WHOLE.fullmatch(cell):
                raise DataError(f"{shown} is no whole number from 0 on: correct it")
            if name in layout.real and cell not in _MISSING and _real(cell) is None:
                raise DataError(f"{shown} is no number: correct it, or write NA where it is unknown")


def _real(cell: str) -> float | None:
    try:
        value = float(cell)
    except ValueError:
        return None
    return None if math.isnan(value) or "_" in cell else value
