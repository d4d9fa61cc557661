"""What reaches a terminal: text without the characters that move the cursor, change colours or turn the direction.

A name, a card or a cell of a table may be a stranger's.  Every command writes through `clean_streams`, so that there is
one place in which control characters (C0, C1, ESC), marks of direction and half surrogates become `?`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO
from unicodedata import category


def printable(text: Any) -> str:
    r"""On one line: blanks of every kind become one space, what is not printed becomes `?`.

    >>> printable("two\nlines \x1b[31mred")
    'two lines ?[31mred'
    """
    return _replaced(" ".join(str(text).split()))


def printable_lines(text: str) -> str:
    r"""On as many lines as it has; tabs stay.

    >>> printable_lines("a\tb\r\n\x1b[2Jc")
    'a\tb\n?[2Jc'
    """
    if text.isprintable() or text.replace("\n", "").replace("\t", "").isprintable():
        return text
    return _replaced(text.replace("\r\n", "\n"), kept="\n\t")


class PrintableStream:
    """A text stream that writes `printable_lines` of what it is given; everything else is the stream's own."""

    def __init__(self, stream: TextIO):
        self.stream = stream

    def write(self, text: str) -> int:
        """As of the stream."""
        self.stream.write(printable_lines(text))
        return len(text)

    def writelines(self, lines) -> None:
        """As of the stream."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


@contextmanager
def clean_streams() -> Iterator[None]:
    """Inside, stdout and stderr print nothing but text."""
    before = {"stdout": sys.stdout, "stderr": sys.stderr}
    clean = {name: s if isinstance(s, PrintableStream) else PrintableStream(s) for name, s in before.items()}
    for name, stream in clean.items():
        setattr(sys, name, stream)
    try:
        yield
    finally:
        for name, stream in clean.items():
            if getattr(sys, name) is stream:
                setattr(sys, name, before[name])


def terminal_of(stream: Any) -> TextIO:
    """The stream itself, for a progress bar, which moves the cursor and writes our own words alone."""
    return stream.stream if isinstance(stream, PrintableStream) else stream


def _replaced(text: str, kept: str = "") -> str:
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in kept else " " if category(c) == "Zs" else "?" for c in text)
