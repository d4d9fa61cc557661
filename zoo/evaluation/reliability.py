"""Whether probabilities are what they say: expected calibration error, and the reliability curve behind it.

probabilities (n,), labels (n,) -> up to 10 bins of equal numbers of examples -> share of positives beside the mean
probability of each -> the mean gap, weighted by the examples (ECE)

An ECE is never negative, so that noise alone raises it: of a calibrated model too it is above 0, and the fewer the
examples, the further.  `ece_by_chance` says how far.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zoo.evaluation.ranks import tied_groups

BINS = 10
"""Of equal numbers of examples; equal predictions share a bin, so that there may be fewer."""

_Z = 1.96
_DRAWS = 4_000


@dataclass(frozen=True)
class ReliabilityCurve:
    """One entry a bin, by rising prediction.

    n: examples.  predicted: their mean probability.  observed: their share of positives, with its 95 % Wilson interval.
    """

    n: np.ndarray
    predicted: np.ndarray
    observed: np.ndarray
    low: np.ndarray
    high: np.ndarray


def ece(target: np.ndarray, prediction: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Expected calibration error: mean distance between probability and share of positives, over 10 bins of equal
    numbers of examples (Naeini et al. 2015, with the equal-mass bins of Nixon et al. 2019).

    target: (n,) 0 or 1; prediction: (n,) probabilities of a 1; counts: (R, n) weights.  Returns (R,).

    >>> ece(np.array([0, 0, 0, 1]), np.array([0.25, 0.25, 0.25, 0.25]), np.ones((1, 4)))
    array([0.])
    """
    order, starts = tied_groups(prediction)
    ordered = counts[:, order]
    examples = np.add.reduceat(ordered, starts, axis=1)
    positives = np.add.reduceat(ordered * target[order].astype(np.float64), starts, axis=1)
    gaps = positives - examples * prediction[order][starts].astype(np.float64)
    at = _bins(examples) + BINS * np.arange(len(counts))[:, None]
    sums = np.bincount(at.ravel(), gaps.ravel(), minlength=BINS * len(counts)).reshape(len(counts), BINS)
    total = examples.sum(1)
    return np.divide(np.abs(sums).sum(1), total, out=np.full(len(counts), np.nan), where=total > 0)


def class_ece(target: np.ndarray, prediction: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """ECE of the probability of the class that is called, against how often that call is right.

    target: (n,) class ids, those below 0 are left out; prediction: (n, K) probabilities.
    """
    known = target >= 0
    confidence, right = confidence_of(target[known], prediction[known])
    return ece(right, confidence, counts[:, known])


def confidence_of(target: np.ndarray, prediction: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """target (n,), prediction (n, K) -> probability of the class that is called (n,), and whether it is right (n,)."""
    return prediction.max(1), (prediction.argmax(1) == target).astype(np.float64)


def ece_by_chance(prediction: np.ndarray) -> tuple[float, float]:
    """Mean and 95th percentile of the ECE of a model that is calibrated, if it predicts these probabilities.

    prediction: (n,) probabilities, or (n, K) of classes.  The gap of a bin is drawn from the normal distribution of a
        sum of so many labels.
    """
    prediction = prediction if prediction.ndim == 1 else prediction.max(1)
    order, starts = tied_groups(prediction)
    p = prediction[order].astype(np.float64)
    n = np.diff(starts, append=len(p))
    variance = np.bincount(_bins(n[None])[0], np.add.reduceat(p * (1 - p), starts), minlength=BINS)
    gaps = np.abs(np.random.default_rng(0).normal(size=(_DRAWS, BINS))) @ np.sqrt(np.maximum(variance, 0)) / len(p)
    return float(gaps.mean()), float(np.quantile(gaps, 0.95))


def reliability_curve(target: np.ndarray, prediction: np.ndarray) -> ReliabilityCurve:
    """target: (n,) 0 or 1; prediction: (n,) probabilities -> the bins of `ece`, without those that are empty."""
    order, starts = tied_groups(prediction)
    sizes = np.diff(starts, append=len(order))
    at = np.repeat(_bins(sizes[None])[0], sizes)
    n = np.bincount(at, minlength=BINS)
    used = n > 0
    sums = (np.bincount(at, x[order].astype(np.float64), minlength=BINS)[used] for x in (prediction, target))
    n = n[used]
    predicted, observed = (x / n for x in sums)
    return ReliabilityCurve(n, predicted, observed, *_wilson(observed, n))


def _bins(examples: np.ndarray) -> np.ndarray:
    """(R, G) examples of every distinct prediction, ascending -> the bin that the middle one of them is in."""
    upto = np.cumsum(examples, axis=1)
    middle = (upto - examples / 2) / np.maximum(upto[:, -1:], 1e-300)
    return np.clip((middle * BINS).astype(np.int64), 0, BINS - 1)


def _wilson(share: np.ndarray, n: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    centre = (share + _Z**2 / (2 * n)) / (1 + _Z**2 / n)
    half = _Z / (1 + _Z**2 / n) * np.sqrt(share * (1 - share) / n + _Z**2 / (4 * n**2))
    return np.clip(centre - half, 0, 1), np.clip(centre + half, 0, 1)
