"""`Edits`: changes of sequences, one type for mutagenesis, variants, haplotypes and design.

A mutant is one reference window with one edit or several.  An edit replaces `reference_length` bases at
`position` by its alternate codes: one for one is a substitution, none for some a deletion.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from zoo.data.codes import encode
from zoo.errors import DataError

N = 4


@dataclass(frozen=True)
class Edits:
    """M mutants of R reference windows, made of E edits.

    row: (M,) the window that a mutant changes.
    first: (M + 1,) the edits of mutant m are first[m] to first[m + 1], sorted by position, without overlap.
    position: (E,) first base that is replaced, 0-based in the reference window.
    reference_length: (E,) bases that are replaced.
    alternate: (A,) uint8 codes of all edits, A C G T N = 0 1 2 3 4.
    alternate_first: (E + 1,) the codes of edit e are alternate_first[e] to alternate_first[e + 1].
    """

    row: np.ndarray
    first: np.ndarray
    position: np.ndarray
    reference_length: np.ndarray
    alternate: np.ndarray
    alternate_first: np.ndarray

    @classmethod
    def substitutions(
        cls, codes: np.ndarray, start: int = 0, end: int | None = None, rows: Sequence[int] | None = None
    ) -> Edits:
        """Every other base at every position of [start, end): 3 mutants a base, 4 where the reference is N.

        codes: (R, L) uint8.  rows: which windows, all where it is not given.  Mutants come by row, position, base.

        >>> edits = Edits.substitutions(np.array([[0, 3]], np.uint8))
        >>> len(edits), edits.position.tolist(), edits.alternate.tolist()
        (6, [0, 0, 0, 1, 1, 1], [1, 2, 3, 0, 1, 2])
        """
        end = codes.shape[1] if end is None else end
        chosen = np.arange(len(codes)) if rows is None else np.asarray(rows)
        other = codes[chosen, start:end, None] != np.arange(4, dtype=np.uint8)
        row, position, base = other.nonzero()
        return cls.single(chosen[row], position + start, base)

    @classmethod
    def single(cls, row: np.ndarray, position: np.ndarray, base: np.ndarray) -> Edits:
        """One substitution a mutant: three arrays of (M,)."""
        n = len(row)
        every = np.arange(n + 1)
        return cls(
            np.asarray(row, np.int64),
            every,
            np.asarray(position, np.int64),
            np.ones(n, np.int64),
            np.asarray(base, np.uint8),
            every,
        )

    @classmethod
    def sets(cls, mutants: Iterable[Iterable[tuple[int, int, str]]], rows: Sequence[int] | None = None) -> Edits:
        """Mutants as lists of (position, reference length, alternate letters); rows: all 0 where not given.

        Raises DataError where two edits of a mutant overlap.

        >>> edits = Edits.sets([[(3, 1, "A")], [(0, 2, ""), (5, 0, "GG")]])
        >>> edits.apply(np.zeros((1, 8), np.uint8))[1].tolist()
        [0, 0, 0, 2, 2, 0, 0, 0]
        """
        mutants = [sorted(edits, key=lambda e: e[0]) for edits in mutants]
        for edits in mutants:
            for before, after in pairwise(edits):
                if before[0] + before[1] > after[0]:
                    raise DataError(f"edits at {before[0]} and {after[0]} of one mutant overlap: join them into one")
        flat = [edit for edits in mutants for edit in edits]
        letters = [encode(text) for _, _, text in flat]
        return cls(
            np.zeros(len(mutants), np.int64) if rows is None else np.asarray(rows, np.int64),
            _offsets([len(edits) for edits in mutants]),
            np.array([p for p, _, _ in flat], np.int64),
            np.array([n for _, n, _ in flat], np.int64),
            np.concatenate([np.zeros(0, np.uint8), *letters]).astype(np.uint8),
            _offsets([len(x) for x in letters]),
        )

    def __len__(self) -> int:
        """Number of mutants."""
        return len(self.row)

    def __getitem__(self, chosen: slice | np.ndarray) -> Edits:
        """The mutants of a slice, or of an array of indices."""
        index = np.arange(len(self))[chosen]
        edits = _ranges(self.first[index], self.first[index + 1])
        letters = _ranges(self.alternate_first[edits], self.alternate_first[edits + 1])
        return Edits(
            self.row[index],
            _offsets(self.first[index + 1] - self.first[index]),
            self.position[edits],
            self.reference_length[edits],
            self.alternate[letters],
            _offsets(self.alternate_first[edits + 1] - self.alternate_first[edits]),
        )

    @property
    def are_substitutions(self) -> bool:
        """Whether every mutant is one substitution of one base."""
        each = np.arange(len(self) + 1)
        return (
            np.array_equal(self.first, each)
            and np.array_equal(self.alternate_first, each)
            and bool((self.reference_length == 1).all())
        )

    @property
    def shift(self) -> np.ndarray:
        """(M,) bases that a mutant is longer than its reference; negative for a deletion."""
        change = np.diff(self.alternate_first) - self.reference_length
        total = np.concatenate([[0], np.cumsum(change)])
        return total[self.first[1:]] - total[self.first[:-1]]

    def span(self, length: int) -> tuple[np.ndarray, np.ndarray]:
        """First and one past the last base (M,), (M,) in which a mutant of `length` bp can differ from its reference.

        The left end of the window is kept: behind a net insertion or deletion every base to the right end moves.
        """
        filled = self.first[1:] > self.first[:-1]
        low, high = np.zeros(len(self), np.int64), np.zeros(len(self), np.int64)
        if len(self.position):
            last = np.maximum(self.first[1:] - 1, 0)
            low[filled] = self.position[np.minimum(self.first[:-1], len(self.position) - 1)][filled]
            # With no net shift the last edit ends where its reference does; with one, everything behind it moves.
            high[filled] = (self.position[last] + self.reference_length[last])[filled]
        high[self.shift != 0] = length
        return np.clip(low, 0, length), np.clip(high, 0, length)

    def apply(self, codes: np.ndarray, length: int | None = None) -> np.ndarray:
        """The mutants' sequences: (M, length) uint8.

        codes: (R, L or more) uint8.  The left end stays; what a deletion draws in from the right comes from the
        bases beyond `length` where `codes` has them, else it is N.
        """
        length = codes.shape[1] if length is None else length
        self.check(codes.shape[1])
        if self.are_substitutions:
            mutated = codes[self.row, :length].copy()
            inside = self.position < length
            mutated[np.flatnonzero(inside), self.position[inside]] = self.alternate[inside]
            return mutated
        mutated = np.full((len(self), length), N, np.uint8)
        for m in range(len(self)):
            pieces, at, window = [], 0, codes[self.row[m]]
            for e in range(self.first[m], self.first[m + 1]):
                pieces += [
                    window[at : self.position[e]],
                    self.alternate[self.alternate_first[e] : self.alternate_first[e + 1]],
                ]
                at = self.position[e] + self.reference_length[e]
            whole = np.concatenate([*pieces, window[at:]])[:length]
            mutated[m, : len(whole)] = whole
        return mutated

    def check(self, length: int) -> None:
        """Raises DataError for an edit that leaves a reference of `length` bp."""
        wrong = (self.position < 0) | (self.reference_length < 0) | (self.position + self.reference_length > length)
        if wrong.any():
            e = int(np.flatnonzero(wrong)[0])
            raise DataError(
                f"edit of {self.reference_length[e]} bp at {self.position[e]} leaves the window of {length:,} bp: "
                f"use positions from 0 to {length - 1:,}"
            )


def _offsets(sizes: Sequence[int] | np.ndarray) -> np.ndarray:
    return np.concatenate([[0], np.cumsum(np.asarray(sizes, np.int64))]).astype(np.int64)


def _ranges(first: np.ndarray, last: np.ndarray) -> np.ndarray:
    """first[0] .. last[0], first[1] .. last[1], ... in one array."""
    sizes = last - first
    return np.arange(sizes.sum()) + np.repeat(first - _offsets(sizes)[:-1], sizes)
