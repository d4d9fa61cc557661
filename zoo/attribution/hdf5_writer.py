"""HDF5 of attributions, in the layout that TF-MoDISco reads.

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
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from zoo.attribution.kinds import actual
from zoo.errors import ConfigError
from zoo.files.hdf5 import new_hdf5

if TYPE_CHECKING:
    import h5py

    from zoo.attribution.result import Attributed

CHUNK = 64
OURS = ("output", "interpreter", "kind", "centered", "kind_of_interpreter")
_LONGEST = 15_000
"""Letters of one attribute, of up to 4 bytes each; HDF5 holds 64 KB in one."""


def write_h5(attributed: Attributed, path: str | Path) -> None:
    """Write the datasets above; raises ConfigError for kind contribution, which has nothing hypothetical."""
    if attributed.kind not in ("hypothetical", "effect"):
        raise ConfigError(f"{path} needs what all four letters would contribute, not kind {attributed.kind!r}")
    n, length = attributed.codes.shape
    packed = {
        "compression": "gzip",
        "compression_opts": 4,
        "shuffle": True,
        "chunks": (min(n, max(1, 8192 // length)), 4, length),
    }
    with new_hdf5(path) as file:
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
        if attributed.chrom is not None and attributed.start is not None:
            _write_texts(file, "coords/chrom", attributed.chrom)
            file["coords/start"] = attributed.start.astype(np.int64)
            file["coords/end"] = attributed.start.astype(np.int64) + length
            _write_texts(file, "contigs/name", list(attributed.contigs))
            file["contigs/length"] = np.array(list(attributed.contigs.values()), np.int64)
        for key, value in _attributes(attributed).items():
            file.attrs[key] = value


def _attributes(attributed: Attributed) -> dict[str, str]:
    kind, comments = attributed.kind, {k: v for k, v in attributed.comments.items() if k not in OURS}
    ours = {
        "output": attributed.output,
        "interpreter": json.dumps(dict(attributed.interpreter)),
        "kind": "hypothetical",
        "kind_of_interpreter": kind,
        "centered": "true" if attributed.centered or kind == "effect" else "false",
    }
    return {k: _storable(str(v))[:_LONGEST] for k, v in (comments | ours).items()}


def _write_texts(file: h5py.File, name: str, texts: Sequence[str]) -> None:
    import h5py

    file.create_dataset(name, data=np.array([_storable(t) for t in texts], object), dtype=h5py.string_dtype())


def _storable(text: str) -> str:
    return str(text).replace("\0", " ").encode("utf-8", "replace").decode()
