"""Columns of a table of examples: cells to numbers and labels, and which columns are to be predicted.

rows -> TableText -> read_column (numbers, or words such as yes and no) -> choose_targets -> [Column], what was left out
"""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from zoo.data.splits import is_split_word
from zoo.errors import ConfigError, DataError
from zoo.files.compressed import read_lines

MISSING = {"", ".", "na", "nan", "n/a", "none", "null"}
LABEL_WORDS = (
    ("true", "false"), ("yes", "no"), ("positive", "negative"), ("pos", "neg"), ("bound", "unbound"), ("t", "f"),
    ("y", "n"),
)  # fmt: skip
"""Words for 1 and 0."""
_NEARLY = 0.75
"""Share of a column's cells that are numbers from which on the others are mistakes, and the column no text."""
_ROWS_OF_AN_INDEX = 10

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_PLACES = set(
    "chrom chr chromosome contig seqname seqnames scaffold start end stop begin pos position strand coord".split()
)
_NAMES = set("id ids idx index row rowid rownames nr no name names unnamed accession barcode uuid".split())
_PARTS = set(
    "split splits fold folds cv kfold partition subset set dataset group batch cluster replicate "
    "train training test testing validation valid val dev holdout".split()
)


@dataclass(frozen=True)
class TableText:
    """A table as text: columns, the line number of every row, and its cells."""

    path: Path
    columns: list[str]
    lines: list[int]
    rows: list[list[str]]

    def cells(self, column: str) -> list[str]:
        """(n,) cells of a column."""
        at = self.columns.index(column)
        return [row[at] for row in self.rows]


@dataclass(frozen=True)
class Column:
    """values: (n,) float32, NaN where missing or not readable.  words: for 1 and 0, None where the cells are numbers.

    wrong: rows whose cell is neither missing nor readable.  share: of the cells that are there, those that are numbers
    (or labels), numbers that are written in another way included.
    """

    name: str
    values: np.ndarray
    words: tuple[str, str] | None
    wrong: list[int]
    share: float

    @property
    def is_labels(self) -> bool:
        """Only 0 and 1, and both of them."""
        seen = self.values[np.isfinite(self.values)]
        return bool(len(seen)) and set(np.unique(seen)) == {0.0, 1.0}

    @property
    def is_text(self) -> bool:
        """Too few of the cells are numbers or labels, or they are one word alone."""
        return bool(self.wrong and self.share < _NEARLY) or (self.words is not None and not self.is_labels)

    @property
    def is_row_number(self) -> bool:
        """0, 1, 2 and so on, or 1, 2, 3."""
        n = len(self.values)
        return n >= _ROWS_OF_AN_INDEX and any(np.array_equal(self.values, first + np.arange(n)) for first in (0, 1))


@dataclass
class Choice:
    """Columns that are predicted, and sentences on those that are not."""

    columns: list[Column] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def read_text(path: Path, header: bool) -> TableText:
    """Raises DataError where rows differ in length, a column comes twice, or there is none."""
    columns: list[str] | None = None
    lines, rows = [], []
    for line, cells in _cells(path):
        if columns is None:
            columns = cells if header else [str(i + 1) for i in range(len(cells))]
            twice = next((c for c in columns if columns.count(c) > 1), None)
            if twice is not None:
                raise DataError(f"{path} line {line}: column {twice!r} comes twice: rename one")
            if header:
                continue
        if len(cells) != (n := len(columns)):
            raise DataError(f"{path} line {line} has {len(cells)} columns, the first has {n}: make them alike")
        lines.append(line)
        rows.append(cells)
    if columns is None or not rows:
        raise DataError(f"{path} holds no rows: it needs a header line and one line a sequence")
    return TableText(path, columns, lines, rows)


def choose_targets(text: TableText, named: Sequence[str], taken: Sequence[str]) -> Choice:
    """The columns that are named; else every one of numbers or labels that does not look like a name, place or fold.

    named: columns of data.targets.  taken: columns of another use.
    Raises DataError for a cell that is no number in a column that is named, or nearly all of whose cells are numbers.
    """
    choice, reasons = Choice(), {}
    for name in named or [c for c in text.columns if c not in taken]:
        use = None if named else other_use(name)
        column = read_column(text, name) if use is None else None
        if column is None or (not named and column.is_row_number):
            reasons[name] = use or "row numbers"
        elif not named and column.is_text:
            cells = text.cells(name)
            example = cells[column.wrong[0]] if column.wrong else next(c for c in cells if c.lower() not in MISSING)
            reasons[name] = f"text, such as {example[:20]!r}"
        elif column.wrong:
            raise _mistake(text, column)
        elif not named and not np.isfinite(column.values).any():
            reasons[name] = "empty"
        else:
            choice.columns.append(column)
            if column.words:
                choice.notes.append(f"column {name!r}: {column.words[0]} is read as 1, {column.words[1]} as 0")
    if named:
        reasons = {c: "not in data.targets" for c in text.columns if c not in (*named, *taken)}
    if reasons:
        left = ", ".join(f"{name!r} ({reason})" for name, reason in reasons.items())
        advice = "" if named else ": data.targets=[...] names the columns to predict"
        choice.notes.append(f"columns left out: {left}{advice}")
    return choice


def other_use(name: str) -> str | None:
    """What a column is by its name, where that is nothing to predict: row names, a place, a part of the rows.

    >>> other_use("peak_id"), other_use("chromStart"), other_use("cv_fold"), other_use("log2_fold_change")
    ('row names', 'a place', 'a part of the rows', None)
    """
    words = [word.lower() for word in _WORDS.findall(name)]
    if not words:
        return "row names" if not name.strip() else None
    if words[-1] in _PLACES or words[0] == "chrom":
        return "a place"
    if words[-1] in ("id", "ids", "idx", "uuid") or words[0] in ("id", "unnamed", "rowid") or set(words) <= _NAMES:
        return "row names"
    if set(words) - {"is", "in", "k", "outer", "inner", "random"} <= _PARTS or words[-1] in ("fold", "folds", "split"):
        return "a part of the rows"
    return None


def split_column_of(text: TableText, taken: Sequence[str]) -> str | None:
    """The column that says train, validation or test of every row, by its name and its words; None without one."""
    named = [c for c in text.columns if c not in taken and other_use(c) == "a part of the rows"]
    words = {c: [is_split_word(cell) for cell in text.cells(c)] for c in named}
    return next((c for c, known in words.items() if sum(known) >= _NEARLY * len(known)), None)


def refuse_mixed_kinds(columns: Sequence[Column]) -> None:
    """DataError for labels beside measured values: one objective would learn both."""
    labels = [c.name for c in columns if c.is_labels]
    others = [c.name for c in columns if not c.is_labels and len(np.unique(c.values[np.isfinite(c.values)])) > 1]
    if labels and others:
        raise ConfigError(
            f"column {labels[0]!r} holds labels of 0 and 1, column {others[0]!r} holds other numbers, and one "
            "objective would learn both: name those of one kind with data.targets, or set data.values=real to take "
            "labels as measured values"
        )


def read_column(text: TableText, name: str) -> Column:
    """The cells of a column as numbers, or as labels where they are words for 1 and 0."""
    cells = [cell.lower() for cell in text.cells(name)]
    known = [cell not in MISSING for cell in cells]
    numbers = [_number(cell) for cell in cells]
    readings: list[tuple[tuple[str, str] | None, list[float | None]]] = [(None, numbers)]
    distinct = set(cells)
    for words in LABEL_WORDS:
        if not distinct.isdisjoint(words):
            readings.append((words, [{words[0]: 1.0, words[1]: 0.0}.get(cell) for cell in cells]))
    words, values = max(readings, key=lambda reading: sum(v is not None for v in reading[1]))
    wrong = [i for i, v in enumerate(values) if v is None and known[i]]
    alike = sum(known) - sum(not _looks_like_a_number(cells[i]) for i in wrong)
    filled = [math.nan if v is None else v for v in values]
    return Column(name, np.array(filled, np.float32), words, wrong, alike / max(1, sum(known)))


def _cells(path: Path) -> Iterator[tuple[int, list[str]]]:
    """(line number, cells), by the first line's tabs, else by its semicolons or commas, whichever are more."""
    kept = [(n, text) for n, text in read_lines(path) if text.strip() and not text.startswith("##")]
    first = kept[0][1] if kept else ""
    delimiter = "\t" if "\t" in first else max(",", ";", key=first.count)
    try:
        reader = csv.reader([text for _, text in kept], delimiter=delimiter, strict=True)
        for (number, _), cells in zip(kept, reader, strict=False):
            yield number, [c.strip() for c in cells]
    except csv.Error as error:
        raise DataError(f"{path} cannot be read as a table ({error}): check its quotes") from error


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) and abs(value) <= np.finfo(np.float32).max and "_" not in text else None


def _looks_like_a_number(text: str) -> bool:
    """inf, 1e999, 1,5, 12%, <0.1: meant as a number."""
    return bool(re.fullmatch(r"[<>~]?[+-]?(inf|infinity|\d[\d.,_ ]*(e[+-]?\d+)?)\s*%?", text))


def _mistake(text: TableText, column: Column) -> DataError:
    row = column.wrong[0]
    cell, n = text.cells(column.name)[row], len(column.wrong)
    kind = f"neither {column.words[0]} nor {column.words[1]}" if column.words else "no finite number"
    more = f" ({n:,} such cells)" if n > 1 else ""
    comma = ", with a point in place of the comma" if re.fullmatch(r"[+-]?\d+,\d+", cell) else ""
    return DataError(
        f"{text.path} line {text.lines[row]}, column {column.name!r}: {cell[:40]!r} is {kind}{more}: "
        f"correct it{comma}, leave it empty if it is missing, or name the columns to predict with data.targets"
    )
