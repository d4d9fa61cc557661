"""`MapFile`: a file at one resolution, whatever its format; `readable`: its errors in one sentence.

cool.open_cool(path)  ┐
hic.open_hic(path)    ┘ -> Opened -> sizes, weights("KR"), cis("chr1") -> readers.read_map
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

import numpy as np

from zoo.errors import DataError

MOST_CONTIGS = 200_000
MOST_BINS = 50_000_000
"""The human genome in bins of 100 bp has 31 million."""

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
    def weights(self, name: str) -> np.ndarray:
        """Multiplicative weights of all bins, (sum of bins,) float64."""

    @abstractmethod
    def cis(self, contig: str) -> Triplets:
        """Row, column (bins within the contig) and raw count of the pixels of one contig: three of (P,)."""

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
