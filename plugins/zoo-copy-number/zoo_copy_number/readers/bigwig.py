"""bigWig: bases with a value, read a few megabases at a time and joined into runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from zoo.errors import DataError
from zoo_copy_number.readers.runs import Runs
from zoo_copy_number.readers.sniff import sample_name

_PIECE = 1 << 22


def read_bigwig(path: str | Path) -> Runs:
    """Runs of a bigWig, whatever it is called.

    Raises DataError for a file that is missing, cut off or damaged.
    """
    path = Path(path)
    with _open(path) as file:
        sizes = {c: int(n) for c, n in file.chroms().items()}
    return Runs(str(path), _pieces(path, sizes), list(sizes), sample_name(path), "bigwig", sizes=sizes)


def _pieces(path: Path, sizes: Mapping[str, int]) -> Iterator[tuple]:
    with _open(path) as file:
        for code, (name, size) in enumerate(sizes.items()):
            for first in range(0, size, _PIECE):
                values = file.values(name, first, min(first + _PIECE, size), fillna=None)
                start, end = _join(values)
                yield np.full(len(start), code, np.int32), start + first, end + first, values[start]


def _join(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Starts and ends of the stretches of one value, those of NaN left out."""
    cuts = np.flatnonzero((values[1:] != values[:-1]) & ~(np.isnan(values[1:]) & np.isnan(values[:-1]))) + 1
    start, end = np.r_[0, cuts], np.r_[cuts, len(values)]
    known = ~np.isnan(values[start])
    return start[known].astype(np.int64), end[known].astype(np.int64)


@contextmanager
def _open(path: Path) -> Iterator:
    """pybigtools' reader; whatever it raises becomes DataError, a damaged block being a panic of Rust, no Exception."""
    import pybigtools

    try:
        # As a stream: by path, pybigtools goes by the name's end.
        with path.open("rb") as file:
            yield pybigtools.open(file)
    except (KeyboardInterrupt, SystemExit, GeneratorExit, DataError):
        raise
    except FileNotFoundError:
        raise DataError(f"{path} does not exist: check the path") from None
    except BaseException as error:
        what = str(error).splitlines()[0][:80] if str(error) else type(error).__name__
        raise DataError(f"{path} cannot be read as bigWig ({what}): it is damaged or cut off, fetch it again") from None
