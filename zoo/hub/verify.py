"""Are the files of a model folder the bytes that were published?  Size and sha256 of each against its manifest.

manifest.json -> entries (path, size, sha256) -> every file compared, nothing else there -> revision
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from zoo.errors import HubError
from zoo.files.regular_files import sha256_of
from zoo.hub.manifest import MANIFEST, read, revision_of


def verify_files(folder: Path, remedy: str = "fetch or publish the model again") -> str:
    """Compare every file with the manifest, and return the revision.

    Raises HubError, ending in `remedy`, for a file that is missing, of another size or content, a link, or
    not listed.  Names that begin with a dot are not read and not minded.
    """
    folder = Path(folder)
    entries = read(folder)
    for entry in entries:
        status, path = _status(folder, entry.path, remedy), folder / entry.path
        if status.st_size != entry.size:
            raise HubError(f"{path} has {status.st_size:,} bytes instead of {entry.size:,}: {remedy}")
        try:
            digest = sha256_of(path, entry.size)
        except OSError as error:
            raise HubError(f"{path} cannot be read ({error.strerror}): {remedy}") from error
        if digest != entry.sha256:
            raise HubError(f"{path} does not have the sha256 that its manifest gives: {remedy}")
    listed = {MANIFEST, *(e.path for e in entries)}
    for path in _present(folder):
        if path not in listed:
            raise HubError(f"{folder} holds {path!r}, which its manifest does not list: remove it, or {remedy}")
    return revision_of(folder)


def file_stamps(folder: Path) -> dict[str, tuple[int, ...]]:
    """What changes on the disk when the manifest or a file that it lists is written anew, by path."""
    stamps = {}
    for path in (MANIFEST, *(entry.path for entry in read(folder))):
        try:
            s = os.stat(folder / path, follow_symlinks=False)
            stamps[path] = (s.st_ino, s.st_size, s.st_mtime_ns, s.st_ctime_ns)
        except OSError:
            stamps[path] = ()
    return stamps


def _status(folder: Path, path: str, remedy: str) -> os.stat_result:
    """Of a regular file; no step of its path may be a link."""
    step = folder
    for part in path.split("/"):
        step = step / part
        try:
            status = step.lstat()
        except FileNotFoundError as error:
            raise HubError(f"{folder / path} is missing: {remedy}") from error
        if stat.S_ISLNK(status.st_mode):
            raise HubError(f"{step} is a link, which is not followed: copy the file itself, or {remedy}")
    if not stat.S_ISREG(status.st_mode):
        raise HubError(f"{step} is no plain file: {remedy}")
    return status


def _present(folder: Path) -> list[str]:
    """Files and links below `folder`, without names that begin with a dot."""
    paths = []
    for root, folders, files in os.walk(folder):
        links = [f for f in folders if os.path.islink(os.path.join(root, f))]
        folders[:] = [f for f in folders if not f.startswith(".") and f not in links]
        names = [name for name in (*files, *links) if not name.startswith(".")]
        paths += [Path(root, name).relative_to(folder).as_posix() for name in names]
    return sorted(paths)
