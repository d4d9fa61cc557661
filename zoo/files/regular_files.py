"""Reading files that somebody else made: plain files alone, no links, and never more bytes than were announced.

A named pipe waits for ever, a device has no end, and a link leads elsewhere.  Each is an OSError whose `strerror` says
so in words, as of a file that cannot be read.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

_CHUNK = 1 << 20
_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISLNK, "a link, which is not followed"),
)


def open_regular(path: str | Path, follow_links: bool = False) -> BinaryIO:
    """Open a plain file for reading; OSError for anything else, which is not opened.

    follow_links: a link to a plain file will do.
    """
    status = os.stat(path, follow_symlinks=follow_links)
    _refuse(status, path)
    # What takes the file's place meanwhile is opened without waiting, and refused as well.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
    handle = os.open(path, flags if follow_links else flags | getattr(os, "O_NOFOLLOW", 0))
    try:
        _refuse(os.fstat(handle), path)
        return open(handle, "rb")
    except OSError:
        os.close(handle)
        raise


def read_bounded(path: str | Path, most: int, follow_links: bool = False) -> bytes:
    """All bytes of a plain file; OSError where they are more than `most`, of which no more are read."""
    with open_regular(path, follow_links) as file:
        raw = file.read(most + 1)
    if len(raw) > most:
        raise OSError(errno.EFBIG, f"larger than {most:,} bytes", str(path))
    return raw


def copy_bounded(origin: Path, target: Path, size: int) -> None:
    """Copy a plain file of `size` bytes; OSError for one that is longer, of which nothing is left."""
    with open(target, "wb") as file:
        try:
            _pass_on(origin, size, file.write)
        except BaseException:
            target.unlink(missing_ok=True)
            raise


def sha256_of(path: str | Path, size: int) -> str:
    """In hex, of a plain file of `size` bytes; OSError for one that is longer."""
    digest = hashlib.sha256()
    _pass_on(path, size, digest.update)
    return digest.hexdigest()


def _pass_on(path: str | Path, size: int, take: Callable[[bytes], object]) -> None:
    left = size
    with open_regular(path) as file:
        while chunk := file.read(min(_CHUNK, left + 1)):
            if len(chunk) > left:
                raise OSError(errno.EFBIG, f"larger than {size:,} bytes", str(path))
            take(chunk)
            left -= len(chunk)


def _refuse(status: os.stat_result, path: str | Path) -> None:
    if stat.S_ISREG(status.st_mode):
        return
    kind = next((words for is_kind, words in _KINDS if is_kind(status.st_mode)), "of an unknown kind")
    raise OSError(errno.EINVAL, f"it is {kind}, no plain file", str(path))
