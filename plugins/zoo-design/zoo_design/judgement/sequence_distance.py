"""Distance of designs to known sequences, and among each other: memorisation and diversity.

designs, training sequences -> Nearest (which, how many edits);  designs -> duplicates, mean distances
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from zoo.errors import need

_CHUNK = 1 << 22


@dataclass(frozen=True)
class Nearest:
    """index: (N,) of the nearest known sequence, the first of several.  distance: (N,) edits of single letters
    (substitutions, insertions, deletions; Levenshtein) between the two.
    """

    index: np.ndarray
    distance: np.ndarray


def nearest_sequences(designs: Sequence[str], known: Sequence[str]) -> Nearest:
    """The known sequence nearest to every design, exactly: every pair is compared, on the strand that is written.

    Levenshtein's distance and not Hamming's alone, since a training sequence moved by one base is no new one.
    """
    index, distance = np.zeros(len(designs), np.int64), np.zeros(len(designs), np.int64)
    step = max(1, _CHUNK // max(1, len(known)))
    for first in range(0, len(designs), step):
        part = edit_distances(designs[first : first + step], known)
        index[first : first + step] = part.argmin(1)
        distance[first : first + step] = part.min(1)
    return Nearest(index, distance)


def edit_distances(designs: Sequence[str], known: Sequence[str]) -> np.ndarray:
    """(N, M) edits between every pair."""
    need("distances between designs", "rapidfuzz", install="zoo-design")
    from rapidfuzz.distance import Levenshtein
    from rapidfuzz.process import cdist

    return cdist(list(designs), list(known), scorer=Levenshtein.distance, dtype=np.int32, workers=1)


@dataclass(frozen=True)
class Diversity:
    """copies: (N,) how many designs have the same sequence, itself among them.  mean_distance: (N,) edits to the
    others, NaN for a single one.
    """

    copies: np.ndarray
    mean_distance: np.ndarray

    @property
    def duplicates(self) -> float:
        """Share of designs that repeat an earlier one."""
        return float(1 - (1 / self.copies).sum() / len(self.copies)) if len(self.copies) else 0.0


def diversity(designs: Sequence[str]) -> Diversity:
    """Of the designs among themselves."""
    counts = Counter(designs)
    copies = np.array([counts[d] for d in designs], np.int64)
    if len(designs) < 2:
        return Diversity(copies, np.full(len(designs), np.nan))
    step = max(1, _CHUNK // len(designs))
    sums = [edit_distances(designs[i : i + step], designs).sum(1) for i in range(0, len(designs), step)]
    return Diversity(copies, np.concatenate(sums) / (len(designs) - 1))
