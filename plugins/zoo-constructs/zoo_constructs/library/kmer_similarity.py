"""Near-duplicates among sequences, by the k-mers they share; groups that a split must not cut.

Sequences -> KmerSets -> identity of pairs -> groups (n,), or the identity of the nearest one of other sequences

The identity of two sequences is c ** (1 / k), c being the share of the k-mers of the one with fewer that the other has
too: the containment form of the Mash distance (Ondov et al. 2016, Genome Biology 17:132), of all k-mers rather than of
a sketch, a k-mer and its reverse complement as one.  It needs no alignment and sees shifted copies and both strands.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from zoo.data.codes import reverse_complement
from zoo.data.sequences import Sequences
from zoo.errors import ConfigError

if TYPE_CHECKING:
    from scipy import sparse

K = 10
"""Bases of a word: random sequences of 200 bp share next to none of a million."""

COMMON = 0.05
"""A k-mer in a larger share of the sequences is of the vector they are all in, or of a part that many hold."""
_FEWEST_COMMON = 50
_ROWS_AT_ONCE = 512


@dataclass(frozen=True)
class KmerSets:
    """words: (n, F) sparse 0 and 1.  n_common: k-mers left out because too many sequences hold them.

    common: (n,) share of each sequence's k-mers that were left out.
    """

    words: sparse.csr_matrix
    n_common: int
    common: np.ndarray

    @classmethod
    def of(cls, sequences: Sequences, k: int = K, common: float = COMMON) -> KmerSets:
        """The k-mers of every sequence, without those with N and those that more than `common` of them hold."""
        from scipy import sparse

        row, word = _words(sequences, k)
        both = np.unique(np.stack([row, word], 1), axis=0) if len(row) else np.zeros((0, 2), np.int64)
        _, column, copies = np.unique(both[:, 1], return_inverse=True, return_counts=True)
        most = max(_FEWEST_COMMON, common * len(sequences))
        kept = copies[column] <= most
        shape = (len(sequences), max(1, len(copies)))
        words = sparse.csr_matrix((np.ones(kept.sum(), np.float32), (both[kept, 0], column[kept])), shape=shape)
        every = np.bincount(both[:, 0], minlength=len(sequences))
        return cls(words, int((copies > most).sum()), 1 - np.diff(words.indptr) / np.maximum(every, 1))

    @property
    def unseen(self) -> np.ndarray:
        """(n,) whether most of a sequence was left out: its near-duplicates cannot be seen by what remains."""
        return (self.common > 0.5) | (self.sizes == 0)

    @property
    def sizes(self) -> np.ndarray:
        """(n,) k-mers of every sequence."""
        return np.diff(self.words.indptr)

    def pairs(self, rows: np.ndarray, others: np.ndarray, k: int = K) -> Iterator[tuple[np.ndarray, ...]]:
        """(row, other, identity) of all pairs that share a k-mer, a block of `rows` at a time."""
        from scipy import sparse

        of_others = sparse.csr_matrix(self.words[others].T)
        for first in range(0, len(rows), _ROWS_AT_ONCE):
            block = rows[first : first + _ROWS_AT_ONCE]
            shared = sparse.coo_matrix(self.words[block] @ of_others)
            left, right = block[shared.row], others[shared.col]
            fewer = np.minimum(self.sizes[left], self.sizes[right])
            yield left, right, (shared.data / np.maximum(fewer, 1)) ** (1 / k)

    def nearest(self, rows: np.ndarray, others: np.ndarray) -> np.ndarray:
        """(len(rows),) identity of the nearest of `others`; 0 where no k-mer is shared."""
        best = np.zeros(len(self.sizes))
        for left, _, identity in self.pairs(rows, others):
            np.maximum.at(best, left, identity)
        return best[rows]


def similarity_groups(kmers: KmerSets, identity: float, same: np.ndarray) -> np.ndarray:
    """(n,) group of every sequence: single linkage of pairs with at least `identity`, and of equal sequences.

    same: (n,) uint64 that equal sequences share, of either strand.  Raises ConfigError for an identity outside 0 to 1.
    """
    from scipy import sparse
    from scipy.sparse.csgraph import connected_components

    if not 0 < identity <= 1:
        raise ConfigError(f"data.splits.identity is {identity}: give a share of 0 to 1, as 0.8")
    n = len(same)
    _, first, of = np.unique(same, return_index=True, return_inverse=True)
    left, right = [np.arange(n)], [first[of]]
    every = np.arange(n)
    for i, j, alike in kmers.pairs(every, every):
        near = (alike >= identity) & (i < j)
        left.append(i[near])
        right.append(j[near])
    i, j = np.concatenate(left), np.concatenate(right)
    return connected_components(sparse.coo_matrix((np.ones(len(i), bool), (i, j)), shape=(n, n)), directed=False)[1]


def _words(sequences: Sequences, k: int) -> tuple[np.ndarray, np.ndarray]:
    """(row, word) of every k-mer without N: the lower of its two strands' numbers."""
    rows, words = [], []
    powers = 4 ** np.arange(k - 1, -1, -1, dtype=np.int64)
    for length in np.unique(sequences.lengths):
        if length < k:
            continue
        at = np.flatnonzero(sequences.lengths == length)
        codes = sequences.batch(at)
        forward, known = _numbers(codes, powers)
        backward = _numbers(reverse_complement(codes), powers)[0][:, ::-1]
        row = np.broadcast_to(at[:, None], known.shape)[known]
        rows.append(row)
        words.append(np.minimum(forward, backward)[known])
    empty = np.zeros(0, np.int64)
    return np.concatenate([empty, *rows]), np.concatenate([empty, *words])


def _numbers(codes: np.ndarray, powers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(N, L - k + 1) number of the word that starts at every base, and whether it is free of N."""
    n = codes.shape[1] - len(powers) + 1
    number, known = np.zeros((len(codes), n), np.int64), np.ones((len(codes), n), bool)
    for i, power in enumerate(powers):
        number += power * (codes[:, i : i + n] & 3).astype(np.int64)
        known &= codes[:, i : i + n] < 4
    return number, known
