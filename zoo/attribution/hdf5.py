"""Attributions read from HDF5 files of strangers: TF-MoDISco's layout (zoo.attribution.hdf5_writer describes it).

read_h5("contributions.h5") -> Attributed of kind hypothetical
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.attribution.hdf5_writer import CHUNK, OURS
from zoo.attribution.result import Attributed
from zoo.errors import DataError

if TYPE_CHECKING:
    import h5py

_MOST_PACKED = 1100
"""A byte of gzip unpacks to at most 1,032; a file that promises more than this is not ours."""


def read_h5(path: str | Path) -> Attributed:
    """An `Attributed` of kind hypothetical from a file of TF-MoDISco's layout, whoever wrote it.

    Only raw/seq and shap/seq must be there: what a file lacks is NaN, or missing.
    Raises DataError for a file that is not HDF5, lacks a dataset, has one of another shape or type, leads out of the
    file, promises more than its bytes can hold, is not one-hot, or holds NaN.
    """
    import h5py

    try:
        with h5py.File(path, "r") as file:
            return _Reader(file, str(path)).attributed()
    except (OSError, RuntimeError, TypeError, ValueError, KeyError, MemoryError) as error:
        raise DataError(f"{path} cannot be read as HDF5: {error}") from error


class _Reader:
    """Reads datasets of a stranger's file."""

    def __init__(self, file: h5py.File, path: str):
        self.file, self.path = file, path
        self.bytes = Path(path).stat().st_size

    def attributed(self) -> Attributed:
        raw, shap = self.need("raw/seq", "iubf"), self.need("shap/seq", "f")
        if raw.ndim != 3 or raw.shape[1] != 4 or raw.shape != shap.shape or not raw.size:
            raise DataError(f"{self.path}: raw/seq {raw.shape} and shap/seq {shap.shape} must both be (N, 4, L)")
        n, _, length = raw.shape
        codes, values = np.empty((n, length), np.uint8), np.empty(raw.shape, np.float32)
        for first in range(0, n, CHUNK):
            part = slice(first, min(first + CHUNK, n))
            codes[part] = self.codes(raw[part], first)
            values[part] = shap[part]
            if not np.isfinite(values[part]).all():
                raise DataError(f"{self.path}: shap/seq holds NaN or infinity in rows {first:,} to {part.stop - 1:,}")
        attributes = {k: _text(v) for k, v in self.file.attrs.items()}
        chrom, start = self.texts("coords/chrom", n), self.numbers("coords/start", n, "iu")
        predictions = self.numbers("predictions", n, "f")
        names = self.texts("names", n)
        if (chrom is None) != (start is None):
            raise DataError(f"{self.path}: coords/chrom and coords/start belong together: one is missing")
        return Attributed(
            codes,
            values,
            "hypothetical",
            np.full(n, np.nan, np.float32) if predictions is None else predictions.astype(np.float32),
            attributes.get("output", ""),
            _interpreter(attributes.get("interpreter", "")),
            [str(i + 1) for i in range(n)] if names is None else names,
            attributes.get("centered") == "true",
            None if (delta := self.numbers("delta", n, "f")) is None else delta.astype(np.float32),
            chrom,
            None if start is None else start.astype(np.int64),
            self.contigs(),
            {k: v for k, v in attributes.items() if k not in OURS},
        )

    def codes(self, one_hot: np.ndarray, first: int) -> np.ndarray:
        """(n, 4, L) -> (n, L) uint8, 4 at N."""
        bad = ((one_hot != 0) & (one_hot != 1)).any((1, 2)) | (one_hot.sum(1) > 1).any(1)
        if bad.any():
            raise DataError(f"{self.path}: raw/seq is not one-hot in row {first + int(bad.argmax()):,}")
        return np.where(one_hot.any(1), one_hot.argmax(1), 4).astype(np.uint8)

    def need(self, name: str, kinds: str) -> h5py.Dataset:
        dataset = self.find(name, kinds)
        if dataset is None:
            raise DataError(f"{self.path} has no dataset {name}: is it a file of attributions?")
        return dataset

    def find(self, name: str, kinds: str) -> h5py.Dataset | None:
        """A dataset that lies in this file, None where there is none."""
        import h5py

        at: Any = self.file
        for part in name.split("/"):
            link = at.get(part, getlink=True) if isinstance(at, h5py.Group) and part in at else None
            if link is None:
                return None
            if not isinstance(link, h5py.HardLink):
                raise DataError(f"{self.path}: {name} is a link to somewhere else, which is not followed")
            at = at[part]
        if not isinstance(at, h5py.Dataset) or at.shape is None or at.dtype.kind not in kinds:
            raise DataError(f"{self.path}: {name} is not a dataset of the kind that attributions have")
        if at.external or at.is_virtual:
            raise DataError(f"{self.path}: {name} has its values in another file, which is not opened")
        if at.size * at.dtype.itemsize > _MOST_PACKED * self.bytes:
            raise DataError(f"{self.path}: {name} {at.shape} is more than its {self.bytes:,} bytes can hold")
        return at

    def numbers(self, name: str, n: int, kinds: str) -> np.ndarray | None:
        dataset = self.find(name, kinds)
        if dataset is not None and dataset.shape != (n,):
            raise DataError(f"{self.path}: {name} {dataset.shape} must be ({n},)")
        return None if dataset is None else dataset[:]

    def texts(self, name: str, n: int | None) -> list[str] | None:
        import h5py

        dataset = self.find(name, "OS")
        if dataset is None:
            return None
        if dataset.ndim != 1 or (n is not None and dataset.shape != (n,)) or not h5py.check_string_dtype(dataset.dtype):
            raise DataError(f"{self.path}: {name} {dataset.shape} must be {n or 'any number of'} texts")
        return [_text(v) for v in dataset[:]]

    def contigs(self) -> Mapping[str, int]:
        names = self.texts("contigs/name", None)
        lengths = self.numbers("contigs/length", len(names), "iu") if names is not None else None
        return {} if lengths is None else dict(zip(names, lengths.tolist(), strict=True))


def _interpreter(text: str) -> Mapping[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {"name": text}
    return found if isinstance(found, dict) and isinstance(found.get("name"), str) else {"name": text}


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
