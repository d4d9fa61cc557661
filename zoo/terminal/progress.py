"""One progress bar for long work, on stderr, seen only where a person looks."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import repeat
from typing import TYPE_CHECKING, TypeVar

import click

from zoo.terminal.printable import terminal_of

if TYPE_CHECKING:
    from click._termui_impl import ProgressBar

T = TypeVar("T")


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
    if not (enabled and sys.stderr.isatty()):
        yield lambda n: None
        return
    with progress_bar(total, label=label, unit=unit) as bar:
        yield bar.update


def progress_bar(total: int | None, *, label: str, unit: str) -> ProgressBar[None]:
    """The bar itself, to be opened by `with`: label, bar, done of all in `unit`, time left."""
    steps = max(1, (total or 0) // 1000)  # of the bar; drawing costs more than many an item
    terminal = terminal_of(sys.stderr)
    return click.progressbar(
        repeat(None), total, label=f"{label}, {unit}", show_pos=True, file=terminal, update_min_steps=steps
    )
