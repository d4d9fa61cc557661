"""Tables that people and programs read: `##` comment lines, a header row, one row an input row, tabs between.

A table is written beside its name and moved into place whole: there is never half a file under the name asked for.
"""

from __future__ import annotations

import gzip
import math
import os
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO, cast

import numpy as np

from zoo.errors import DataError, installed
from zoo.terminal.printable import PrintableStream

if TYPE_CHECKING:
    pass

MISSING = "NA"


class TableWriter:
    """Stream rows to a TSV file; `-` is standard output, a name in .gz is compressed.

    >>> with TableWriter("-", ["chrom", "score"], {"model": "ctcf-motif-cnn"}) as table:
    ...     table.row(["chr1", 0.25])
    ##model=ctcf-motif-cnn
    chrom	score
    chr1	0.25
    """

    def __init__(self, path: str | Path, columns: Sequence[str], comments: Mapping[str, Any] | None = None):
        if len(set(columns)) != len(columns):
            twice = next(c for c in columns if list(columns).count(c) > 1)
            raise DataError(f"table {path} would have two columns named {twice!r}: rename one")
        self.columns = list(columns)
        self.comments = dict(comments or {})
        self.path = str(path)
        self.rows = 0
        self._file: TextIO
        self._atomic: atomic_path

    def __enter__(self) -> TableWriter:
        if self.path == "-":
            self._file = cast(TextIO, PrintableStream(sys.stdout))
        else:
            self._atomic = atomic_path(self.path)
            temporary = self._atomic.__enter__()
            opener = gzip.open if self.path.endswith(".gz") else open
            self._file = opener(temporary, "wt", encoding="utf-8", newline="\n")
        for key, value in self.comments.items():
            self._file.write(f"##{_text(key)}={_text(value)}\n")
        self._file.write("\t".join(_text(c) for c in self.columns) + "\n")
        return self

    def row(self, values: Sequence[Any]) -> None:
        """One value a column; None and NaN become NA."""
        if len(values) != len(self.columns):
            raise ValueError(f"{len(values)} values for {len(self.columns)} columns")
        self._file.write("\t".join(_text(v) for v in values) + "\n")
        self.rows += 1

    def __exit__(self, kind, error, trace) -> None:
        if self.path == "-":
            self._file.flush()
            return
        try:
            self._file.close()
        except OSError as full:
            kind, error = type(full), full
            self._atomic.__exit__(kind, error, None)
            raise
        self._atomic.__exit__(kind, error, trace)


class atomic_path:
    """A temporary path beside `path`, moved onto it when the block ends without an error, else deleted."""

    def __init__(self, path: str | Path):
        self.path = Path(path)

    def __enter__(self) -> Path:
        folder = self.path.parent
        if not folder.is_dir():
            raise DataError(f"folder {folder} for {self.path.name} does not exist: create it or choose another path")
        try:
            handle, name = tempfile.mkstemp(prefix=f".{self.path.name}.", suffix=".part", dir=folder)
        except OSError as error:
            raise DataError(f"{self.path} cannot be written: {error.strerror}: choose another path") from error
        os.close(handle)
        os.chmod(name, 0o666 & ~_umask())
        self.temporary = Path(name)
        return self.temporary

    def __exit__(self, kind, error, trace) -> None:
        if kind is None:
            os.replace(self.temporary, self.path)
        else:
            self.temporary.unlink(missing_ok=True)


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
    """(comments, rows as text) of a table that `TableWriter` wrote."""
    opener = gzip.open if str(path).endswith(".gz") else open
    comments, rows, columns = {}, [], None
    with opener(path, "rt", encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            line = line.rstrip("\n")
            if line.startswith("##"):
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


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
