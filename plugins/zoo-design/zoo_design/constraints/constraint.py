"""`Constraint`: what a design must keep, as a quick check of many sequences and as a specification of DNA Chisel.

codes (N, L), the starts (N, L) that they come from -> (N,) bool, equal to what DNA Chisel finds
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from zoo.errors import ConfigError, did_you_mean
from zoo_design.starts import Start, parse_place

if TYPE_CHECKING:
    from dnachisel import Specification


@dataclass(frozen=True)
class Constraint(ABC):
    """word: as it stands in the column of constraints, such as gc=40-60%."""

    word: str

    @abstractmethod
    def keeps(self, codes: np.ndarray, row: np.ndarray, starts: list[Start]) -> np.ndarray:
        """codes (N, L) uint8 of A C G T, row (N,) the start that each comes from -> (N,) bool."""

    @abstractmethod
    def specifications(self, start: Start) -> list[Specification]:
        """What DNA Chisel judges a design of this start by; kept if it finds all of them kept."""

    def impossible(self, start: Start, fixed: np.ndarray) -> str | None:
        """Why no design of the start can keep it while the bases `fixed` (L,) bool stay; None where nothing says so."""
        return None

    def check(self, length: int) -> None:
        """Raises ConfigError where it cannot be meant for sequences of `length` bp."""
        return None


def spans(place: str, start: Start) -> list[tuple[int, int, int]]:
    """[start, end) and strand of a place: positions as in 10-30, from 1, or the label of a feature.

    Raises ConfigError for a label that the start does not have, and for positions off its end.
    """
    bounds = parse_place(place)
    if bounds is not None:
        if bounds[1] > len(start.sequence):
            raise ConfigError(f"positions {place} end behind {start.name!r}, which has {len(start.sequence):,} bp")
        return [(*bounds, 1)]
    parts = [(part.start, part.end, part.strand) for part in start.parts if part.name == place]
    if not parts:
        labels = list(dict.fromkeys(part.name for part in start.parts))
        if not labels:
            raise ConfigError(
                f"{start.name!r} has no part {place!r}, since it has no features: give positions, as in 10-30"
            )
        raise ConfigError(f"{start.name!r} has no part {place!r}" + did_you_mean(place, labels))
    return parts
