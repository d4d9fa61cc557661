"""One progress bar for long work, on stderr, seen only where a person looks."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from tqdm import tqdm

__all__ = ["counting", "progress", "progress_bar"]

T = TypeVar("T")
tqdm.monitor_interval = 0  # its thread would outlive the bar


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
) -> Iterator[Callable[[int], object]]:
    """A function to call with the number of items just finished; the bar is seen when stderr is a terminal.

    >>> with counting(3, label="reading") as advance:
    ...     advance(3)
    """
    with progress_bar(total, label=label, unit=unit, enabled=enabled) as bar:
        yield bar.update


def progress_bar(total: int | None, *, label: str, unit: str, enabled: bool = True) -> tqdm:
    """The bar itself: label, bar, done of all, time left, rate in `unit`; it is gone once it is closed."""
    shown = enabled and sys.stderr.isatty()
    size = shutil.get_terminal_size()  # tqdm alone draws nothing in a terminal that does not know its own
    return tqdm(
        total=total,
        desc=label,
        unit=f" {unit}",
        leave=False,
        file=sys.stderr,
        disable=not shown,
        ncols=size.columns,
        nrows=size.lines,
    )
