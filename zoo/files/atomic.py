"""Atomic writes: a file or folder is written beside its name, then renamed; a full disk is one sentence.

path -> .NAME.WRITER-RANDOM.part -> path      there is the old file, or the whole new one, never half of one
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import secrets
import shutil
import socket
import stat
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from zoo.errors import DataError, HubError, ZooError

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_FULL_WORDS = ("No space left on device", "Disk quota exceeded", "File too large")
_LEFTOVER = re.compile(r"\..*\.(?P<machine>[0-9a-f]{8})-(?P<process>[0-9]+)-[0-9a-f]{8}\.part.*", re.DOTALL)
_LONGEST_PREFIX = 50
"""Letters of a name that its temporary one repeats; file systems take 255 bytes."""


class NoRoom(DataError):
    """The disk is full; whoever knows a better remedy says it in place of this sentence."""


@contextmanager
def atomic_path(path: str | Path, remedy: str = "free some and run it again") -> Iterator[Path]:
    """A temporary path beside `path`, moved onto it when the block ends without an error, else deleted.

    A symbolic link is followed.  A device or a named pipe, as in /dev/stdout, gets the whole file at the end.

    Raises DataError where the folder is missing or cannot be written to, where `path` is a folder, and with `remedy`
    where the disk is full.
    """
    path = Path(path)
    check_place(path)
    device = _is_device(path)
    target = path if device else Path(os.path.realpath(path))
    temporary = _new_file(path, Path(tempfile.gettempdir()) if device else target.parent)
    try:
        with full_disk(path, remedy):
            yield temporary
            if device:
                with temporary.open("rb") as whole, path.open("wb", buffering=0) as out:
                    shutil.copyfileobj(whole, out)
            else:
                _to_disk(temporary)  # Some file systems tell only now that they are full.
                _rename(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)


def check_place(path: str | Path) -> None:
    """Raises DataError where no file can be written under this name: before hours of work, not after."""
    path = Path(path)
    if path.is_dir() or not path.name:
        raise DataError(f"{path} is a folder: name a file in it")
    if not path.parent.is_dir():
        raise DataError(f"folder {path.parent} for {path.name} does not exist: create it or choose another path")
    if not _is_device(path) and not os.access(Path(os.path.realpath(path)).parent, os.W_OK):
        raise DataError(f"folder {path.parent} for {path.name} cannot be written to: choose another path")


def sweep(path: str | Path) -> None:
    """Delete what a run that was killed left of writing `path`: temporary files of processes that are gone."""
    folder, prefix = Path(os.path.realpath(path)).parent, f".{Path(path).name[:_LONGEST_PREFIX]}."
    with suppress(OSError), os.scandir(folder) as entries:
        for name in [entry.name for entry in entries if entry.name.startswith(prefix)]:
            leftover = _LEFTOVER.fullmatch(name)
            if leftover and leftover["machine"] == _machine() and not _runs(int(leftover["process"])):
                (folder / name).unlink(missing_ok=True)


@contextmanager
def full_disk(path: str | Path, remedy: str = "free some and run it again") -> Iterator[None]:
    """A full disk, whichever library meets it, is one sentence."""
    try:
        yield
    except Exception as error:
        reason = reason_of_full_disk(error)
        if reason is None or (isinstance(error, ZooError) and not isinstance(error, NoRoom)):
            raise
        raise NoRoom(f"no room is left for {path} ({reason}): {remedy}") from error


def reason_of_full_disk(error: BaseException | None) -> str | None:
    """What the system said, where an error comes of a full disk, a quota or a limit on the size of files."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in _FULL:
            return os.strerror(error.errno)
        for words in _FULL_WORDS:
            if words in str(error):
                return words
        error = error.__cause__ or error.__context__
    return None


def _is_device(path: Path) -> bool:
    """Whether a name stands for something that takes bytes and cannot be replaced by a file."""
    if re.match(r"/dev/(stdout|stderr|fd/)|/proc/", str(path)):
        return path.exists()
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def _new_file(path: Path, folder: Path) -> Path:
    """An empty file with the permissions that the umask gives."""
    name = f".{path.name[:_LONGEST_PREFIX]}.{_machine()}-{os.getpid()}-{secrets.token_hex(4)}.part"
    try:
        os.close(os.open(folder / name, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
    except OSError as error:
        raise DataError(f"{path} cannot be written ({error.strerror}): choose another path") from error
    return folder / name


def _rename(temporary: Path, target: Path) -> None:
    try:
        os.replace(temporary, target)
    except OSError as error:
        if error.errno in _FULL:
            raise
        raise DataError(f"{target} cannot be written ({error.strerror}): choose another path") from error


def _to_disk(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno in _FULL or error.errno == errno.EIO:
            raise
    finally:
        os.close(handle)


def _machine() -> str:
    """This machine, or this container on it: where a process number means one process."""
    try:
        space = os.readlink("/proc/self/ns/pid")
    except OSError:
        space = ""
    return hashlib.blake2b(f"{socket.gethostname()} {space}".encode(), digest_size=4).hexdigest()


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True


@contextmanager
def replace_folder(folder: Path, is_ours: Callable[[Path], bool]) -> Iterator[Path]:
    """A temporary folder beside `folder` that takes its name when the block ends without an error.

    is_ours: says whether an existing folder may be replaced; any other that is not empty is a HubError.
    """
    if folder.exists() and not (folder.is_dir() and (is_ours(folder) or not any(folder.iterdir()))):
        raise HubError(f"{folder} exists and is no model folder: remove it or choose another name")
    with _beside(folder) as temporary:
        yield temporary
        aside = _temporary_name(folder)
        try:
            os.rename(folder, aside)
        except FileNotFoundError:
            os.rename(temporary, folder)
            return
        try:
            os.rename(temporary, folder)
        except BaseException:
            os.rename(aside, folder)
            raise
        shutil.rmtree(aside, ignore_errors=True)


@contextmanager
def new_folder(folder: Path) -> Iterator[Path]:
    """As `replace_folder`, for a name that never changes once it is there: the first writer wins."""
    with _beside(folder) as temporary:
        yield temporary
        try:
            os.rename(temporary, folder)
        except OSError:
            if not folder.is_dir():
                raise


def write_file(path: Path, text: str) -> None:
    """Replace a small text file at once, so that a reader sees the old or the new one."""
    temporary = _temporary_name(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(text, encoding="utf-8")
        os.replace(temporary, path)
    except OSError as error:
        raise sentence(error, path) from error
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def _beside(folder: Path) -> Iterator[Path]:
    temporary = _temporary_name(folder)
    try:
        temporary.mkdir(parents=True)
        yield temporary
    except OSError as error:
        raise sentence(error, folder) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _temporary_name(path: Path) -> Path:
    return path.with_name(f".{path.name}.{uuid.uuid4().hex[:12]}.tmp")


def sentence(error: OSError, path: Path) -> HubError:
    """What to tell the user of a write that failed."""
    if error.errno in _FULL:
        return HubError(f"no space is left to write {path}: free some, nothing was changed")
    return HubError(f"{path} cannot be written ({error.strerror or error}): nothing was changed")
