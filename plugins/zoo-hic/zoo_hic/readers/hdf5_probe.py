"""A damaged HDF5 file can keep the HDF5 library in a loop that nothing in the process ends: another one looks first.

path -> a process with h5py alone reads names and attributes -> in time, or DataError
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from zoo.errors import DataError

SECONDS = 30
"""Reading names and attributes takes a fraction of one; the rest is for a machine that is busy."""

_PROGRAM = """
import sys
import h5py

with h5py.File(sys.argv[1], "r") as file:
    groups = [file, *(file["resolutions"].values() if "resolutions" in file else ())]
    for group in groups[:1000]:
        bins = group.get("bins")
        for item in (group, *(bins.values() if bins is not None else ())):
            dict(item.attrs)
"""


def probe(path: Path) -> None:
    """Raises DataError where another process does not come to the end of the file's names and attributes in time."""
    command = [sys.executable, "-P", "-c", _PROGRAM, str(path)]  # -P: no h5py.py of the working folder
    try:
        subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise DataError(
            f"{path} cannot be read (the HDF5 library does not come back from it in {SECONDS} s): it is damaged, "
            "fetch it again"
        ) from None
