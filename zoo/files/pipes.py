"""Pipes and standard input as ordinary files: what comes out of them is read once, into a temporary file.

`-`, /dev/stdin, <(zcat calls.vcf.gz), a named pipe -> `seekable` -> a file that can be opened again and again
"""

from __future__ import annotations

import io
import os
import shutil
import stat
import sys
import tempfile
import weakref
from pathlib import Path
from typing import BinaryIO

from zoo.errors import DataError
from zoo.files.atomic import reason_of_full_disk

LARGEST = 1 << 36
"""Bytes that are taken from one pipe at most."""
_PART_OF_THE_ROOM = 0.9
_PIECE = 1 << 20
_ADVICE = "save it as a file first, or point TMPDIR to a larger folder"
_taken: set[tuple[int, int]] = set()
"""(device, inode) of the pipes that this process has read: they give their bytes once."""
_names: dict[str, str] = {}


class Seekable:
    """A file that can be read more than once; the copy of a pipe is deleted with the last reference to it.

    path: of the ordinary file.  name: how its user calls it.  piped: whether it is the copy of a pipe.
    """

    def __init__(self, path: Path, name: str, piped: bool = False):
        self.path, self.name, self.piped = path, name, piped
        if piped:
            weakref.finalize(self, shutil.rmtree, path.parent, ignore_errors=True)

    def __reduce__(self):
        return _Borrowed, (self.path, self.name, self.piped)


class _Borrowed(Seekable):
    """The same in another process, which does not delete the file."""

    def __init__(self, path: Path, name: str, piped: bool):
        self.path, self.name, self.piped = path, name, piped


def is_pipe(path: str | Path) -> bool:
    """Whether a path is standard input (`-`), a pipe, or whatever else gives its bytes once."""
    if str(path) == "-":
        return True
    try:
        mode = os.stat(path).st_mode
    except (OSError, ValueError):
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode) or stat.S_ISBLK(mode))


def refuse_pipe(path: str | Path, what: str = "it") -> None:
    """Raise DataError for a pipe; what: has to be read more than once."""
    if is_pipe(path):
        kind = "a pipe" if _gives_bytes(path) else "a device"
        raise DataError(f"{_name(path)} is {kind}, but {what} is read more than once: save it as a file first")


def seekable(path: str | Path) -> Seekable:
    """An ordinary file as it stands; of a pipe, a temporary file with all that comes out of it.

    Raises DataError for a terminal or another device, for a pipe that was read before, and where there is no room.
    """
    if not is_pipe(path):
        return Seekable(Path(path), str(path))
    name = _name(path)
    if not _gives_bytes(path):
        raise DataError(f"{name} is a device, neither a file nor a pipe: name a file")
    try:
        if str(path) != "-":
            with open(path, "rb") as source:
                return _copy(source, name)
        source = getattr(sys.stdin, "buffer", None)
        if source is None or source.closed:
            raise DataError("- is standard input, which is closed: pipe a file into it, or name one")
        if source.isatty():
            raise DataError("- is standard input, a terminal here: pipe a file into it, or name one")
        return _copy(source, name)
    except OSError as error:
        if reason_of_full_disk(error):
            raise DataError(
                f"no room is left in {tempfile.gettempdir()} for what comes out of {name}: {_ADVICE}"
            ) from error
        raise DataError(f"{name} cannot be read ({error.strerror or error}): save it as a file first") from error


def with_names(text: str) -> str:
    """A text in which the copies of pipes have the names that the user knows."""
    for path, name in _names.items():
        text = text.replace(path, name)
    return text


def _copy(source: BinaryIO, name: str) -> Seekable:
    try:
        status = os.fstat(source.fileno())
        key = status.st_dev, status.st_ino
    except (OSError, io.UnsupportedOperation):
        key = None
    if key in _taken:
        raise DataError(f"{name} is a pipe that was read before, and gives its bytes once: save it as a file first")
    if key is not None:
        _taken.add(key)
    folder = Path(tempfile.mkdtemp(prefix="zoo-"))
    path = folder / ("standard-input" if name == "standard input" else f"pipe-{Path(name).name}")
    copied = Seekable(path, name, piped=True)
    most = min(LARGEST, int(_PART_OF_THE_ROOM * shutil.disk_usage(folder).free))
    with path.open("wb") as out:
        while piece := source.read(_PIECE):
            if out.tell() + len(piece) > most:
                raise DataError(f"{name} gives more than {most:,} bytes, what {folder.parent} has room for: {_ADVICE}")
            out.write(piece)
    _names[str(path)] = name
    return copied


def _gives_bytes(path: str | Path) -> bool:
    return str(path) == "-" or stat.S_ISFIFO(os.stat(path).st_mode)


def _name(path: str | Path) -> str:
    return "standard input" if str(path) == "-" else str(path)
