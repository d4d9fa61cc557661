"""Tables that people and programs read: `##` comment lines, a header row, one row an input row, tabs between.

    rows -> .tsv, .tsv.gz, .parquet (zoo.files.parquet), .xlsx (zoo.files.spreadsheet), or - for the terminal

A table is written beside its name and moved into place whole: there is never half a file under the name asked for.
"""

from __future__ import annotations

import gzip
import io
import itertools
import math
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Protocol, TextIO, cast

import numpy as np

from zoo.errors import DataError, installed
from zoo.files.atomic import atomic_path, full_disk
from zoo.files.compressed import read_chunks
from zoo.files.endings import TERMINAL, ending
from zoo.terminal.printable import PrintableStream
from zoo.terminal.standard_streams import stdout_is_closed

MISSING = "NA"


class Rows(Protocol):
    """A table that is being written."""

    def row(self, values: Sequence[Any]) -> None:
        """One value a column."""
        ...

    def close(self, whole: bool) -> None:
        """Write what is left; not whole: let go of the file without an error, it is deleted."""
        ...


class TableWriter:
    """Stream rows to a table of the kind that the name says; `-` is standard output, any other ending is a TSV's.

    Parquet holds the comments as metadata of its schema, a spreadsheet on a second sheet.

    >>> with TableWriter("-", ["chrom", "score"], {"model": "ctcf-motif-cnn"}) as table:
    ...     table.row(["chr1", 0.25])
    ##model=ctcf-motif-cnn
    chrom	score
    chr1	0.25
    """

    def __init__(
        self,
        path: str | Path,
        columns: Sequence[str],
        comments: Mapping[str, Any] | None = None,
        types: Mapping[str, Callable[[Any], Any]] | None = None,
    ):
        """types: of columns whose values come as text, {"pos": int, "score": numpy.float32}; a TSV needs none."""
        if len(set(columns)) != len(columns):
            twice = next(c for c in columns if list(columns).count(c) > 1)
            raise DataError(f"table {path} would have two columns named {twice!r}: rename one")
        self.columns = list(columns)
        self.comments = dict(comments or {})
        self.path = str(path)
        self.types = [(types or {}).get(c) for c in columns]
        self.rows = 0

    def __enter__(self) -> TableWriter:
        with ExitStack() as stack:
            temporary = None if self.path == TERMINAL else stack.enter_context(atomic_path(self.path))
            self._body = _body(self.path, temporary, self.columns, self.comments)
            stack.push(lambda kind, error, trace: self._body.close(whole=kind is None))
            self._stack = stack.pop_all()
        return self

    def row(self, values: Sequence[Any]) -> None:
        """One value a column; None and NaN become NA, or an empty cell of Parquet or a spreadsheet."""
        if len(values) != len(self.columns):
            raise ValueError(f"{len(values)} values for {len(self.columns)} columns")
        if not isinstance(self._body, _Text):
            values = [_typed(value, kind) for value, kind in zip(values, self.types, strict=True)]
        self._body.row(values)
        self.rows += 1

    def __exit__(self, kind, error, trace) -> None:
        self._stack.__exit__(kind, error, trace)


def _body(path: str, temporary: Path | None, columns: Sequence[str], comments: Mapping[str, Any]) -> Rows:
    if temporary is None:
        if stdout_is_closed():
            raise DataError("standard output is closed: name a file with -o")
        return _Text(cast(TextIO, PrintableStream(sys.stdout)), columns, comments, [])
    match ending(path):
        case ".parquet":
            from zoo.files.parquet import ParquetRows

            return ParquetRows(temporary, columns, comments)
        case ".xlsx":
            from zoo.files.spreadsheet import SheetRows

            return SheetRows(temporary, path, columns, comments)
    raw = temporary.open("wb")
    packed = [gzip.GzipFile("", "wb", fileobj=raw, mtime=0)] if path.lower().endswith(".gz") else []
    text = io.TextIOWrapper(packed[0] if packed else raw, encoding="utf-8", errors="surrogateescape", newline="\n")
    return _Text(text, columns, comments, [text, *packed, raw])


class _Text:
    """Tabs between values; the files that are closed at the end, from the outside in."""

    def __init__(self, file: TextIO, columns: Sequence[str], comments: Mapping[str, Any], files: list[Any]):
        self.file, self.files = file, files
        try:
            for key, value in comments.items():
                file.write(f"##{_text(key)}={_text(value)}\n")
            self.row(columns)
        except BaseException:
            self.close(whole=False)
            raise

    def row(self, values: Sequence[Any]) -> None:
        self.file.write("\t".join([_text(v) for v in values]) + "\n")

    def close(self, whole: bool) -> None:
        if not self.files and whole:
            with full_disk("standard output"):
                self.file.flush()
        errors = []
        for file in self.files:
            try:
                file.close()
            except OSError as error:
                errors.append(error)
        if errors and whole:
            raise errors[0]


def _typed(value: Any, kind: Callable[[Any], Any] | None) -> Any:
    """None for what is missing; a text as the number that it stands for."""
    if value is None or (isinstance(value, (float, np.floating)) and np.isnan(value)):
        return None
    if kind is None:
        return value
    return None if value == MISSING else kind(value)


def write_table(
    path: str | Path,
    columns: Sequence[str],
    rows: Iterable[Sequence[Any]],
    comments: Mapping[str, Any] | None = None,
) -> int:
    """Write a whole table; returns the number of rows."""
    with TableWriter(path, columns, comments) as table:
        for row in rows:
            table.row(row)
    return table.rows


def read_table(path: str | Path) -> tuple[dict[str, str], list[dict[str, str]]]:
    """(comments, rows as text) of a TSV that `TableWriter` wrote.  Raises DataError where it is damaged."""
    comments, rows, columns = {}, [], None
    for number, line in enumerate(_lines(path), 1):
        if columns is None and line.startswith("##"):
            key, _, value = line[2:].partition("=")
            comments[key] = value
        elif columns is None:
            columns = line.split("\t")
        else:
            values = line.split("\t")
            if len(values) != len(columns):
                raise DataError(f"{path} line {number}: {len(values)} columns where the header has {len(columns)}")
            rows.append(dict(zip(columns, values, strict=True)))
    return comments, rows


def read_comments(path: str | Path) -> dict[str, str]:
    """The comments of a table of any kind that `TableWriter` wrote."""
    match ending(path):
        case ".parquet":
            import pyarrow.parquet

            metadata = pyarrow.parquet.read_schema(path).metadata or {}
            others = (b"ARROW:schema", b"PANDAS_ATTRS")
            return {key.decode(): value.decode() for key, value in metadata.items() if key not in others}
        case ".xlsx":
            from zoo.files.spreadsheet import read_about

            return read_about(path)
    above = itertools.takewhile(lambda line: line.startswith("##"), _lines(path))
    return {key: value for key, _, value in (line[2:].partition("=") for line in above)}


def _lines(path: str | Path) -> Iterator[str]:
    """Lines without their ends; bytes that are no UTF-8 come as lone surrogates."""
    rest = b""
    for chunk in read_chunks(path):
        *lines, rest = (rest + chunk).split(b"\n")
        yield from (line.decode("utf-8", "surrogateescape") for line in lines)
    if rest:
        yield rest.decode("utf-8", "surrogateescape")


def data_frame(columns: Sequence[str], rows: Iterable[Sequence[Any]], comments: Mapping[str, Any] | None = None) -> Any:
    """Rows as a DataFrame with the comments in `attrs`; as `Columns` where pandas is not installed."""
    if not installed("pandas"):
        return Columns(columns, list(rows), dict(comments or {}))
    import pandas

    frame = pandas.DataFrame(list(rows), columns=list(columns))
    frame.attrs.update(comments or {})
    return frame


class Columns:
    """What a table is in Python without pandas: `table["score"]` is an array (N,), `len(table)` is N.

    >>> Columns(["name", "score"], [["a", 0.5], ["b", 1.5]], {})["score"].tolist()
    [0.5, 1.5]
    """

    def __init__(self, columns: Sequence[str], rows: Sequence[Sequence[Any]], attrs: dict[str, Any]):
        self.columns, self.attrs, self._rows = list(columns), attrs, rows

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, column: str) -> np.ndarray:
        cells = [row[self.columns.index(column)] for row in self._rows]
        return np.array(cells, object if any(c is None or isinstance(c, str) for c in cells) else None)

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"table.{name} needs pandas, which is not installed: pip install 'zoo-core[pandas]'")


def _text(value: Any) -> str:
    if value is None:
        return MISSING
    if isinstance(value, float) or (type(value).__module__ == "numpy" and value.dtype.kind == "f"):
        # The shortest text that reads back as the same float32.
        short = str(value) if getattr(value, "dtype", None) == "float32" else f"{value:.7g}"
        return MISSING if math.isnan(value) else short
    return str(value).replace("\t", " ").replace("\n", " ").replace("\r", " ")
