"""Phred quality of a segment, from the probabilities of its bins, fitted to held-out truth.

segment -> features (10,) -> logistic regression -> P(the direction is right) -> -10 log10(1 - P)
"""

from __future__ import annotations

import numpy as np

from zoo_copy_number.segmentation import SEGMENT

CAP = 60.0
"""Largest quality: no calibration set has the 10^6 segments that more would need."""


def features(segments: np.ndarray, expected: np.ndarray, noise: float) -> np.ndarray:
    """(S, 10): one, log bins, mean log odds of its direction, the step from the expected depth in standard errors, odds
    by bins; in the first five of a segment that is as expected, in the last five of one that is not, else 0.

    segments: of dtype SEGMENT.  expected: (S,) copies that the sample should have there.
    """
    assert segments.dtype == SEGMENT
    level = np.log2(np.maximum(expected, 0.25) / 2)
    step = np.abs(segments["log2"] - level)
    errors = step / noise * np.sqrt(np.maximum(segments["bins"], 1))
    size = np.log1p(segments["bins"].astype(float))
    odds = np.clip(segments["margin"].astype(float), -6, 9)
    stacked = np.stack([np.ones(len(segments)), size, odds, np.log1p(errors), odds * size], axis=1)
    altered = (segments["state"] != expected)[:, None]
    return np.concatenate([stacked * ~altered, stacked * altered], axis=1)


def fit_quality(x: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Coefficients (F,) of a weakly regularised logistic regression of `right` (S,) bool on features x (S, F)."""
    from scipy.optimize import minimize

    y = np.where(right, 1.0, -1.0)

    def loss(w: np.ndarray) -> tuple[float, np.ndarray]:
        z = y * (x @ w)
        slope = -y / (1 + np.exp(np.clip(z, -50, 50)))
        return float(np.logaddexp(0, -z).sum() + 0.05 * w @ w), x.T @ slope + 0.1 * w

    return minimize(loss, np.zeros(x.shape[1]), jac=True, method="L-BFGS-B").x


def phred(x: np.ndarray, coefficients: np.ndarray) -> np.ndarray:
    """features (S, F) -> (S,) qualities from 0 to 60."""
    z = np.clip(x @ np.asarray(coefficients, float), -50, 50)
    return np.clip(10 / np.log(10) * np.logaddexp(0, z), 0, CAP)
