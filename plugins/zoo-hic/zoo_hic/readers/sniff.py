"""Which format a file holds, by its first bytes, and which resolution of several is meant.

map.mcool                      -> ("map.mcool", None)       all resolutions: one has to be chosen
map.mcool::/resolutions/10000  -> ("map.mcool", "/resolutions/10000")
"""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral
from pathlib import Path

from zoo.errors import ConfigError, DataError

_HDF5, _HIC = b"\x89HDF\r\n\x1a\n", b"HIC\x00"


def split_group(path: str | Path) -> tuple[Path, str | None]:
    """A cooler URI as file and group."""
    file, _, group = str(path).partition("::")
    return Path(file).expanduser(), (f"/{group.strip('/')}" if group else None)


def is_hdf5(path: Path) -> bool:
    """True for HDF5 (.cool, .mcool), False for .hic; DataError for anything else."""
    try:
        with path.open("rb") as file:
            head = file.read(8)
    except OSError as error:
        raise DataError(f"{path} cannot be opened ({error.strerror}): check the path") from error
    if head == _HDF5:
        return True
    if head.startswith(_HIC):
        return False
    raise DataError(f"{path} is none of .cool, .mcool and .hic, by its first bytes: give a contact map in one of them")


def choose(path: Path, available: Sequence[int], resolution: int | None) -> tuple[int, int]:
    """(resolution to read, factor to coarsen it by) for a resolution in bp, or None.

    The file's own where it has it; else the coarsest one of which it is a whole multiple.  ConfigError where several
    are there and `resolution` is None, DataError where none divides it.
    """
    available = sorted(set(available))
    if not available:
        raise DataError(f"{path} holds no resolution in bp: fetch it again")
    listed = ", ".join(f"{r:,}" for r in available[:20])
    if resolution is None:
        if len(available) == 1:
            return available[0], 1
        raise ConfigError(f"{path} has resolutions of {listed} bp: choose one, such as resolution={available[0]}")
    if isinstance(resolution, bool) or not isinstance(resolution, Integral) or resolution < 1:
        raise ConfigError(f"resolution {resolution!r} must be a whole number of bp: {path} has {listed}")
    resolution = int(resolution)
    if resolution in available:
        return resolution, 1
    dividing = [r for r in available if resolution % r == 0]
    if not dividing:
        raise DataError(
            f"{path} has no bins of {resolution:,} bp, nor any that divide it, only {listed}: choose one, or a multiple"
        )
    return dividing[-1], resolution // dividing[-1]
