"""bigWig: one number a base, written and then looked at, because the library is silent about a write that failed.

write_bigwig("mean.bw", {"chr2": 5000, "chr10": 4000}, [("chr2", 1000, values), ("chr10", 7, others)])
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import chain, islice
from pathlib import Path

import numpy as np

from zoo.errors import DataError
from zoo.files.atomic import atomic_path


def write_bigwig(path: str | Path, contigs: Mapping[str, int], runs: Iterable[tuple[str, int, np.ndarray]]) -> int:
    """Write records of 1 bp; returns how many bases have one.

    contigs: bp of each.  runs: (chrom, 0-based start, values (W,)) by contig in one order, then by start, without
    overlap; a base whose value is NaN has no record.

    Raises DataError for an infinite value, where there is no value at all, and where the file did not take every
    base: beyond the end of a contig, or no room on the disk.
    """
    import pybigtools

    counted = _Records(path, runs)
    records = iter(counted)
    first = list(islice(records, 1))
    counted.check()
    if not first:
        raise DataError(f"{path} would be empty, which bigWig cannot be: no base has a value")
    with atomic_path(path) as temporary:
        # pybigtools goes by the name's end, and says nothing of a write that failed.
        named = temporary.with_name(f"{temporary.name}.bw")
        try:
            with quiet_stderr(), _no_panic():
                pybigtools.open(str(named), "w").write(dict(contigs), chain(first, records))
            counted.check()
            with quiet_stderr():
                covered = _covered(named)
            if covered != counted.bases:
                raise DataError(f"{path} did not take its {counted.bases:,} bases: free some room on the disk")
            named.replace(temporary)
        finally:
            named.unlink(missing_ok=True)
    return counted.bases


@contextmanager
def quiet_stderr() -> Iterator[None]:
    """pybigtools prints a stack on a full disk, which is found out and told afterwards."""
    kept, null = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(null)


@contextmanager
def _no_panic() -> Iterator[None]:
    """On a full disk pybigtools panics, or not; what the file holds is looked at afterwards."""
    try:
        yield
    except BaseException as error:
        if type(error).__name__ != "PanicException":
            raise


class _Records:
    """(chrom, start, end, value) of every base; pybigtools swallows an error in what it iterates, so it waits here."""

    def __init__(self, path: str | Path, runs: Iterable[tuple[str, int, np.ndarray]]):
        self.path, self.runs, self.bases, self.error = path, runs, 0, None

    def __iter__(self) -> Iterator[tuple[str, int, int, float]]:
        try:
            for chrom, start, values in self.runs:
                if np.isinf(values).any():
                    raise DataError(f"{self.path} would hold an infinite value on {chrom}: leave that window out")
                columns = np.flatnonzero(~np.isnan(values))
                self.bases += len(columns)
                for at, value in zip((start + columns).tolist(), values[columns].tolist(), strict=True):
                    yield chrom, at, at + 1, value
        except Exception as error:
            self.error = error

    def check(self) -> None:
        if self.error is not None:
            raise self.error


def _covered(path: Path) -> int:
    """Bases with a value; 0 in a file that cannot be read."""
    import pybigtools

    try:
        return pybigtools.open(str(path)).info()["summary"]["basesCovered"]
    except Exception:  # pybigtools raises its own BBIReadError, OSError and ValueError
        return 0
