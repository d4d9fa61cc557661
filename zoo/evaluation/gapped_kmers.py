"""Gapped k-mer SVM (gkm-SVM) as a rival: LS-GKM's kernel -t 2 by `gkmsvm-lite`, the support vectors by scikit-learn.

sequences -> Gram matrix of some training rows -> SVC or SVR, C chosen on validation -> 4^11 weights -> any rows

Ghandi et al. 2014 (doi:10.1371/journal.pcbi.1003711), Lee 2016 (doi:10.1093/bioinformatics/btw142).  The kernel of two
sequences is a sum over their pairs of 11-mers.  So a decision value is the sum of one weight for each 11-mer of a
sequence, over the root of the sequence's kernel with itself: exact, and linear in the rows that are predicted.
"""

from __future__ import annotations

import warnings
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np

from zoo.evaluation.baselines import row_losses
from zoo.evaluation.split_predictions import sample_rows

L, K, D = 11, 7, 3
"""Length of a word, its informative bases, the mismatches that two words may have: the defaults of LS-GKM."""

COMPARISONS = 150_000_000_000
"""Of two words: about 100 seconds of one core for a Gram matrix, 0.7 ns each."""

_STRENGTHS = (1.0, 10.0)
_EPSILON = 0.1
_STRIP = 100

Predict = Callable[[np.ndarray], np.ndarray]


def sequences(codes: np.ndarray) -> np.ndarray:
    """codes (N, L) -> (N,) object, every sequence as bytes, so that sequences of several lengths stand in one array.

    An N becomes a base drawn at random, the same one in every run; the library would read every N as A.
    """
    out = np.empty(len(codes), object)
    for i, row in enumerate(np.ascontiguousarray(codes, np.uint8)):
        out[i] = _without_n(row).tobytes()
    return out


def rows_within(comparisons: int, length: int) -> int:
    """Training rows whose Gram matrix takes so many comparisons of two words; length: of the longest row, bp.

    >>> rows_within(COMPARISONS, 200), rows_within(COMPARISONS, 1000)
    (2038, 391)
    """
    return int(comparisons**0.5) // max(1, length - L + 1)


class GappedKmerSVM:
    """Fits one gkm-SVM a task; tasks with the same training rows share their Gram matrix.

    rows: most training rows, drawn with `seed`; None for as many as take about 100 seconds of one core.
    """

    def __init__(self, rows: int | None = None, seed: int = 0):
        self.rows, self.seed = rows, seed
        self._known: tuple[bytes, np.ndarray] | None = None

    def fit(
        self,
        values: str,
        train: np.ndarray,
        target: np.ndarray,
        validation: np.ndarray | None,
        validation_target: np.ndarray,
        weight: np.ndarray | None = None,
    ) -> tuple[Predict, str, int] | None:
        """`sequences` -> prediction (n,); a note on the fit; its training rows.  None where there is nothing to fit.

        train, validation: (n,) as `sequences` returns them; target: (n,) without missing labels; weight: (n,) or None.
        Predictions of binary targets are probabilities: the decision value through a logistic curve that is fitted to
        the validation rows (Platt 1999).  Others are in the target's unit; errors of 0.1 of its standard deviation
        are free, C is 1 or 10, whichever does better on validation.
        """
        longest = max((len(row) for row in train), default=0)
        most = self.rows or max(2, rows_within(COMPARISONS, longest))
        chosen = sample_rows(len(train), most, self.seed)
        y = target[chosen].astype(np.float64)
        if longest < L or len(np.unique(y)) < 2:
            return None
        checked = validation is not None and len(np.unique(validation_target)) > 1
        check, truth = (validation, validation_target) if checked else (train[chosen], y)
        codes = _matrix(train[chosen], self.seed)
        fits = []
        with _alone_and_quiet():
            gram = self._gram(codes)
            for strength in _STRENGTHS if checked else _STRENGTHS[:1]:
                machine = _solve(gram, codes, y, None if weight is None else weight[chosen], values, strength)
                predict = _calibrated(machine, check, truth) if values == "binary" else machine.decide
                fits.append((_loss(values, predict(check), truth), strength, predict))
        _, strength, predict = min(fits, key=lambda one: one[0])
        return predict, f"l={L} k={K} d={D} C={strength:g}", len(chosen)

    def _gram(self, codes: np.ndarray) -> np.ndarray:
        key = codes.tobytes()
        if self._known is None or self._known[0] != key:
            self._known = (key, gram_matrix(codes))
        return self._known[1]


def gram_matrix(codes: np.ndarray) -> np.ndarray:
    """codes (n, L) without N -> (n, n) normalised kernel, which sees a sequence and its reverse complement as one."""
    from gkmsvm.gram import compute_gram

    from zoo.terminal.progress import progress

    one_hot, n = _one_hot(codes), len(codes)
    gram = np.empty((n, n))
    strips = range(0, n, _STRIP)
    for first in progress(strips, total=len(strips), label="kernel of the gkm-SVM", unit="strips"):
        # The library uses the symmetry between its tiles alone, which are 1,000 rows wide.
        some = slice(first, first + _STRIP)
        gram[some, first:] = compute_gram(_kernel(True), one_hot[some], one_hot[first:])
        gram[first:, some] = gram[some, first:].T
    return gram


@dataclass(frozen=True)
class Machine:
    """A fitted gkm-SVM.

    weights: (4**11,) of every word, bias; both in the unit of the decision value.
    """

    weights: np.ndarray
    bias: float

    def decide(self, rows: np.ndarray) -> np.ndarray:
        """`sequences` (n,) -> decision values (n,); NaN for sequences shorter than a word."""
        out = np.full(len(rows), np.nan)
        lengths = np.array([len(row) for row in rows])
        with _alone_and_quiet():
            for length in np.unique(lengths[lengths >= L]):
                at = np.flatnonzero(lengths == length)
                step = max(1, (1 << 22) // int(length))
                for first in range(0, len(at), step):
                    some = at[first : first + step]
                    codes = _matrix(rows[some], 0)
                    norm = np.sqrt(_kernel(False).diagonal(_one_hot(codes)))
                    out[some] = self.weights[_words(codes)].sum(1) / norm + self.bias
        return out


def _solve(
    gram: np.ndarray, codes: np.ndarray, y: np.ndarray, weight: np.ndarray | None, values: str, strength: float
) -> Machine:
    """SVC (binary) or SVR with a given Gram matrix, as a weight for every word."""
    from sklearn.svm import SVC, SVR

    centre, scale = (0.0, 1.0) if values == "binary" else (y.mean(), y.std())
    if values == "binary":
        machine: Any = SVC(C=strength, kernel="precomputed").fit(gram, y > 0.5, sample_weight=weight)
    else:
        machine = SVR(C=strength, epsilon=_EPSILON, kernel="precomputed")
        machine.fit(gram, (y - centre) / scale, sample_weight=weight)
    support = codes[machine.support_]
    norm = np.sqrt(_kernel(False).diagonal(_one_hot(support)))
    share = scale * machine.dual_coef_[0] / norm
    return Machine(_spread(support, share), float(scale * machine.intercept_[0] + centre))


def _spread(codes: np.ndarray, share: np.ndarray) -> np.ndarray:
    """(4**11,) what every word gains from the words of some sequences on both strands.

    codes: (n, L); share: (n,) of each sequence's words.  The gain depends on the number of mismatches alone: it is a
    convolution over 11 axes of four bases.
    """
    from scipy import fft

    counts = np.zeros(4**L)
    for strand in (codes, 3 - codes[:, ::-1]):
        words = _words(strand)
        counts += np.bincount(words.ravel(), np.repeat(share, words.shape[1]), minlength=4**L)
    shape, mismatches = (4,) * L, reduce(np.add.outer, [np.array([0, 1, 1, 1])] * L)
    parts = (counts.reshape(shape), _mismatch_values()[mismatches])
    product = np.prod([np.asarray(fft.rfftn(part)) for part in parts], axis=0)
    return np.asarray(fft.irfftn(product, s=shape)).reshape(-1)


def _mismatch_values() -> np.ndarray:
    """(12,) kernel of two words with 0 to 11 mismatches."""
    from gkmsvm.kernels import EstTruncGkmKernel

    words = np.tri(L + 1, L, -1, dtype=np.uint8)
    kernel = EstTruncGkmKernel(l=L, k=K, d=D, normalize=False, include_rc=False)
    return kernel.pairwise(_one_hot(words[:1]), _one_hot(words))[0]


def _kernel(normalize: bool) -> Any:
    from gkmsvm.kernels import EstTruncGkmKernel

    return EstTruncGkmKernel(l=L, k=K, d=D, normalize=normalize)


def _calibrated(machine: Machine, check: np.ndarray, truth: np.ndarray) -> Predict:
    from sklearn.linear_model import LogisticRegression

    scores = machine.decide(check)
    known = np.isfinite(scores)
    scale = max(float(scores[known].std()), 1e-12) if known.any() else 1.0
    curve = LogisticRegression(C=1e4).fit(scores[known, None] / scale, truth[known] > 0.5)
    # Never downwards: the ranks stay those of the decision value.
    slope, offset = max(float(curve.coef_[0, 0]), 1e-6) / scale, float(curve.intercept_[0])
    return lambda rows: 1 / (1 + np.exp(-np.clip(slope * machine.decide(rows) + offset, -700, 700)))


def _loss(values: str, prediction: np.ndarray, truth: np.ndarray) -> float:
    known = np.isfinite(prediction)
    return float(row_losses(prediction[known], truth[known], values).mean())


def _matrix(rows: np.ndarray, seed: int) -> np.ndarray:
    """(n, longest) codes; shorter rows are filled up with random bases, as the library wants one length."""
    lengths = [len(row) for row in rows]
    codes = np.random.default_rng(seed).integers(0, 4, (len(rows), max(lengths)), np.uint8)
    for i, row in enumerate(rows):
        codes[i, : lengths[i]] = np.frombuffer(row, np.uint8)
    return codes


def _without_n(row: np.ndarray) -> np.ndarray:
    unknown = np.flatnonzero(row > 3)
    if len(unknown):
        drawn = np.random.default_rng(zlib.crc32(row.tobytes())).integers(0, 4, len(unknown))
        row = row.copy()
        row[unknown] = drawn
    return row


def _one_hot(codes: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray((codes[:, None] == np.arange(4, dtype=np.uint8)[:, None]).astype(np.float64))


def _words(codes: np.ndarray) -> np.ndarray:
    """codes (n, L) -> (n, L - 10) the 11-mer at every position, as a number of 22 bits."""
    positions = codes.shape[1] - L + 1
    words = np.zeros((len(codes), positions), np.int64)
    for i in range(L):
        words = words * 4 + codes[:, i : i + positions]
    return words


@contextmanager
def _alone_and_quiet() -> Iterator[None]:
    """As many threads of numba as torch has, and none of the library's warnings on threading."""
    import numba
    import torch

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import gkmsvm  # noqa: F401  (chooses how numba starts its threads)

        before = numba.get_num_threads()
        numba.set_num_threads(max(1, min(torch.get_num_threads(), before)))
        try:
            yield
        finally:
            numba.set_num_threads(before)
