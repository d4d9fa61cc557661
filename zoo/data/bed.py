"""The columns of one BED-like line: which layout they have, and what each must hold."""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import dataclass

from zoo.errors import DataError

_LARGEST = 1 << 40
_WHOLE = re.compile(r"[0-9]+", re.ASCII)
_NAMES = (
    *("chrom", "start", "end", "name", "score", "strand", "thickStart", "thickEnd", "itemRgb"),
    *("blockCount", "blockSizes", "blockStarts"),
)
_PEAK_NAMES = (*_NAMES[:6], "signalValue", "pValue", "qValue", "peak")

Row = tuple[str, int, int, str, float, str, float, int]


class BadCell(ValueError):
    """What is wrong with one cell, its column and the remedy."""


@dataclass(frozen=True)
class Layout:
    """How the rows of one file are read: BED3 to BED12 (and more columns), broadPeak or narrowPeak.

    bed: leading columns that BED defines.  columns: all of them, the same on every line.
    """

    name: str
    bed: int
    columns: int

    @property
    def names(self) -> list[str]:
        """A name for each column of the file."""
        known = _PEAK_NAMES if self.name.endswith("Peak") else _NAMES[: self.bed]
        return [known[i] if i < len(known) else f"column{i + 1}" for i in range(self.columns)]

    @staticmethod
    def may_decide(cells: list[str]) -> bool:
        """Whether a row has a start and an end, so that the layout of the file can be taken from it."""
        return len(cells) > 2 and all(_WHOLE.fullmatch(c) for c in cells[1:3])

    @classmethod
    def of(cls, rows: list[list[str]], file: str, bed: int | None, notes: list[str]) -> Layout | None:
        """What most rows have; None where no row can tell.

        What the file's name promises and the columns do not hold goes to `notes`.
        """
        rows = [cells for cells in rows if cls.may_decide(cells)]
        if not rows:
            return None
        n = Counter(map(len, rows)).most_common(1)[0][0]
        rows = [cells for cells in rows if len(cells) == n]
        lower = file.lower().removesuffix(".gz").removesuffix(".bgz")
        promised = next((f for f in ("narrowPeak", "broadPeak") if lower.endswith(f.lower())), None)
        if bed is not None:
            if n < bed:
                raise DataError(f"{file}: its rows have {n} columns, {bed} were asked for: ask for at most {n}")
            layout = cls(f"BED{bed}", bed, n)
        elif n in (9, 10) and _are_peaks(rows, promised):
            layout = cls("narrowPeak" if n == 10 else "broadPeak", 6, n)
        elif n in (3, 4, 5, 6, 7, 8, 9, 12):
            layout = cls(f"BED{n}", n, n)
        else:
            blocks = n > 12 and 2 * sum(bool(_WHOLE.fullmatch(cells[9])) for cells in rows) >= len(rows)
            bed = 12 if blocks else min(n, 6)
            layout = cls(f"BED{bed}", bed, n)
        if promised and layout.name != promised:
            notes.append(f"{file} is called {promised} but its {n} columns are read as {layout.name}")
        if layout.bed < n and not layout.name.endswith("Peak"):
            notes.append(f"columns {layout.bed + 1} to {n} of {file} are kept but not read")
        return layout

    def row(self, cells: list[str]) -> Row:
        """(chrom, start, end, name, score, strand, signal value, summit) of one line; raises BadCell."""
        if len(cells) < 3:
            raise BadCell(f"{len(cells)} column(s), at least chrom, start and end are needed: complete the line")
        if len(cells) != self.columns:
            raise BadCell(f"{len(cells)} columns, most rows have {self.columns}: make them alike")
        if not cells[0]:
            raise BadCell("column 1 (chrom) is empty: name the contig")
        start, end = _whole(cells, 1), _whole(cells, 2)
        if start > end:
            raise BadCell(f"start {start} is after end {end}: swap them or drop the line")
        name = cells[3] if self.bed > 3 else "."
        score = _real(cells, 4) if self.bed > 4 else math.nan
        strand = _strand(cells) if self.bed > 5 else "."
        signal, summit = math.nan, -1
        if self.name.endswith("Peak"):
            signal = _real(cells, 6)
            _real(cells, 7)
            _real(cells, 8)
            if self.columns > 9:
                summit = _summit(cells, start, end)
        elif self.bed > 6:
            _thick(cells, start, end, self.bed)
        return cells[0], start, end, name or ".", score, strand, signal, summit


def _are_peaks(rows: list[list[str]], promised: str | None) -> bool:
    """Whether columns 7 to 9 (and 10) of most rows are a peak's numbers rather than BED's thick part and colour."""
    numbers = [cells for cells in rows if _has_peak_numbers(cells)]
    if 2 * len(numbers) < len(rows):
        return False
    return bool(promised) or 2 * sum(not _has_thick_part(cells) for cells in numbers) >= len(numbers)


def _has_peak_numbers(cells: list[str]) -> bool:
    try:
        for i in (6, 7, 8):
            float(cells[i] if cells[i] != "." else "nan")
    except ValueError:
        return False
    return len(cells) < 10 or re.fullmatch(r"-?[0-9]+|\.", cells[9]) is not None


def _has_thick_part(cells: list[str]) -> bool:
    """Whether columns 7 and 8 could be thickStart and thickEnd, which lie in the interval."""
    bounds = [int(c) if _WHOLE.fullmatch(c) else -1 for c in (*cells[1:3], *cells[6:8])]
    return bounds[0] <= bounds[2] <= bounds[3] <= bounds[1]


def _whole(cells: list[str], i: int, names: tuple[str, ...] = _NAMES) -> int:
    text = cells[i]
    what = f"column {i + 1} ({names[i]})"
    if _WHOLE.fullmatch(text):
        value = int(text) if len(text) < 20 else _LARGEST
        if value >= _LARGEST:
            raise BadCell(f"{what} {text[:24]} is longer than any contig: correct it")
        return value
    if re.fullmatch(r"-[0-9]+", text):
        raise BadCell(f"{what} {text} is negative: positions count from 0")
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if math.isfinite(value) and value == int(value) and value >= 0:
        raise BadCell(f"{what} {text!r} is no plain whole number: write {int(value)}")
    raise BadCell(f"{what} {text[:40]!r} is no whole number: correct it, or begin a header line with #")


def _real(cells: list[str], i: int) -> float:
    if cells[i] in (".", ""):
        return math.nan
    try:
        value = float(cells[i])
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or "_" in cells[i]:
        if cells[i].lower() in ("nan", "na"):
            return math.nan
        names = _PEAK_NAMES if i > 5 else _NAMES
        raise BadCell(f"column {i + 1} ({names[i]}) {cells[i][:40]!r} is no number: correct it, or write . for none")
    return value


def _strand(cells: list[str]) -> str:
    if cells[5] not in ("+", "-", ".", ""):
        raise BadCell(f"column 6 (strand) {cells[5][:40]!r} must be +, - or .: correct it")
    return cells[5] or "."


def _summit(cells: list[str], start: int, end: int) -> int:
    if cells[9] in ("-1", "."):
        return -1
    summit = _whole(cells, 9, _PEAK_NAMES)
    if summit >= max(end - start, 1):
        raise BadCell(
            f"column 10 (peak) {summit} lies past the end of an interval of {end - start} bp: write -1 for none"
        )
    return summit


def _thick(cells: list[str], start: int, end: int, bed: int) -> None:
    """Columns 7 to 12 of BED; the parts must lie inside the interval."""
    for i in (6, 7)[: bed - 6]:
        if cells[i] not in (".", ""):
            _whole(cells, i)
    if bed < 12:
        return
    count = _whole(cells, 9)
    lists = []
    for i in (10, 11):
        parts = cells[i].rstrip(",").split(",") if cells[i].strip(",") else []
        if len(parts) != count or not all(_WHOLE.fullmatch(p) and len(p) < 16 for p in parts):
            raise BadCell(f"column {i + 1} ({_NAMES[i]}) {cells[i][:40]!r} must hold {count} whole numbers: correct it")
        lists.append([int(p) for p in parts])
    for size, offset in zip(*lists, strict=True):
        if start + offset + size > end:
            raise BadCell(f"a block of column 11 reaches {start + offset + size}, past the end {end}: correct it")
