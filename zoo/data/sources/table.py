"""`data=table`: a CSV or TSV of sequences with one or more labels or measured values."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from zoo.composition.settings import settings_of
from zoo.data.codes import encode
from zoo.data.leakage_audit import audit_source
from zoo.data.sequences import Sequences, hash_by_length
from zoo.data.source import SPLITS, Source
from zoo.data.sources.sequence_examples import ReadyExamples, most_common
from zoo.data.splits import Fractions, split_by_hash, split_column
from zoo.errors import ConfigError, DataError, did_you_mean
from zoo.fields import Field
from zoo.files.compressed import file_identity, read_lines, resolve_paths

_MISSING = {"", ".", "na", "nan", "n/a", "none", "null"}


@dataclass(frozen=True, kw_only=True)
class TableSplits(Fractions):
    """column: that says train, validation or test; null draws the fractions by a hash of the sequence."""

    column: str | None = None


class Table(Source):
    """Rows of a table; every column of `targets` is one channel of one prediction.

    root: folder that a relative path is in.  table: CSV or TSV, plain or gzip; lines that begin with ## are comments.
    header: False where the first line is data; columns are then called 1, 2, ...
    sequence, row_name: columns.
    splits: settings, see `TableSplits`.
    targets: columns; every other column that holds only numbers where not given.
    values: "binary" (0 and 1), "real", or "auto": binary where all of them are 0, 1 or missing.
    target: name of the prediction.

    A missing value (empty, NA, nan, .) has weight 0.  Raises DataError naming line and column.
    """

    def __init__(
        self,
        *,
        root: str | None = None,
        table: str | None = None,
        header: bool = True,
        sequence: str = "sequence",
        row_name: str | None = None,
        splits: TableSplits | Mapping[str, Any] | None = None,
        targets: Sequence[str] | str | None = None,
        values: str = "auto",
        target: str = "value",
        licence: str = "",
        seed: int = 0,
    ):
        if not table:
            raise ConfigError("data=table needs a file: set data.table=/path/to/table.tsv")
        if values not in ("auto", "binary", "real"):
            raise ConfigError(f"data.values {values!r} must be auto, binary or real")
        splits = settings_of(TableSplits, "data.splits", splits)
        self.path = resolve_paths(root, table)[0]
        self.target, self.licence = target, licence
        columns, lines, rows = _read(self.path, header)
        at = {c: i for i, c in enumerate(columns)}
        for column in (sequence, row_name, splits.column, *_listed(targets)):
            if column is not None and column not in at:
                raise DataError(f"{self.path} has no column {column!r}{did_you_mean(column, columns)}")
        others = [c for c in columns if c not in (sequence, row_name, splits.column)]
        chosen = _listed(targets) or [c for c in others if _numeric(rows, at[c])]
        if not chosen:
            raise DataError(f"{self.path} has no column of numbers beside {sequence!r}: name one with data.targets")
        self.values = np.stack([_numbers(self.path, lines, rows, at[c], c) for c in chosen], 1)
        binary = bool(np.isin(self.values[np.isfinite(self.values)], (0.0, 1.0)).all())
        if values == "binary" and not binary:
            raise DataError(f"{self.path}: columns {', '.join(chosen)} hold more than 0 and 1: set data.values=real")
        kind = "binary" if values == "binary" or (values == "auto" and binary) else "real"
        self.targets = {target: Field("C", channels=tuple(chosen), values=kind)}
        self.sequences = _sequences(self.path, lines, rows, at[sequence], None if row_name is None else at[row_name])
        self.input_length = most_common(self.sequences.lengths)
        self._hashes, _ = hash_by_length(self.sequences.lengths, self.sequences.batch)
        if splits.column is None:
            codes = split_by_hash(self._hashes, splits.validation, splits.test, seed)
            self._how = {"by": "hash of the sequence", "validation": splits.validation, "test": splits.test}
        else:
            words = [r[at[splits.column]] for r in rows]
            codes = split_column(words, f"{self.path} column {splits.column!r}", lines)
            self._how = {"by": f"column {splits.column}"}
        self._rows = {s: np.flatnonzero(codes == i) for i, s in enumerate(SPLITS)}
        if not len(self._rows["train"]):
            raise DataError(f"{self.path} leaves no row for training: check its split column")

    def examples(self, split: str) -> ReadyExamples:
        """Rows of one split."""
        if split not in SPLITS:
            raise ConfigError(f"there is no split {split!r}: choose from {', '.join(SPLITS)}")
        missing = not np.isfinite(self.values).all()
        return ReadyExamples(self.sequences, self._rows[split], self.target, self.values, missing)

    def describe(self) -> dict[str, Any]:
        """File, columns, splits with n, missing values, the leakage audit."""
        field = self.targets[self.target]
        missing = (~np.isfinite(self.values)).sum(0).tolist()
        return {
            "source": "table",
            "files": [file_identity(self.path)],
            "licence": self.licence,
            "columns": list(field.channels),
            "values": field.values,
            "missing": dict(zip(field.channels, missing, strict=True)),
            "lengths": [int(self.sequences.lengths.min()), int(self.sequences.lengths.max())],
            "splits": self._how,
            "n": {split: len(rows) for split, rows in self._rows.items()},
            "audit": audit_source(self),
        }


def _read(path: Path, header: bool) -> tuple[list[str], list[int], list[list[str]]]:
    """Column names, line numbers and rows."""
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
    return columns, lines, rows


def _cells(path: Path) -> Iterator[tuple[int, list[str]]]:
    """(line number, cells); tab-separated if the first line has a tab, else by comma."""
    kept = [(n, text) for n, text in read_lines(path) if text.strip() and not text.startswith("##")]
    delimiter = "\t" if kept and "\t" in kept[0][1] else ","
    try:
        reader = csv.reader([text for _, text in kept], delimiter=delimiter, strict=True)
        for (number, _), cells in zip(kept, reader, strict=False):
            yield number, [c.strip() for c in cells]
    except csv.Error as error:
        raise DataError(f"{path} cannot be read as a table ({error}): check its quotes") from error


def _numeric(rows: list[list[str]], column: int) -> bool:
    cells = [r[column] for r in rows if r[column].lower() not in _MISSING]
    return bool(cells) and all(_number(c) is not None for c in cells)


def _numbers(path: Path, lines: list[int], rows: list[list[str]], column: int, name: str) -> np.ndarray:
    """(n,) float32, NaN where missing."""
    values = np.empty(len(rows), np.float32)
    for i, row in enumerate(rows):
        value = math.nan if row[column].lower() in _MISSING else _number(row[column])
        if value is None:
            raise DataError(
                f"{path} line {lines[i]}, column {name!r}: {row[column][:40]!r} is no finite number: "
                "correct it, or leave it empty if it is missing"
            )
        values[i] = value
    return values


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) and "_" not in text else None


def _sequences(path: Path, lines: list[int], rows: list[list[str]], column: int, name: int | None) -> Sequences:
    codes = []
    for line, row in zip(lines, rows, strict=True):
        try:
            codes.append(encode(row[column]))
        except DataError as error:
            raise DataError(f"{path} line {line}, column {column + 1}: {error}") from None
        if not row[column]:
            raise DataError(f"{path} line {line}, column {column + 1}: the sequence is empty: drop the line")
    headers = [f"row_{i + 1}" if name is None else row[name] for i, row in enumerate(rows)]
    return replace(Sequences.from_codes(codes), headers=headers, line=np.array(lines, np.int64), path=str(path))


def _listed(value: Sequence[str] | str | None) -> list[str]:
    if not value:
        return []
    return [value] if isinstance(value, str) else [str(v) for v in value]
