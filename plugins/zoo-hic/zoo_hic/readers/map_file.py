"""`MapFile`: a file at one resolution, whatever its format; which format and resolution are meant; errors of readers.

cool.open_cool(path)  ┐
hic.open_hic(path)    ┘ -> MapFile -> sizes, weights("KR"), upper("chr1") -> readers.read_map
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import accumulate
from numbers import Integral
from pathlib import Path

import numpy as np
from scipy.sparse import csr_array

from zoo.errors import ConfigError, DataError

_HDF5, _HIC = b"\x89HDF\r\n\x1a\n", b"HIC\x00"

MOST_CONTIGS = 200_000
MOST_BINS = 50_000_000
"""The human genome in bins of 100 bp has 31 million."""

MOST_PIXELS = 600_000_000
"""Contacts of one contig: 7 GB as they are kept."""

Triplets = tuple[np.ndarray, np.ndarray, np.ndarray]


@dataclass(frozen=True)
class MapFile(ABC):
    """One map in a file, at one resolution.

    path: the file.  reader: library and version.  format: cool, mcool or hic.
    sizes: bp by contig, in the file's order.  resolution: bp.
    balances: names of the balance weights that it holds.
    assembly: as the file names it, or "unknown".
    """

    path: Path
    reader: str
    format: str
    sizes: Mapping[str, int]
    resolution: int
    balances: tuple[str, ...]
    assembly: str = "unknown"

    @abstractmethod
    def weights(self, name: str) -> tuple[np.ndarray, str]:
        """Multiplicative weights of all bins, (sum of bins,) float64, and a note where their direction was measured."""

    @abstractmethod
    def cis(self, contig: str) -> Triplets:
        """Row, column (bins within the contig) and raw count of the pixels of one contig: three of (P,)."""

    def upper(self, contig: str) -> csr_array:
        """Raw counts (n, n) float32 of one contig, upper triangle with diagonal.

        Raises DataError for pixels outside it or below the diagonal, that come twice, or that are negative or not
        finite.
        """
        row, column, count = self.cis(contig)
        where, n = f"contig {contig} of {self.path}", self.bins(contig)
        if len(count) > MOST_PIXELS:
            raise DataError(f"{where} has {len(count):,} contacts, at most {MOST_PIXELS:,}: use a coarser resolution")
        if len(count) and (min(row.min(), column.min()) < 0 or max(row.max(), column.max()) >= n):
            raise DataError(f"{where} has contacts outside its {n:,} bins: the file is damaged, fetch it again")
        if (row > column).any():
            raise DataError(f"{where} has contacts below the diagonal: load it again with `cooler load`")
        if not np.isfinite(count).all() or (count < 0).any():
            raise DataError(
                f"{where} has values below 0 or not finite, which are no contacts (log ratios, or a prediction?): "
                "give the map of raw counts"
            )
        upper = csr_array((count.astype(np.float32), (row, column)), shape=(n, n))
        upper.sum_duplicates()
        if upper.nnz != len(count):
            raise DataError(f"{where} holds the same contact twice: load it again with `cooler load`")
        return upper

    def first_bins(self) -> dict[str, int]:
        """Where each contig's bins begin among all bins."""
        firsts = accumulate((self.bins(c) for c in self.sizes), initial=0)
        return dict(zip(self.sizes, firsts, strict=False))

    def bins(self, contig: str) -> int:
        """Number of bins of one contig."""
        return -(-self.sizes[contig] // self.resolution)


def check_size(path: Path, sizes: Mapping[str, int], resolution: int) -> None:
    """DataError for contigs or bins that no map has, or too many to hold."""
    if not sizes:
        raise DataError(f"{path} names no contig: fetch it again")
    if len(sizes) > MOST_CONTIGS:
        raise DataError(f"{path} has {len(sizes):,} contigs, at most {MOST_CONTIGS:,}: leave small scaffolds out of it")
    if resolution < 1 or any(s < 1 for s in sizes.values()):
        raise DataError(f"{path} has bins or contigs of less than 1 bp: it is damaged, fetch it again")
    n = sum(-(-s // resolution) for s in sizes.values())
    if n > MOST_BINS:
        raise DataError(f"{path} has {n:,} bins of {resolution:,} bp, at most {MOST_BINS:,}: use a coarser resolution")


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


def fetch_cis(file, contig: str, size: int) -> Triplets:
    """`MapFile.cis` of an open file of hictkpy."""
    pixels = file.fetch(f"{contig}\t0\t{size}", query_type="BED", count_type="float64").to_coo()
    return pixels.row, pixels.col, pixels.data


@contextmanager
def readable(path: str | Path) -> Iterator[None]:
    """Whatever hictk, h5py and cooler raise for a damaged file becomes one DataError."""
    try:
        yield
    except DataError:
        raise
    except (OSError, RuntimeError, KeyError, ValueError, IndexError, TypeError, OverflowError, MemoryError) as error:
        if not Path(path).exists():
            raise DataError(f"{path} does not exist: check the path") from None
        why = " ".join(str(error).split())[:100]
        raise DataError(f"{path} cannot be read ({why}): it is cut off or damaged, fetch it again") from error
