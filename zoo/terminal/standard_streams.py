"""Standard streams that somebody closed: neither a traceback at the exit, nor their numbers for files that we open."""

from __future__ import annotations

import os
import sys
from contextlib import suppress


def open_closed_streams() -> None:
    """Put the null device where the caller closed a stream, as in `>&-`.

    Otherwise the next file that is opened would get its number, and what a library prints would land in it.
    """
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))


def stdout_is_closed() -> bool:
    """Whether there was no standard output when Python started, and nothing has taken its place."""
    return sys.__stdout__ is None and getattr(sys.stdout, "name", None) in (None, os.devnull)


def silence_stdout() -> None:
    """Nobody takes what is left in the buffers: the interpreter flushes them once more at its exit."""
    with suppress(OSError, ValueError, AttributeError):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())
        os.close(null)
    sys.stdout = open(os.devnull, "w", encoding="utf-8")
