"""BED3 to BED12, narrowPeak and broadPeak: read strictly, by the columns that are there.

Coordinates are 0-based half-open, as in the file.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from pathlib import Path

import numpy as np

from zoo.data.bed import BadCell, Layout
from zoo.data.interval_lists import are_regions, from_interval_list, from_region, is_list_header
from zoo.errors import ConfigError, DataError
from zoo.files.compressed import read_lines


@dataclass
class Intervals:
    """Rows of an interval file in their order; arrays of one length (n,).

    chrom, name, strand: text, "." where missing.  start, end: int64, -1 in a row that could not be read.
    score, signal_value: float64, NaN where missing.  summit: bp from start, -1 where missing.
    status: "ok", or why the row could not be read.  line: where it stands in the file.
    raw: the original columns.  columns: their names.  format: what the rows are read as.
    notes: what a user should know of the file.
    """

    chrom: np.ndarray
    start: np.ndarray
    end: np.ndarray
    name: np.ndarray
    score: np.ndarray
    strand: np.ndarray
    signal_value: np.ndarray
    summit: np.ndarray
    status: np.ndarray
    line: np.ndarray
    raw: list[list[str]]
    columns: list[str] = field(default_factory=list)
    format: str = "BED3"
    notes: list[str] = field(default_factory=list)
    path: str = ""

    def __len__(self) -> int:
        return len(self.start)

    @property
    def ok(self) -> np.ndarray:
        """(n,) bool: rows that were read."""
        return self.status == "ok"

    @property
    def width(self) -> np.ndarray:
        """(n,) bp from start to end."""
        return self.end - self.start

    def centers(self, summits: bool = True) -> np.ndarray:
        """(n,) the base at the summit where there is one and `summits` is true, else at the middle."""
        middle = (self.start + self.end) // 2
        return np.where((self.summit >= 0) & summits, self.start + self.summit, middle)

    def select(self, rows: np.ndarray) -> Intervals:
        """The rows of a boolean mask or an index array, in that order."""
        rows = np.flatnonzero(rows) if np.asarray(rows).dtype == np.bool_ else np.asarray(rows)
        columns = {f.name: getattr(self, f.name) for f in fields(self)}
        arrays = {k: v[rows] for k, v in columns.items() if isinstance(v, np.ndarray)}
        return Intervals(**{**columns, **arrays, "raw": [self.raw[i] for i in rows], "notes": list(self.notes)})


def read_intervals(path: str | Path, on_error: str | None = None, columns: int | None = None) -> Intervals:
    """Read a BED, narrowPeak or broadPeak file or a list of intervals, plain or gzip.

    on_error: "raise" stops at the first bad line with a word on --on-error, None does so without it; "skip" keeps the
        line as a row whose `status` says why.
    columns: how many leading columns are BED's (3 to 12), where the file has others after them.

    The format is what the columns of most rows are; a name that says otherwise is put into `notes`.  Lines that begin
    with track, browser or # are passed over, as are blank ones.  Picard's interval lists and lists of regions
    (chr20:1,001-1,200), which count from 1, are read too; a pipe or "-" is read once.
    Raises DataError naming file, line and column; also for a file without any interval.

    Sources: UCSC's description of BED and ENCODE narrowPeak (BED6+4) and broadPeak (BED6+3).
    """
    if on_error not in (None, "raise", "skip"):
        raise ConfigError(f"on_error {on_error!r} must be raise or skip")
    if columns is not None and not 3 <= columns <= 12:
        raise ConfigError(f"columns {columns} of {path} must be 3 to 12, which BED has")
    notes: list[str] = []
    records = _records(path, notes)
    layout = Layout.of([cells for _, cells, why in records if not why], Path(path).name, columns, notes)
    rows, raw, lines, status = [], [], [], []
    for number, cells, why in records:
        try:
            if why:
                raise BadCell(why)
            row, why = (layout or Layout("BED3", 3, len(cells))).row(cells), "ok"
        except BadCell as bad:
            if on_error != "skip":
                advice = " (--on-error skip marks such rows instead)" if on_error else ""
                raise DataError(f"{path} line {number}: {bad}{advice}") from None
            row, why = (cells[0], -1, -1, ".", math.nan, ".", math.nan, -1), str(bad)
        rows.append(row)
        raw.append(cells)
        lines.append(number)
        status.append(why)
    if not rows:
        raise DataError(f"{path} holds no interval: BED has at least chrom, start and end on a line")
    types = (object, np.int64, np.int64, object, np.float64, object, np.float64, np.int64)
    read = [np.array(column, kind) for column, kind in zip(zip(*rows, strict=True), types, strict=True)]
    return Intervals(
        *read,
        np.array(status, object),
        np.array(lines, np.int64),
        raw,
        layout.names if layout else Layout("BED3", 3, max(map(len, raw))).names,
        layout.name if layout else "BED3",
        notes,
        str(path),
    )


def _records(path: str | Path, notes: list[str]) -> list[tuple[int, list[str], str]]:
    """(line number, columns as those of BED, what keeps them from it or "") of every interval."""
    lines, in_list = [], False
    for number, line in read_lines(path):
        if not line.strip() or line.startswith("#") or line.split(None, 1)[0] in ("track", "browser"):
            continue
        if is_list_header(line):
            in_list = True
            continue
        if "\t" not in line and " " in line.strip() and not any("separated by spaces" in note for note in notes):
            notes.append(f"line {number} is separated by spaces, not tabs")
        lines.append((number, [cell.strip() for cell in line.split("\t")] if "\t" in line else line.split()))
    if in_list:
        notes.append(f"{Path(path).name} is read as an interval list of Picard: its positions count from 1")
        return [_converted(number, cells, from_interval_list) for number, cells in lines]
    if are_regions([cells for _, cells in lines]):
        notes.append(f"{Path(path).name} is read as a list of regions, as in chr20:1,001-1,200: they count from 1")
        return [_converted(number, cells, from_region) for number, cells in lines]
    return [(number, cells, "") for number, cells in lines]


def _converted(number: int, cells: list[str], convert: Callable) -> tuple[int, list[str], str]:
    try:
        return number, convert(cells), ""
    except BadCell as bad:
        return number, cells, str(bad)
