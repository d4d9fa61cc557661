"""Features of constructs for additive and pairwise models: which base stands where, or which part in which role.

codes (N, L) -> sparse (N, F);  pairs of parts are features of their own
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from zoo.evaluation.baselines import Baseline
from zoo_constructs.library.global_epistasis import GlobalEpistasis

if TYPE_CHECKING:
    from scipy import sparse


def construct_baselines(
    width: int, parts: PartFeatures | None = None, pairs: PartFeatures | None = None
) -> list[Baseline]:
    """Additive and pairwise models of bases by position, and of parts where a library has them.

    width: bp of the longest construct, counted from the first base.
    """
    bases = BaseFeatures(width)
    of_bases = [
        Baseline("additive bases", bases, fit=GlobalEpistasis()),
        Baseline("pairwise bases", bases, fit=GlobalEpistasis(pairs=True), slow=True),
    ]
    of_parts = [] if parts is None else [Baseline("additive parts", parts, fit=GlobalEpistasis())]
    if pairs is not None:
        of_parts.append(Baseline("pairwise parts", pairs, fit=GlobalEpistasis()))
    return of_bases + of_parts


class BaseFeatures:
    """One feature for every base at every position; N has none, and what a shorter construct lacks is N."""

    def __init__(self, width: int):
        self.width = width

    def __call__(self, codes: np.ndarray) -> sparse.csr_matrix:
        """codes: (N, L) -> (N, 4 width)."""
        from scipy import sparse

        row, position = np.nonzero(codes[:, : self.width] < 4)
        column = 4 * position + codes[row, position]
        return sparse.csr_matrix((np.ones(len(row)), (row, column)), shape=(len(codes), 4 * self.width))


class PartFeatures:
    """One feature for every part of every role, and with `pairs` for every two parts that stand together somewhere.

    sequences: codes (L,) of every construct.  parts: {role: names or letters (n,)}.  A construct that is not among
    them has no feature, and so the mean.
    """

    def __init__(self, sequences: list[np.ndarray], parts: Mapping[str, np.ndarray], pairs: bool = False):
        columns = {role: np.asarray(labels).astype(str) for role, labels in parts.items()}
        if pairs:
            columns |= {
                f"{a} x {b}": np.char.add(np.char.add(columns[a], "\t"), columns[b]) for a, b in combinations(parts, 2)
            }
        codes, first = [], 0
        for labels in columns.values():
            names, ids = np.unique(labels, return_inverse=True)
            codes.append(first + ids)
            first += len(names)
        self.size = first
        self._columns = np.stack(codes, 1)
        self._row = {codes.tobytes(): i for i, codes in enumerate(sequences)}

    def __call__(self, codes: np.ndarray) -> sparse.csr_matrix:
        """codes: (N, L) -> (N, F)."""
        from scipy import sparse

        places = [(i, self._row.get(np.ascontiguousarray(x).tobytes())) for i, x in enumerate(codes)]
        known = np.array([(i, row) for i, row in places if row is not None], np.int64).reshape(-1, 2)
        column = self._columns[known[:, 1]]
        row = np.repeat(known[:, 0], column.shape[1])
        return sparse.csr_matrix((np.ones(column.size), (row, column.ravel())), shape=(len(codes), self.size))
