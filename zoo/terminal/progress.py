"""One progress bar for long work, on stderr, seen only where a person looks."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from rich.progress import Progress

__all__ = ["counting", "progress", "progress_bar"]

T = TypeVar("T")


def progress(items: Iterable[T], *, total: int | None, label: str, unit: str = "items") -> Iterator[T]:
    """Pass the items on, with a bar, a rate and the time left when stderr is a terminal.

    >>> list(progress(iter("abc"), total=3, label="reading"))
    ['a', 'b', 'c']
    """
    if not sys.stderr.isatty():
        yield from items
        return
    with progress_bar(unit) as bar:
        yield from bar.track(items, total=total, description=label)


@contextmanager
def counting(total: int, *, label: str, unit: str = "items", wanted: bool = True) -> Iterator[Callable[[int], None]]:
    """A function to call with the number of items just finished; the bar is seen when stderr is a terminal.

    >>> with counting(3, label="reading") as advance:
    ...     advance(3)
    """
    if not (wanted and sys.stderr.isatty()):
        yield lambda n: None
        return
    with progress_bar(unit) as bar:
        task = bar.add_task(label, total=total)
        yield lambda n: bar.advance(task, n)


def progress_bar(unit: str) -> Progress:
    """Rich's bar on stderr: label, bar, done of all, rate in `unit`, time left."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, TextColumn, TimeRemainingColumn
    from rich.text import Text

    class Rate(ProgressColumn):
        def render(self, task) -> Text:
            return Text(f"{task.speed:,.0f} {unit}/s" if task.speed else "")

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), Rate(), TimeRemainingColumn())
    return Progress(*columns, console=Console(stderr=True), transient=True)
