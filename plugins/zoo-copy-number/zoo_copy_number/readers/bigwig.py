"""bigWig: bases with a value, read a few megabases at a time and joined into runs."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import numpy as np

from zoo.data.bigwig import quiet_stderr
from zoo.errors import DataError
from zoo_copy_number.readers.runs import Runs
from zoo_copy_number.readers.sniff import sample_name

_PIECE, _LARGEST_BLOCK = 1 << 22, 1 << 28


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
                with quiet_stderr():
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
            check_structure(file, path.stat().st_size)
            file.seek(0)
            with quiet_stderr():
                reader = pybigtools.open(file)
            yield reader
    except (KeyboardInterrupt, SystemExit, GeneratorExit, DataError):
        raise
    except FileNotFoundError:
        raise DataError(f"{path} does not exist: check the path") from None
    except BaseException as error:
        what = str(error).splitlines()[0][:80] if str(error) else type(error).__name__
        raise DataError(f"{path} cannot be read as bigWig ({what}): it is damaged or cut off, fetch it again") from None


def check_structure(file: BinaryIO, size: int) -> None:
    """Raise ValueError where a block of the file is said to lie outside it or to be larger than it can be.

    The library takes such numbers for what to allocate, and a flipped bit ends the process.
    """
    header = file.read(64)
    order = "<" if header[:4] == b"\x26\xfc\x8f\x88" else ">"
    zooms, tree, _, index, *_, unpacked, _ = struct.unpack(order + "4x2xHQQQ4xQQIQ", header)
    if zooms > 32 or unpacked > _LARGEST_BLOCK:
        raise ValueError("its header holds impossible numbers")
    levels = [struct.unpack(order + "8x8xQ", file.read(24))[0] for _ in range(zooms)]
    file.seek(tree)
    per_node, key, value, contigs = struct.unpack(order + "4xIIIQ", file.read(24))
    if key > 4096 or value != 8 or contigs * (key + value) > size or per_node > 1 << 20:
        raise ValueError("its list of contigs holds impossible numbers")
    for offset in (index, *levels):
        _check_index(file, order, offset + 48, size)


def _check_index(file: BinaryIO, order: str, root: int, size: int) -> None:
    nodes, seen = [root], 0
    while nodes:
        file.seek(nodes.pop())
        leaf, count = struct.unpack(order + "BxH", file.read(4))
        width = 32 if leaf else 24
        items = np.frombuffer(file.read(count * width), np.uint8).reshape(count, width)
        places = items[:, 16:].copy().view(np.dtype("u8").newbyteorder(order)).astype(np.uint64)
        seen += 1
        if leaf and (places[:, 1] > _LARGEST_BLOCK).any():
            raise ValueError("its index holds impossible sizes")
        if (places[:, 0] >= size).any() or seen * 4 > size:
            raise ValueError("its index points outside the file")
        if not leaf:
            nodes += places[:, 0].tolist()
