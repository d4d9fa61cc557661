"""Negatives of bound sequences that come alone: dinucleotide shuffles of every one.

bound sequences -> for each the same letters and neighbouring pairs in another order, unlike every bound sequence
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from zoo.data.dinucleotide_shuffle import dinucleotide_shuffle
from zoo.data.sequences import Sequences, canonical_hash
from zoo.errors import ConfigError, did_you_mean

HOW = ("shuffled",)
_TRIES = 20


@dataclass(frozen=True, kw_only=True)
class SequenceNegatives:
    """How negatives are made of bound sequences that come alone.

    how: "shuffled", dinucleotide shuffles of every positive.
    per_positive: number for every positive.
    """

    how: str = "shuffled"
    per_positive: int = 1

    def __post_init__(self) -> None:
        if self.how not in HOW:
            raise ConfigError(f"data.negatives.how {self.how!r} is not known" + did_you_mean(self.how, HOW))
        if self.per_positive < 1:
            raise ConfigError(f"data.negatives.per_positive {self.per_positive} must be at least 1")

    def describe(self) -> dict[str, Any]:
        """Plain JSON: how, and how many."""
        how = f"dinucleotide shuffles, {self.per_positive} of every positive"
        return {"how": how, "per_positive": self.per_positive}


def shuffled_negatives(
    positives: Sequences, hashes: np.ndarray, bound: set[int], per_positive: int, seed: int
) -> tuple[Sequences, np.ndarray]:
    """Shuffles of every sequence, and the row of the positive of each: (n,).

    hashes: (N,) `canonical_hash` of the positives.  bound: hashes that no shuffle may have, theirs among them.
    A shuffle has the length, the first and last letter and exactly the neighbouring pairs of its positive, and every N
    where it stands there.  It depends on the seed and the letters of its positive; positives with one hash are shuffled
    once, the first.  A positive that has fewer such shuffles, down to none, is given those that there are.
    """
    codes, parents, headers = [], [], []
    for row in np.sort(np.unique(hashes, return_index=True)[1]):
        shuffles = _shuffles(positives[row], int(hashes[row]), bound, per_positive, seed)
        codes += shuffles
        parents += [row] * len(shuffles)
        headers += [f"{positives.headers[row]} shuffle {i + 1}" for i in range(len(shuffles))]
    made, rows = Sequences.from_codes(codes), np.array(parents, np.int64)
    made.headers, made.line = headers, positives.line[rows]
    return made, rows


def shuffle_between_n(codes: np.ndarray, n: int, seed: int) -> np.ndarray:
    """codes (L,) uint8 -> (n, L) uint8: `dinucleotide_shuffle` of every stretch between two N, which stay in place.

    >>> shuffle_between_n(np.array([4, 0, 1, 0, 2, 0, 4, 3], np.uint8), 1, 0)[:, [0, 1, 5, 6, 7]].tolist()
    [[4, 0, 0, 4, 3]]
    """
    out = np.tile(codes, (n, 1))
    edges = np.flatnonzero(np.diff(np.r_[False, codes < 4, False]))
    for number, (first, end) in enumerate(edges.reshape(-1, 2)):
        out[:, first:end] = dinucleotide_shuffle(codes[first:end], n, seed + (number << 128))
    return out


def _shuffles(codes: np.ndarray, own_hash: int, bound: set[int], n: int, seed: int) -> list[np.ndarray]:
    """Up to n shuffles that differ from one another and from every bound sequence, on both strands."""
    distinct: dict[int, np.ndarray] = {}
    for tries in (n, n + _TRIES):  # the first rows are the same in both
        drawn = shuffle_between_n(codes, tries, (seed << 64) + own_hash)
        for key, shuffle in zip(canonical_hash(drawn)[0].tolist(), drawn, strict=True):
            if key not in bound and len(distinct) < n:
                distinct.setdefault(key, shuffle)
        if len(distinct) == n:
            break
    return list(distinct.values())
