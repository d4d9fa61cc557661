"""`Calls`: deletions, duplications and what was not called of one sample, as the writers take them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from zoo.errors import DataError

STATES = ("DEL", "DUP", "NEUTRAL", "NO-CALL")


@dataclass(frozen=True)
class CnvCall:
    """One segment and its copy number.

    contig, start, end: 0-based half-open.  state: one of STATES.
    copy_number: None where there is no call.  expected: copies that the sample should have there, its ploidy.
    quality: phred, of the call that was made; NaN where it is not known.
    n_bins: bins that it rests on.  log2: their median log2 ratio to the depth of autosomes; NaN where it is not known.

    Raises DataError where these contradict each other.
    """

    contig: str
    start: int
    end: int
    copy_number: int | None
    state: Literal["DEL", "DUP", "NEUTRAL", "NO-CALL"]
    quality: float = math.nan
    n_bins: int = 0
    log2: float = math.nan
    expected: int = 2

    def __post_init__(self) -> None:
        where = f"call {self.contig}:{self.start:,}-{self.end:,}"
        if not 0 <= self.start < self.end:
            raise DataError(f"{where} is empty or begins before its contig: drop it")
        if self.state not in STATES:
            raise DataError(f"{where} has state {self.state!r}: choose from {', '.join(STATES)}")
        if self.expected < 0 or (self.copy_number is not None and self.copy_number < 0):
            raise DataError(f"{where} has copy number {self.copy_number} of {self.expected}: no number may be negative")
        if self.quality < 0 or math.isinf(self.quality):
            raise DataError(f"{where} has quality {self.quality:g}: phred goes from 0 up, cap it")
        if math.isinf(self.log2):
            raise DataError(f"{where} has log2 ratio {self.log2}: cap it, or give NaN where there is no depth")
        if self.state != (implied := call_state(self.copy_number, self.expected)):
            raise DataError(
                f"{where} is {self.state} at copy number {self.copy_number} of {self.expected}, which is {implied}: "
                "correct one of them"
            )

    @property
    def length(self) -> int:
        """bp."""
        return self.end - self.start


@dataclass(frozen=True)
class Calls:
    """All calls of a sample, sorted by contig and start.

    contigs: names in the genome's order.  sizes: bp, where known.  comments: provenance, for the files.

    Raises DataError for a call on another contig, or past the end of its own.
    """

    sample: str
    contigs: Sequence[str]
    calls: Sequence[CnvCall]
    sizes: Mapping[str, int] = field(default_factory=dict)
    comments: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        place = {c: i for i, c in enumerate(self.contigs)}
        for call in self.calls:
            if call.contig not in place:
                raise DataError(f"a call of {self.sample} is on {call.contig!r}, which is none of its contigs: add it")
            if call.end > self.sizes.get(call.contig, call.end):
                raise DataError(
                    f"a call of {self.sample} ends at {call.end:,}, {call.contig} has {self.sizes[call.contig]:,} bp: "
                    "cut it to the contig"
                )
        object.__setattr__(self, "calls", tuple(sorted(self.calls, key=lambda c: (place[c.contig], c.start, c.end))))

    def __len__(self) -> int:
        return len(self.calls)

    def __iter__(self) -> Iterator[CnvCall]:
        return iter(self.calls)

    def of(self, *states: str) -> list[CnvCall]:
        """The calls of these states, in order."""
        return [c for c in self.calls if c.state in states]


def call_state(copy_number: int | None, expected: int) -> Literal["DEL", "DUP", "NEUTRAL", "NO-CALL"]:
    """What so many copies are where others are expected; None is no call."""
    if copy_number is None:
        return "NO-CALL"
    return "NEUTRAL" if copy_number == expected else "DEL" if copy_number < expected else "DUP"
