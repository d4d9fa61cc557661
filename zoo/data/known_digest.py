"""The digest of a large file, remembered for as long as the file's status says that nobody wrote it.

    hg38.fa -> size, inode, time of change of content and of status -> hg38.fa.zoo/digest.json -> digest, or None

A time of change can be put back (cp -p, rsync -t, touch -r); the time of change of the status, which the system keeps,
cannot.  A file that changed within the two seconds before its digest was computed is not trusted, since file systems
count time in steps.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from zoo.errors import ZooError
from zoo.files.atomic import atomic_path
from zoo.files.digest import file_digest

_NAME = "digest.json"
_STEP = 2.0
"""Seconds; FAT counts in these, other file systems finer."""


@dataclass(frozen=True)
class KnownDigest:
    """What a file held, and its status before it was read.

    reliable: whether a later change must show in the status.
    """

    digest: str
    status: dict[str, int]
    reliable: bool

    @classmethod
    def of(cls, path: Path) -> KnownDigest:
        """Read the file; raises DataError where it cannot be read."""
        status, began = _status(path), time.time()
        return cls(file_digest(path), status, began - status["ctime_ns"] / 1e9 > _STEP)

    def holds(self, path: Path) -> bool:
        """Whether the file still is what it was."""
        if self.reliable and _status(path) == self.status:
            return True
        return file_digest(path) == self.digest

    def remember(self, path: Path, folders: Sequence[Path]) -> None:
        """Write it to the first folder that can be written; nothing where it would not be reliable."""
        if not self.reliable or _status(path) != self.status:
            return
        for folder in folders:
            with suppress(OSError, ZooError):
                folder.mkdir(parents=True, exist_ok=True)
                with atomic_path(folder / _NAME) as temporary:
                    temporary.write_text(json.dumps({"digest": self.digest, "status": self.status}), encoding="utf-8")
                return


def known_digest(path: Path, folders: Sequence[Path]) -> str | None:
    """The digest of a file as one of the folders remembers it; None where the file may have changed since."""
    status = _status(path)
    for folder in folders:
        with suppress(OSError, ValueError, TypeError, KeyError):
            record = json.loads((folder / _NAME).read_text(encoding="utf-8"))
            if record["status"] == status:
                return str(record["digest"])
    return None


def _status(path: Path) -> dict[str, int]:
    status = os.stat(path)
    return {
        "size": status.st_size,
        "inode": status.st_ino,
        "mtime_ns": status.st_mtime_ns,
        "ctime_ns": status.st_ctime_ns,
    }
