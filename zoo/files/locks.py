"""Locks between processes, by flock: a crash releases them, and where a file system has none, work goes on without."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

_HELD = {errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES}


class Held(Exception):
    """Another process holds the lock."""


@contextmanager
def lock(path: Path, wait: bool = True) -> Iterator[bool]:
    """Hold the lock of a file, which is made; False where there are no locks, as on some network file systems.

    wait: until another process lets go; else Held is raised.
    """
    with path.open("a") as file:
        yield _flock(file, wait)


def _flock(file: IO, wait: bool) -> bool:
    try:
        import fcntl
    except ImportError:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if not wait and error.errno in _HELD:
            raise Held(str(file.name)) from error
        return False
    return True
