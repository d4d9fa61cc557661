"""`Shortlist`: which rows of scores are written, by how large a score is.

rows (record, cells) in the order of the input -> those that are large enough, or the largest
"""

from __future__ import annotations

import heapq
import math
from collections import Counter
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

    def describe(self, scores: Sequence[str]) -> str:
        """In words, for the comments of a table."""
        of = f"|{self.column(scores)}|"
        least = "" if self.min_abs is None else f"{of} of {self.min_abs:g} or more"
        most = "" if self.top is None else f"the {self.top:,} rows with the largest {of}"
        return ", ".join(filter(None, (least, most)))

    def largest(self, rows: Iterable[Row], place: int) -> list[Row] | Iterator[Row]:
        """The rows of the shortlist; place: of the column in each row."""

        def size(row: Row) -> float:
            cell = row[1][place]
            return math.nan if cell is None or cell == MISSING else abs(float(cell))

        least = self.min_abs or 0.0
        chosen = (row for row in rows if size(row) >= least)  # NaN is not
        return chosen if self.top is None else heapq.nsmallest(self.top, chosen, lambda row: -size(row))


class RowChoice:
    """The rows of a run that are written, and what there was.

    columns: of the rows.  scores: those that a shortlist may compare.  whole: records are written with all their rows.
    statuses: how many rows of all have which.  records: how many records have rows.  written: how many rows are.
    """

    def __init__(self, shortlist: Shortlist, columns: Sequence[str], scores: Sequence[str] = (), whole: bool = False):
        self.shortlist, self.whole = shortlist, whole
        self.place = columns.index(shortlist.column(scores)) if shortlist else -1
        self.status = columns.index("status")
        self.statuses: Counter = Counter()
        self.records = self.written = 0

    @classmethod
    def for_writer(cls, writer: Any, path: Any, *of: Any) -> RowChoice:
        """For what a writer of `output_files` takes; of: shortlist, columns and scores.

        Raises ConfigError where it writes all rows or none.
        """
        choice = cls(*of, whole=getattr(writer, "writes_records", False))
        if choice.shortlist and getattr(writer, "takes_profiles", False):
            raise ConfigError(f"{path} holds the profiles of all rows: leave out --top and --min-abs, or write .tsv")
        return choice

    def of(self, rows: Callable[[], Iterable[Row]]) -> Iterator[Row]:
        """The rows that are written; rows: gives all, and again when called again, which is done for whole records."""
        every = self._counted(rows())
        if not self.shortlist:
            chosen: Iterable[Row] = every
        elif self.whole:
            numbers = {record for record, _ in self.shortlist.largest(every, self.place)}
            chosen = (row for row in rows() if row[0] in numbers)
        else:
            chosen = self.shortlist.largest(every, self.place)
        for row in chosen:
            self.written += 1
            yield row

    def _counted(self, rows: Iterable[Row]) -> Iterator[Row]:
        last = None
        for row in rows:
            self.statuses[row[1][self.status]] += 1
            self.records += row[0] != last
            last = row[0]
            yield row
