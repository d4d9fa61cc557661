"""Parquet of rows that come one by one: types as the values have them, the comments as the schema's metadata."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

_GROUP = 65_536
"""Rows of a row group."""

_WIDER = ("null", "bool", "int64", "float", "double", "string")
"""Arrow's types, each able to hold those before it; int64 and float together need double."""


class ParquetRows:
    """Rows -> row groups; a column takes the narrowest type that holds all of its values.

    Whole numbers become int64, float32 stays float32, other floats double, whatever else text; a value that does not
    fit the type of the rows before it makes the column wider.
    """

    def __init__(self, path: Path, columns: Sequence[str], comments: Mapping[str, Any]):
        self.path, self.columns = path, list(columns)
        self.metadata = {str(k): str(v) for k, v in comments.items()}
        self.metadata["PANDAS_ATTRS"] = json.dumps(self.metadata)  # what pandas reads into `attrs`
        self.types = ["null"] * len(self.columns)
        self.waiting: list[Sequence[Any]] = []
        self.writer: Any = None

    def row(self, values: Sequence[Any]) -> None:
        """One value a column, None where it is missing."""
        self.waiting.append(values)
        if len(self.waiting) >= _GROUP:
            self._flush()

    def close(self, whole: bool) -> None:
        """Write the last group and the footer; not whole: let go of the file."""
        if whole:
            self._flush(last=True)
            self.writer.close()
        elif self.writer is not None:
            _let_go(self.writer)

    def _flush(self, last: bool = False) -> None:
        import pyarrow as pa

        columns = list(zip(*self.waiting, strict=True)) or [()] * len(self.columns)
        self.waiting = []
        types = [_common(old, map(_type, values)) for old, values in zip(self.types, columns, strict=True)]
        if last and self.writer is None:
            types = [t if t != "null" else "string" for t in types]
        self._open(types)
        arrays = [pa.array(_cast(v, t), _arrow(t)) for v, t in zip(columns, types, strict=True)]
        writer: Any = self.writer
        writer.write_table(pa.table(arrays, schema=self._schema()))

    def _schema(self) -> Any:
        import pyarrow as pa

        fields = [(name, _arrow(kind)) for name, kind in zip(self.columns, self.types, strict=True)]
        return pa.schema(fields).with_metadata(self.metadata)

    def _open(self, types: list[str]) -> None:
        """A writer of these types; what was written with others is written again."""
        import pyarrow.parquet as pq

        if self.writer is not None and types == self.types:
            return
        before, self.types = self.writer, types
        if before is None:
            self.writer = pq.ParquetWriter(self.path, self._schema())
            return
        before.close()
        narrow = self.path.with_name(f"{self.path.name}.narrow")
        self.path.rename(narrow)
        try:
            self.writer = pq.ParquetWriter(self.path, self._schema())
            with pq.ParquetFile(narrow) as file:
                for batch in file.iter_batches(_GROUP):
                    self.writer.write_batch(batch.cast(self._schema()))
        finally:
            narrow.unlink(missing_ok=True)


def _let_go(writer: Any) -> None:
    """Close a writer whose file is deleted: on a full disk that fails again, and once more at the exit."""
    try:
        writer.close()
    except Exception:
        writer.is_open = False


def _type(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, (bool, np.bool_)):
        return "bool"
    if isinstance(value, (int, np.integer)):
        return "int64" if -(2**63) <= value < 2**63 else "string"
    if isinstance(value, (np.float32, np.float16)):
        return "float"
    return "double" if isinstance(value, (float, np.floating)) else "string"


def _common(old: str, kinds: Any) -> str:
    """The narrowest type that holds all."""
    every = {old, *kinds} - {"null"}
    if {"int64", "float"} <= every and "string" not in every:
        every.add("double")
    if "bool" in every and len(every) > 1:
        every.add("string")
    return max(every, key=_WIDER.index, default="null")


def _cast(values: Sequence[Any], kind: str) -> list[Any]:
    convert = {"string": str, "int64": int, "float": float, "double": float, "bool": bool, "null": lambda v: v}[kind]
    return [None if v is None else convert(v) for v in values]


def _arrow(kind: str) -> Any:
    import pyarrow as pa

    return {
        "null": pa.null, "bool": pa.bool_, "int64": pa.int64, "float": pa.float32, "double": pa.float64,
        "string": pa.string,
    }[kind]()  # fmt: skip
