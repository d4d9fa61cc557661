"""Atomic writes: a folder or file is written beside its name, then renamed."""

from __future__ import annotations

import errno
import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from zoo.errors import HubError


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
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return HubError(f"no space is left to write {path}: free some, nothing was changed")
    return HubError(f"{path} cannot be written ({error.strerror or error}): nothing was changed")
