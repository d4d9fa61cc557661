"""`Shortlist`: which rows of scores are written, by how large a score is.

rows (record, cells) in the order of the input -> those that are large enough, or the largest
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from zoo.errors import ConfigError, did_you_mean
from zoo.files.tables import MISSING

Row = tuple[int, Sequence[Any]]


@dataclass(frozen=True)
class Shortlist:
    """top: how many rows, the largest |score| first, of equal ones the first of the input; None for all.

    min_abs: the least |score|.  by: the column that is compared, the first score where it is not given.

    A row without a number in that column is on no shortlist.  Raises ConfigError for values that cannot be.
    """

    top: int | None = None
    min_abs: float | None = None
    by: str | None = None

    def __post_init__(self) -> None:
        if self.top is not None and self.top < 1:
            raise ConfigError(f"--top {self.top} must be 1 or more: it is a number of rows")
        if self.min_abs is not None and not 0 <= self.min_abs < math.inf:
            raise ConfigError(f"--min-abs {self.min_abs} must be 0 or more: it is compared with the size of a score")
        if self.by is not None and not self:
            raise ConfigError(f"--by {self.by} names what --top and --min-abs compare: give one of them too")

    def __bool__(self) -> bool:
        return self.top is not None or self.min_abs is not None

    def column(self, scores: Sequence[str]) -> str:
        """The column that is compared, one of `scores`; raises ConfigError for another."""
        if self.by is not None and self.by not in scores:
            raise ConfigError(f"--by {self.by!r} is no column of scores{did_you_mean(self.by, scores)}")
        return self.by or scores[0]

    def largest(self, rows: Iterable[Row], place: int) -> list[Row] | Iterator[Row]:
        """The rows of the shortlist; place: of the column in each row."""

        def size(row: Row) -> float:
            cell = row[1][place]
            return math.nan if cell is None or cell == MISSING else abs(float(cell))

        least = self.min_abs or 0.0
        chosen = (row for row in rows if size(row) >= least)  # NaN is not
        return chosen if self.top is None else heapq.nsmallest(self.top, chosen, lambda row: -size(row))

    def records(self, rows: Callable[[], Iterable[Row]], place: int) -> Iterator[Row]:
        """All rows of the records that have one on the shortlist, in the order of the input, for an annotated VCF.

        rows: gives the rows, and again when called again.
        """
        numbers = {record for record, _ in self.largest(rows(), place)}
        return (row for row in rows() if row[0] in numbers)
