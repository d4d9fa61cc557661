"""Which file of weights is read how, within bounds: by its content, not by its name.

FILE -> read_weights -> WeightFile          FOLDER -> weight_files -> [FILE, ...]
"""

from __future__ import annotations

import errno
import os
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from zoo.errors import ZooError
from zoo.files.regular_files import open_regular, sha256_of
from zoo.importing.weight_file import WeightFile

LARGEST = 1 << 32
"""Bytes of a file of weights, and of what it unpacks to."""
ENDINGS = (".h5", ".hdf5", ".pt", ".pth", ".torch", ".ckpt", ".safetensors", ".npz")
"""Files of a folder that are read."""
_MOST_FILES = 100
_HDF5, _ZIP = b"\x89HDF\r\n\x1a\n", b"PK\x03\x04"


def weight_files(paths: Sequence[str | Path]) -> list[Path]:
    """Files as they are named; of a folder all that have the ending of a file of weights, sorted by name.

    Raises ZooError for a folder without one, and for more files than an ensemble has.
    """
    files: list[Path] = []
    for path in map(Path, paths):
        if path.is_dir():
            inside = sorted(p for p in path.iterdir() if _is_weights(p))
            if not inside:
                raise ZooError(f"{path} holds no file of weights ({' '.join(ENDINGS)}): name the file")
            files += inside
        else:
            files.append(path)
    if not 1 <= len(files) <= _MOST_FILES:
        raise ZooError(f"{len(files)} files of weights are not 1 to {_MOST_FILES}: name those of one model")
    return files


def _is_weights(path: Path) -> bool:
    """Pangolin's weights end in .v2, so any file that begins as one of torch.save counts."""
    if not path.is_file() or path.name.startswith("."):
        return False
    return path.suffix in ENDINGS or _first_bytes(path).startswith(_ZIP)


def read_weights(path: str | Path, classes: Sequence[str] = (), most: int = LARGEST) -> WeightFile:
    """The tensors of one file; nothing in it is run.

    classes: prefixes of the class names that a file of torch.save(model) may hold (see zoo/importing/torch_file.py).
    most: bytes of the file, and of its tensors.
    Raises ZooError, in one sentence, for a file that is not there, damaged, too large, of another format, or code.
    """
    path = Path(path)
    first = _first_bytes(path)
    size = os.path.getsize(path)
    if size > most:
        raise ZooError(f"{path} has {size:,} bytes, more than the {most:,} that are read")
    if size == 0:
        raise ZooError(f"{path} is empty: copy it again")
    digest = sha256_of(os.path.realpath(path), size)
    writer, tensors, settings = _read(path, first, classes, most)
    if not tensors:
        raise ZooError(f"{path} holds no tensor: name the file of the weights")
    if sum(x.numel() * x.element_size() for x in tensors.values()) > most:
        raise ZooError(f"{path} holds tensors of more than the {most:,} bytes that are read")
    return WeightFile(path, writer, tensors, settings, digest, size)


def _read(path: Path, first: bytes, classes: Sequence[str], most: int) -> tuple[str, dict[str, Any], dict[str, Any]]:
    if first.startswith(_HDF5):
        from zoo.importing.keras_file import read_keras

        arrays, settings = read_keras(path, most)
        return "keras", _tensors(arrays, path), settings
    if path.suffix == ".safetensors":
        from zoo.hub.tensors import read_metadata, read_tensors

        return "plain", read_tensors(path), dict(read_metadata(path))
    if path.suffix == ".npz":
        return "plain", _tensors(read_npz(path, most), path), {}
    if path.suffix in (".h5", ".hdf5"):
        raise ZooError(f"{path} is no HDF5 file, or its beginning is lost: copy it again")
    if path.suffix == ".keras":
        raise ZooError(f"{path} is an archive of Keras 3: save the model as .h5, model.save('model.h5')")
    from zoo.importing.torch_file import read_torch

    tensors, settings = read_torch(path, classes, most)
    return "torch", tensors, settings


def read_npz(path: str | Path, most: int = LARGEST) -> dict[str, Any]:
    """{name: array} of a file of numpy.savez, without pickle, its size looked at before it is unpacked."""
    import numpy as np

    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
        if size > most:
            raise ZooError(f"{path} unpacks to {size:,} bytes, more than the {most:,} that are read")
        with np.load(path, allow_pickle=False) as arrays:
            return {name: arrays[name] for name in arrays.files}
    except (ValueError, OSError, zipfile.BadZipFile, EOFError, KeyError) as error:
        if "allow_pickle" in str(error):
            raise ZooError(f"{path} holds pickled objects, which are not read: save plain numbers") from error
        raise ZooError(f"{path} is no readable file of numpy.savez ({error}): copy it again") from error


def _tensors(arrays: Mapping[str, Any], path: Path) -> dict[str, Any]:
    import numpy as np
    import torch

    for name, array in arrays.items():
        if array.dtype.kind not in "fiub":
            raise ZooError(f"{path}: {name!r} holds {array.dtype}, no plain numbers: save the weights alone")
    return {
        name: torch.from_numpy(np.array(array, order="C", dtype=_plain(array.dtype))) for name, array in arrays.items()
    }


def _plain(dtype: Any) -> Any:
    """The machine's own byte order, and signed where torch knows no unsigned type."""
    import numpy as np

    return {"f": np.dtype(f"f{dtype.itemsize}"), "b": np.dtype(bool)}.get(dtype.kind, np.dtype("i8"))


def _first_bytes(path: Path) -> bytes:
    try:
        with open_regular(path, follow_links=True) as file:
            return file.read(8)
    except FileNotFoundError as error:
        raise ZooError(f"there is no file {path}: check the path") from error
    except OSError as error:
        reason = "it is a folder" if error.errno == errno.EISDIR else error.strerror
        raise ZooError(f"{path} cannot be read ({reason}): name a file of weights") from error
