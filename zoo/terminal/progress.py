"""One progress bar for long work, on stderr, seen only where a person looks."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

__all__ = ["ProgressBar", "counting", "progress"]

T = TypeVar("T")
_CLEAR = "\r\x1b[2K"


def progress(items: Iterable[T], *, total: int | None, label: str, unit: str = "items") -> Iterator[T]:
    """Pass the items on, with a bar, a rate and the time left when stderr is a terminal.

    >>> list(progress(iter("abc"), total=3, label="reading"))
    ['a', 'b', 'c']
    """
    with counting(total, label=label, unit=unit) as advance:
        for item in items:
            yield item
            advance(1)


@contextmanager
def counting(
    total: int | None, *, label: str, unit: str = "items", enabled: bool = True
) -> Iterator[Callable[[int], None]]:
    """A function to call with the number of items just finished; the bar is seen when stderr is a terminal.

    >>> with counting(3, label="reading") as advance:
    ...     advance(3)
    """
    if not (enabled and sys.stderr.isatty()):
        yield lambda n: None
        return
    bar = ProgressBar(label, total, unit)
    try:
        yield lambda n: bar.update(bar.done + n)
    finally:
        bar.close()


class ProgressBar:
    """One line on stderr, drawn at most ten times a second: label, bar, done of all, rate in `unit`, time left."""

    def __init__(self, label: str, total: int | None, unit: str):
        self.label, self.total, self.unit, self.done = label, total, unit, 0
        self._since, self._drawn = time.monotonic(), 0.0

    def update(self, done: int, label: str | None = None) -> None:
        """So many items of all are done."""
        self.done, self.label = done, label or self.label
        if time.monotonic() - self._drawn > 0.1:
            self._draw()

    def close(self) -> None:
        """Take the bar away."""
        print(_CLEAR, end="", file=sys.stderr, flush=True)

    def _draw(self) -> None:
        self._drawn = time.monotonic()
        rate = self.done / max(self._drawn - self._since, 1e-9)
        text = f"{self.label} {self.done:,} {self.unit} {rate:,.0f}/s"
        if self.total:
            left = max(self.total - self.done, 0) / rate if rate else 0
            filled = round(24 * min(self.done / self.total, 1))
            bar = "#" * filled + "-" * (24 - filled)
            text = f"{self.label} {bar} {self.done:,}/{self.total:,} {rate:,.0f} {self.unit}/s {_clock(left)}"
        print(_CLEAR + text[: shutil.get_terminal_size().columns - 1], end="", file=sys.stderr, flush=True)


def _clock(seconds: float) -> str:
    """
    >>> _clock(3725.2)
    '1:02:05'
    """
    minutes, seconds = divmod(int(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"
