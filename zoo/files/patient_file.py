"""A file for libraries that cannot be closed after a write that failed: the error is kept and raised afterwards.

full disk -> HDF5, zip: the next flush fails as well, then the close, then the exit of the process
full disk -> PatientFile -> HDF5, zip: closed as if nothing had happened -> the error
"""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

_ENOUGH = 64 << 20


class PatientFile(io.FileIO):
    """A new binary file to write and read; leaving its block raises the first error of a write, if there was one.

    What cannot be written is held in memory, so that it reads back.  After 64 MB of that one write fails, which ends
    the work of whoever is writing; the ones behind it, of the library that closes, are taken again.
    """

    def __init__(self, path: str | Path):
        super().__init__(str(path), "w+")
        self.error: OSError | None = None
        self.raised = False
        self.held: list[tuple[int, bytes]] = []
        self.size = 0

    def write(self, data: Any) -> int:
        """All of the data, on the disk or in memory."""
        view = memoryview(data).cast("B")
        at, done = self.tell(), 0
        try:
            while self.error is None and done < len(view):
                done += super().write(view[done:]) or 0
        except OSError as error:
            self.error = error
        if self.error is not None:
            self.held.append((at + done, bytes(view[done:])))
            self.size += len(view) - done
            if self.size > _ENOUGH and not self.raised:
                self.raised = True
                raise self.error
        self.seek(at + len(view))
        return len(view)

    def readinto(self, buffer: Any) -> int:
        """What was written, wherever it is now."""
        view = memoryview(buffer).cast("B")
        at = self.tell()
        done = super().readinto(view) or 0
        if self.error is None:
            return done
        view[done:] = bytes(len(view) - done)
        for start, data in self.held:
            first, last = max(start, at), min(start + len(data), at + len(view))
            if first < last:
                view[first - at : last - at] = data[first - start : last - start]
        self.seek(at + len(view))
        return len(view)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """The end is that of what should have been written."""
        if whence == os.SEEK_END and self.held:
            end = max(super().seek(0, os.SEEK_END), *(start + len(data) for start, data in self.held))
            return super().seek(end + offset)
        return super().seek(offset, whence)

    def truncate(self, size: int | None = None) -> int:
        """As of any file, until a write has failed."""
        return super().truncate(size) if self.error is None else (self.tell() if size is None else size)

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        self.close()
        if self.error is not None:
            raise self.error
