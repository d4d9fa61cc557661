"""What the bases at a splice site alone say: position weight matrices and first-order Markov chains of 5' and 3' sites.

sites of the training split (n, 9) and (n, 23), background -> SiteModel -> score of every base (N, 2, L)

The windows are those of MaxEntScan (Yeo and Burge 2004): 3 bases of the exon and 6 of the intron at a donor, 20 of the
intron and 3 of the exon at an acceptor.  The chain, in which a base depends on the one before it, is their first-order
Markov model; the matrix leaves the base before out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

WIDTHS, PLACES = (23, 9), (20, 2)
"""bp of an acceptor's and a donor's window, and where in it the labelled base stands."""

_PSEUDOCOUNT = 1.0


@dataclass(frozen=True, eq=False)
class SiteModel:
    """Log-odds of a window to be a site against background.

    tables: for acceptor and donor (W, 5, 5): log2 of the ratio of the probabilities of a base (last axis, N the fifth)
        after a base (axis 1); N scores as the worst base does.
    """

    tables: tuple[np.ndarray, ...]

    @classmethod
    def fit(cls, sites: tuple[np.ndarray, ...], background: np.ndarray, order: int) -> SiteModel:
        """sites: for acceptor and donor codes (n, W).  background: codes (N, L).  order: 0 or 1 bases before."""
        pairs = _pairs(background[:, :-1].ravel(), background[:, 1:].ravel())
        return cls(tuple(_table(codes, pairs, order) for codes in sites))

    def score(self, codes: np.ndarray) -> np.ndarray:
        """codes: (N, L) -> (N, 2, L) float32; beyond the window's ends is N."""
        out = np.zeros((len(codes), len(WIDTHS), codes.shape[1]), np.float32)
        for kind, (table, width, place) in enumerate(zip(self.tables, WIDTHS, PLACES, strict=True)):
            # One more base in front: the first base of a window scores by itself, whatever stands before it.
            padded = np.pad(codes, ((0, 0), (place + 1, width - 1 - place)), constant_values=4).astype(np.intp)
            pair = 5 * padded[:, :-1] + padded[:, 1:]
            for i in range(width):
                out[:, kind] += table[i].ravel()[pair[:, i : i + codes.shape[1]]]
        return out


def site_windows(codes: np.ndarray, kind: int, row: np.ndarray, place: np.ndarray) -> np.ndarray:
    """The windows (m, W) of sites at (row, place) of codes (N, L); those that leave it are left out."""
    first = place - PLACES[kind]
    inside = (first >= 0) & (first + WIDTHS[kind] <= codes.shape[1])
    return sliding_window_view(codes, WIDTHS[kind], axis=1)[row[inside], first[inside]]


def _pairs(before: np.ndarray, base: np.ndarray) -> np.ndarray:
    """(4, 4) how often a base (column) follows a base (row)."""
    known = (before < 4) & (base < 4)
    counts = np.bincount(before[known].astype(np.int64) * 4 + base[known], minlength=16)
    return counts.reshape(4, 4) + _PSEUDOCOUNT


def _table(codes: np.ndarray, background: np.ndarray, order: int) -> np.ndarray:
    table = np.zeros((codes.shape[1], 5, 5), np.float32)
    for i in range(codes.shape[1]):
        # In front of the first base nothing of the window stands: pairs of it and every base alike.
        before = codes[:, i - 1] if i and order else None
        own = _share(_pairs(before, codes[:, i])) if before is not None else _share(_singles(codes[:, i]))
        other = _share(background) if before is not None else _share(background.sum(0))
        table[i, :4, :4] = np.log2(own / other)
        table[i, 4, :4] = table[i, :4, :4].min(0)
        table[i, :, 4] = table[i, :4, :4].min()
    return table


def _singles(base: np.ndarray) -> np.ndarray:
    return np.bincount(base[base < 4], minlength=4) + _PSEUDOCOUNT


def _share(counts: np.ndarray) -> np.ndarray:
    return counts / counts.sum(-1, keepdims=True)
