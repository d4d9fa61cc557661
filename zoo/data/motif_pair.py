"""Motif grammar of a simulation: where sites lie in a row, and how two of them stand to each other.

widths (slots,) -> place_blocks -> start, strand (n, slots) -> place_pairs (some rows) -> stands_as (which rows do)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from zoo.data.motifs import Motif
from zoo.errors import ConfigError


@dataclass(frozen=True)
class Pair:
    """Two motifs whose effects do not add when they stand as one element.

    first, second: positions in the list of motifs.
    spacing: bp between the end of the first and the start of the second, which lies downstream on the strand of the
        first; a number, or a range (first, last) with both ends, from which each row draws its own.
    orientation: "same" or "opposite", the second's strand relative to the first's.
    fraction: of the rows that hold both, how many are made to hold them so arranged; the others hold them anywhere.
        One of the others that comes to stand so by chance counts as arranged too.
    synergy: what the arrangement adds to the activity beyond the two effects.
    """

    first: int = 0
    second: int = 1
    spacing: int | tuple[int, int] = 5
    orientation: str = "same"
    fraction: float = 0.5
    synergy: float = 1.0

    def __post_init__(self) -> None:
        if self.orientation not in ("same", "opposite"):
            raise ConfigError(f"pair orientation {self.orientation!r} must be 'same' or 'opposite'")
        if not _is_count(self.spacing):
            ends = list(self.spacing) if isinstance(self.spacing, Sequence) else []
            if len(ends) != 2 or not all(map(_is_count, ends)) or ends[0] > ends[1]:
                raise ConfigError(f"pair spacing {self.spacing!r} must be bp, as in 10, or a range, as in [8, 12]")
            object.__setattr__(self, "spacing", tuple(ends))
        if not 0 <= self.fraction <= 1 or self.first == self.second:
            raise ConfigError(f"{self} needs two different motifs and a fraction from 0 to 1")

    @property
    def spacings(self) -> tuple[int, int]:
        """The smallest and the largest spacing."""
        return self.spacing if isinstance(self.spacing, tuple) else (self.spacing, self.spacing)


def place_blocks(
    widths: Sequence[int] | np.ndarray, n: int, length: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Random starts (n, slots) of blocks that do not overlap, and their strands.

    widths: (slots,), or (n, slots) where rows differ.
    """
    widths = np.asarray(widths)
    free = length - widths.sum(-1, keepdims=widths.ndim == 2)
    if np.any(free < 0):
        raise ConfigError(f"sites of {length - free.min()} bp in all do not fit into {length} bp: use longer sequences")
    slots = widths.shape[-1]
    order = rng.random((n, slots)).argsort(1)
    ordered = np.take_along_axis(np.broadcast_to(widths, (n, slots)), order, 1)
    gaps = np.sort(rng.integers(0, free + 1, (n, slots)), axis=1)
    start = np.empty((n, slots), np.int64)
    np.put_along_axis(start, order, gaps + np.cumsum(ordered, axis=1) - ordered, axis=1)
    return start, np.where(rng.random((n, slots)) < 0.5, "+", "-")


def place_pairs(
    pair: Pair,
    motifs: Sequence[Motif],
    slots: Sequence[int],
    arranged: np.ndarray,
    start: np.ndarray,
    strand: np.ndarray,
    length: int,
    rng: np.random.Generator,
) -> None:
    """Lay the arranged rows out again, with the pair's first sites as one block."""
    first, second = slots.index(pair.first), slots.index(pair.second)
    others = [slot for slot in range(len(slots)) if slot not in (first, second)]
    width_first, width_second = len(motifs[pair.first]), len(motifs[pair.second])
    beside = [len(motifs[slots[s]]) for s in others]
    shortest, longest = pair.spacings
    needed = width_first + longest + width_second + sum(beside)
    if needed > length:
        raise ConfigError(f"sites and a pair of {needed} bp in all do not fit into {length} bp: use longer sequences")
    rows = np.flatnonzero(arranged)
    # One spacing draws no number, so that it gives the rows that it always gave.
    spacing = rng.integers(shortest, longest + 1, len(rows)) if shortest < longest else shortest
    width = np.broadcast_to(width_first + spacing + width_second, len(rows))
    widths = np.column_stack([width, *(np.full(len(rows), w) for w in beside)])
    block, block_strand = place_blocks(widths, len(rows), length, rng)
    forward = block_strand[:, 0] == "+"
    start[rows, first] = block[:, 0] + np.where(forward, 0, width - width_first)
    start[rows, second] = block[:, 0] + np.where(forward, width - width_second, 0)
    strand[rows, first] = block_strand[:, 0]
    strand[rows, second] = np.where(forward == (pair.orientation == "same"), "+", "-")
    for i, slot in enumerate(others, 1):
        start[rows, slot], strand[rows, slot] = block[:, i], block_strand[:, i]


def stands_as(
    pair: Pair, motifs: Sequence[Motif], slots: Sequence[int], start: np.ndarray, strand: np.ndarray
) -> np.ndarray:
    """(N,) bool: whether a place of the first motif and one of the second are arranged as the pair is."""
    shortest, longest = pair.spacings
    stands = np.zeros(len(start), bool)
    for a in (slot for slot, m in enumerate(slots) if m == pair.first):
        for b in (slot for slot, m in enumerate(slots) if m == pair.second):
            downstream = start[:, b] - start[:, a] - len(motifs[pair.first])
            upstream = start[:, a] - start[:, b] - len(motifs[pair.second])
            spacing = np.where(strand[:, a] == "+", downstream, upstream)
            oriented = (strand[:, a] == strand[:, b]) == (pair.orientation == "same")
            stands |= oriented & (shortest <= spacing) & (spacing <= longest)
    return stands


def _is_count(value: object) -> bool:
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool) and bool(value >= 0)
