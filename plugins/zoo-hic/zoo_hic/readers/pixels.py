"""`CisPixels`: {contig: upper triangle}, read and checked at first access."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from scipy.sparse import csr_array

from zoo.errors import DataError, GenomeMismatch
from zoo_hic.readers.map_file import MapFile

MOST_PIXELS = 600_000_000
"""Contacts of one contig: 7 GB as they are kept."""


class CisPixels(Mapping[str, csr_array]):
    """Raw counts (n, n) float32 by contig, upper triangle with diagonal; kept once they are read.

    names: {name here: contig in the file}.

    Raises DataError, when a contig is read, for pixels outside it or below the diagonal, that come twice, or that are
    negative or not finite.
    """

    def __init__(self, file: MapFile, names: Mapping[str, str]):
        self._file, self._names = file, dict(names)
        self._read: dict[str, csr_array] = {}

    def __repr__(self) -> str:
        return f"CisPixels({self._file.path.name!r}, {len(self):,} contigs)"

    def __getstate__(self):
        return {"_file": self._file, "_names": self._names, "_read": {}}

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __getitem__(self, name: str) -> csr_array:
        if name not in self._names:
            raise GenomeMismatch(f"{self._file.path} has no contacts of {name!r}: choose one of its contigs")
        if name not in self._read:
            self._read[name] = self._upper(self._names[name])
        return self._read[name]

    def _upper(self, contig: str) -> csr_array:
        row, column, count = self._file.cis(contig)
        where, n = f"contig {contig} of {self._file.path}", self._file.bins(contig)
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
