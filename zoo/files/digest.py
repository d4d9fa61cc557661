"""BLAKE2b of what a file holds, by which a changed one is told apart whatever its size and time say."""

from __future__ import annotations

import hashlib
from pathlib import Path

from zoo.errors import DataError
from zoo.terminal.progress import counting

_BIG = 2_000_000_000
_CHUNK = 1 << 20


def file_digest(path: str | Path) -> str:
    """32 hexadecimal digits of all bytes, at about 1 GB/s; a bar is seen for a file of more than 2 GB.

    Raises DataError for a file that cannot be read.
    """
    path = Path(path)
    digest, buffer = hashlib.blake2b(digest_size=16), bytearray(_CHUNK)
    view = memoryview(buffer)
    try:
        size = path.stat().st_size
        bar = counting(size, label=f"reading {path.name}, to know it again", unit="bytes", enabled=size > _BIG)
        with path.open("rb", buffering=0) as file, bar as advance:
            while n := file.readinto(buffer):
                digest.update(view[:n])
                advance(n)
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror or error}): check the path") from error
    return digest.hexdigest()
