"""Cells of a table as lines of text: every column as wide as its widest cell.

rows of cells -> lines
"""

from __future__ import annotations

from collections.abc import Sequence


def align(rows: Sequence[Sequence[str]], numbers: bool = False) -> list[str]:
    """A line a row, columns two blanks apart, without blanks at the end.

    numbers: cells behind the first stand at the right of their column.

    >>> align([["", "n"], ["train", "1,200"], ["test", "90"]], numbers=True)
    ['           n', 'train  1,200', 'test      90']
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    rest = str.rjust if numbers else str.ljust
    return ["  ".join([row[0].ljust(widths[0]), *map(rest, row[1:], widths[1:])]).rstrip() for row in rows]
