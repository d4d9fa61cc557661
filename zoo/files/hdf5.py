"""HDF5 files that are whole or not there, also on a full disk and on file systems without locks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from zoo.files.atomic import atomic_path
from zoo.files.patient_file import PatientFile

if TYPE_CHECKING:
    import h5py


@contextmanager
def new_hdf5(path: str | Path) -> Iterator[h5py.File]:
    """A new file, moved onto `path` when the block ends without an error; raises as `atomic_path` does.

    HDF5 that meets a full disk cannot be closed and ends the process; here it only meets it in `PatientFile`.
    """
    import h5py

    with atomic_path(path) as temporary, PatientFile(temporary) as file, h5py.File(file, "w") as opened:
        yield opened
