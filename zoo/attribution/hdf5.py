"""HDF5 of attributions, in the layout that TF-MoDISco reads, and back.

    raw/seq            (N, 4, L) int8       one-hot, A C G T; zeros at N
    shap/seq           (N, 4, L) float32    hypothetical contributions
    projected_shap/seq (N, 4, L) float32    of the base that is there, 0 at the other three
    names, predictions (N,)                 delta too, where the interpreter has it
    coords/chrom, start, end (N,)           0-based half-open; contigs/name, length of the genome; both where known
    attributes                              output, interpreter, kind, centered, and whatever the numbers' origin is

Effects of substitutions become hypothetical by taking out the mean over the four letters: a letter contributes what
it is above the mean of all.  Such a file is centered, and reads back as kind hypothetical.

The layout is that of SHAP files of chrombpnet and bpnet-lite, which `modisco motifs -i` takes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.attribution.kinds import actual
from zoo.attribution.result import Attributed
from zoo.errors import ConfigError, DataError
from zoo.files.tables import atomic_path

if TYPE_CHECKING:
    import h5py

__all__ = ["read_h5", "write_h5"]

CHUNK = 64
_OURS = ("output", "interpreter", "kind", "centered", "kind_of_interpreter")
_LONGEST = 15_000
"""Letters of one attribute, of up to 4 bytes each; HDF5 holds 64 KB in one."""

_MOST_PACKED = 1100
"""A byte of gzip unpacks to at most 1,032; a file that promises more than this is not ours."""


def write_h5(attributed: Attributed, path: str | Path) -> None:
    """Write the datasets above; raises ConfigError for kind contribution, which has nothing hypothetical."""
    import h5py

    if attributed.kind not in ("hypothetical", "effect"):
        raise ConfigError(f"{path} needs what all four letters would contribute, not kind {attributed.kind!r}")
    n, length = attributed.codes.shape
    packed = {
        "compression": "gzip",
        "compression_opts": 4,
        "shuffle": True,
        "chunks": (min(n, max(1, 8192 // length)), 4, length),
    }
    with atomic_path(path) as temporary, h5py.File(temporary, "w") as file:
        raw = file.create_dataset("raw/seq", (n, 4, length), "i1", **packed)
        shap = file.create_dataset("shap/seq", (n, 4, length), "f4", **packed)
        projected = file.create_dataset("projected_shap/seq", (n, 4, length), "f4", **packed)
        for first in range(0, n, CHUNK):
            part = slice(first, min(first + CHUNK, n))
            codes, values = attributed.codes[part], attributed.values[part]
            raw[part] = codes[:, None] == np.arange(4)[:, None]
            shap[part] = values - values.mean(1, keepdims=True) if attributed.kind == "effect" else values
            projected[part] = actual(values, attributed.kind, codes)
        _write_texts(file, "names", attributed.names)
        file["predictions"] = attributed.predictions.astype(np.float32)
        if attributed.delta is not None:
            file["delta"] = attributed.delta.astype(np.float32)
        if attributed.chrom is not None:
            _write_texts(file, "coords/chrom", attributed.chrom)
            file["coords/start"] = attributed.start.astype(np.int64)
            file["coords/end"] = attributed.start.astype(np.int64) + length
            _write_texts(file, "contigs/name", list(attributed.contigs))
            file["contigs/length"] = np.array(list(attributed.contigs.values()), np.int64)
        for key, value in _attributes(attributed).items():
            file.attrs[key] = value


def read_h5(path: str | Path) -> Attributed:
    """An `Attributed` of kind hypothetical from a file of the layout above, whoever wrote it.

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
        said = {k: _text(v) for k, v in self.file.attrs.items()}
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
            said.get("output", ""),
            _interpreter(said.get("interpreter", "")),
            [str(i + 1) for i in range(n)] if names is None else names,
            said.get("centered") == "true",
            None if (delta := self.numbers("delta", n, "f")) is None else delta.astype(np.float32),
            chrom,
            None if start is None else start.astype(np.int64),
            self.contigs(),
            {k: v for k, v in said.items() if k not in _OURS},
        )

    def codes(self, one_hot: np.ndarray, first: int) -> np.ndarray:
        """(n, 4, L) -> (n, L) uint8, 4 at N."""
        bad = ((one_hot != 0) & (one_hot != 1)).any((1, 2)) | (one_hot.sum(1) > 1).any(1)
        if bad.any():
            raise DataError(f"{self.path}: raw/seq is not one-hot in row {first + int(bad.argmax()):,}")
        return np.where(one_hot.any(1), one_hot.argmax(1), 4).astype(np.uint8)

    def need(self, name: str, kinds: str) -> h5py.Dataset:
        found = self.find(name, kinds)
        if found is None:
            raise DataError(f"{self.path} has no dataset {name}: is it a file of attributions?")
        return found

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
        found = self.find(name, kinds)
        if found is not None and found.shape != (n,):
            raise DataError(f"{self.path}: {name} {found.shape} must be ({n},)")
        return None if found is None else found[:]

    def texts(self, name: str, n: int | None) -> list[str] | None:
        found = self.find(name, "OS")
        if found is None:
            return None
        if found.ndim != 1 or (n is not None and found.shape != (n,)) or _string_info(found) is None:
            raise DataError(f"{self.path}: {name} {found.shape} must be {n or 'any number of'} texts")
        return [_text(v) for v in found[:]]

    def contigs(self) -> Mapping[str, int]:
        names = self.texts("contigs/name", None)
        lengths = self.numbers("contigs/length", len(names), "iu") if names is not None else None
        return {} if lengths is None else dict(zip(names, lengths.tolist(), strict=True))


def _string_info(dataset: h5py.Dataset) -> Any:
    import h5py

    return h5py.check_string_dtype(dataset.dtype)


def _attributes(attributed: Attributed) -> dict[str, str]:
    kind, comments = attributed.kind, {k: v for k, v in attributed.comments.items() if k not in _OURS}
    ours = {
        "output": attributed.output,
        "interpreter": json.dumps(dict(attributed.interpreter)),
        "kind": "hypothetical",
        "kind_of_interpreter": kind,
        "centered": "true" if attributed.centered or kind == "effect" else "false",
    }
    return {k: _storable(str(v))[:_LONGEST] for k, v in (comments | ours).items()}


def _interpreter(text: str) -> Mapping[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {"name": text}
    return found if isinstance(found, dict) and isinstance(found.get("name"), str) else {"name": text}


def _write_texts(file: h5py.File, name: str, texts: Sequence[str]) -> None:
    import h5py

    file.create_dataset(name, data=np.array([_storable(t) for t in texts], object), dtype=h5py.string_dtype())


def _storable(text: str) -> str:
    return str(text).replace("\0", " ").encode("utf-8", "replace").decode()


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
