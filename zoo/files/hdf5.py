"""HDF5 files that are whole or not there, also on a full disk and on file systems without locks."""

from __future__ import annotations

import weakref
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


@contextmanager
def hdf5_by_name(path: str | Path) -> Iterator[str]:
    """The same for libraries that open the file themselves, by the name that is given out."""
    import h5py

    opened: list[weakref.ref[h5py.File]] = []
    with atomic_path(path) as temporary, PatientFile(temporary) as file:

        class File(h5py.File):
            """What such a library calls: it would take a name alone."""

            def __init__(self, name, mode="r", *arguments, **options):
                if str(name) == str(temporary) and file.error is not None:
                    raise file.error
                super().__init__(file if str(name) == str(temporary) else name, mode, *arguments, **options)
                opened.append(weakref.ref(self))

        usual, h5py.File = h5py.File, File
        try:
            yield str(temporary)
        finally:
            h5py.File = usual
            for left in filter(None, (one() for one in opened)):  # an error may have left it open
                left.close()
