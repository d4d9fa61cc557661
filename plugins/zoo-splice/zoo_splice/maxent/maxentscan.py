"""MaxEntScan (Yeo and Burge 2004): how strong a 5' or 3' splice site is, by its bases and what they have in common.

installed tables -> MaxEntScan -> log2 odds of donors (n, 9) and acceptors (n, 23), or of every base (N, 2, L)

A donor is 3 bases of the exon and 6 of the intron, an acceptor 20 of the intron and 3 of the exon.  The two bases that
nearly all introns share (GT, AG) are scored by their shares, the others by the model.  That of acceptors is a product
of five words of 7 bases over the four words in which they overlap.

The tables are the authors'.  They are not part of this package: they are read from an installed `multimolecule`, which
brings them as text, and compared with a sha256.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from zoo.errors import HubError
from zoo.evaluation.baselines import Baseline
from zoo.hub.distribution import read_installed
from zoo_splice.site_models import PLACES, WIDTHS

INSTALL = "multimolecule==0.2.2"
TERMS = "AGPL-3.0; the tables are of Yeo and Burge, J. Comput. Biol. 11:377 (2004)"
FLOOR = -200.0
"""Score of a window that holds an N or leaves the sequence: below any other, of which none is less than -133."""

_FOLDER = "dist://multimolecule/multimolecule/models/maxentscan"
_DONORS = f"{_FOLDER}/score5_me2x5.txt@7ca9b82053c6e32e19feb58536795d70b2c29ff029f7457ca6a54d7b290be282"
_ACCEPTORS = f"{_FOLDER}/score3_me2x3acc.txt@b78f4c04e4e2e25b089db13953fdfa0c5c9a178fa42323e82d111fd4499b10fb"
_MOST_BYTES = 1 << 22

_BACKGROUND = np.array([0.27, 0.23, 0.23, 0.27])
_GT = np.array([[0.004, 0.0032, 0.9896, 0.0032], [0.0034, 0.0039, 0.0042, 0.9884]])
_AG = np.array([[0.9903, 0.0032, 0.0034, 0.0030], [0.0027, 0.0037, 0.9905, 0.0030]])
_SHARED = (18, 3)
"""Where in the windows of acceptor and donor AG and GT stand."""

_WORDS = (
    (
        *((range(i, i + 7), 1) for i in (0, 7, 14, 4, 11)),
        *((word, -1) for word in (range(4, 7), range(7, 11), range(11, 14), range(14, 18))),
    ),
    ((range(0, 7), 1),),
)
"""Of acceptor and donor: words of the window without its two shared bases, and whether they multiply or divide."""


@dataclass(frozen=True, eq=False)
class MaxEntScan:
    """tables: for acceptor and donor one array a word, (4**bases,), the word's value by its number in base 4 (ACGT)."""

    tables: tuple[Sequence[np.ndarray], Sequence[np.ndarray]]

    def __post_init__(self) -> None:
        for words, tables in zip(_WORDS, self.tables, strict=True):
            sizes = [4 ** len(word) for word, _ in words]
            if [t.shape for t in tables] != [(n,) for n in sizes] or not all(
                np.isfinite(t).all() and (t > 0).all() for t in tables
            ):
                raise HubError(f"tables of MaxEntScan must hold {sizes} positive numbers: install '{INSTALL}' again")

    def donors(self, codes: np.ndarray) -> np.ndarray:
        """codes (..., 9) -> (...) log2 odds of a 5' splice site, NaN where there is an N."""
        return self._odds(codes, 1)

    def acceptors(self, codes: np.ndarray) -> np.ndarray:
        """codes (..., 23) -> (...) log2 odds of a 3' splice site, NaN where there is an N."""
        return self._odds(codes, 0)

    def score(self, codes: np.ndarray) -> np.ndarray:
        """codes (N, L) -> (N, 2, L) float32: every base as the acceptor and the donor that data=splice_sites labels."""
        out = np.zeros((len(codes), len(WIDTHS), codes.shape[1]), np.float32)
        for kind, (width, place) in enumerate(zip(WIDTHS, PLACES, strict=True)):
            padded = np.pad(codes, ((0, 0), (place, width - 1 - place)), constant_values=4)
            for row, windows in enumerate(sliding_window_view(padded, width, axis=1)):
                odds = self._odds(windows, kind)
                out[row, kind] = np.where(np.isnan(odds), FLOOR, odds)
        return out

    def _odds(self, codes: np.ndarray, kind: int) -> np.ndarray:
        at, shares = _SHARED[kind], (_AG, _GT)[kind]
        known = np.minimum(codes, 3).astype(np.int64)
        first, second = known[..., at], known[..., at + 1]
        odds = np.log2(shares[0][first] * shares[1][second] / (_BACKGROUND[first] * _BACKGROUND[second]))
        rest = np.delete(known, [at, at + 1], axis=-1)
        for (word, sign), table in zip(_WORDS[kind], self.tables[kind], strict=True):
            number = rest[..., word.start : word.stop] @ (4 ** np.arange(len(word))[::-1])
            odds = odds + sign * np.log2(table[number])
        return np.where((codes > 3).any(-1), np.nan, odds)


@cache
def installed_maxentscan() -> MaxEntScan:
    """With the tables of the installed distribution.  HubError, which says what to install, without it."""
    try:
        donors, acceptors = (read_installed(text, _MOST_BYTES) for text in (_DONORS, _ACCEPTORS))
    except HubError as error:
        raise HubError(
            f"the tables of MaxEntScan are not here ({error}): pip install --no-deps '{INSTALL}', under its terms "
            f"({TERMS})"
        ) from error
    ends = np.cumsum([4 ** len(word) for word, _ in _WORDS[0]])[:-1]
    return MaxEntScan((np.split(_numbers(acceptors), ends), [_numbers(donors)]))


def maxent_baselines() -> list[Baseline]:
    """MaxEntScan beside a model of splice sites, where its tables are installed."""
    try:
        model = installed_maxentscan()
    except HubError:
        return []
    return [Baseline("MaxEntScan", model.score, scores=True)]


def _numbers(raw: bytes) -> np.ndarray:
    lines = [line for line in raw.decode("ascii").splitlines() if not line.startswith("#")]
    return np.array(lines, np.float64)
