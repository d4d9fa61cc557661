"""Metrics that training and `zoo evaluate` print for maps of windows; intervals come from resampling windows.

Windows that overlap share pixels, so these intervals are too narrow there; `zoo evaluate-contacts` puts windows
together into maps of whole contigs and resamples blocks of them.
"""

from __future__ import annotations

import numpy as np

from zoo.evaluation.metrics import Metric
from zoo.fields import Field
from zoo_hic.metrics.blocks import pearson_from_sums


def _is_map(field: Field) -> bool:
    return field.axes == "CTT" and field.values == "real"


def map_pearson(target: np.ndarray, prediction: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Pearson's correlation over all known pixels of windows (n, T, T)."""
    return pearson_from_sums(counts @ _sums(target, prediction).sum(1))


def mean_diagonal_pearson(target: np.ndarray, prediction: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Pearson's correlation of every diagonal by itself, averaged with the number of its pixels as weight.

    What follows distance alone adds nothing to it, whatever was left of distance in the target.
    """
    sums = _sums(target, prediction)
    taken = (counts @ sums.reshape(len(sums), -1)).reshape(len(counts), *sums.shape[1:])
    each, weight = pearson_from_sums(taken), taken[..., 0]
    known = np.isfinite(each)
    total = np.where(known, weight, 0).sum(1)
    return np.where(total > 0, np.where(known, each * weight, 0).sum(1) / np.maximum(total, 1), np.nan)


def map_mse(target: np.ndarray, prediction: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Mean squared error over all known pixels; 0 everywhere, distance alone, gives the target's mean square."""
    known = np.isfinite(target)
    error = np.where(known, prediction - np.where(known, target, 0), 0).astype(np.float64) ** 2
    n = counts @ known.sum((1, 2)).astype(np.float64)
    return np.where(n > 0, counts @ error.sum((1, 2)) / np.maximum(n, 1), np.nan)


def _sums(target: np.ndarray, prediction: np.ndarray) -> np.ndarray:
    """(n, T, 6) of each window and diagonal: pixels, x, y, xx, yy, xy."""
    out = np.zeros((*target.shape[:2], 6))
    for d in range(target.shape[1]):
        x = np.diagonal(target, d, 1, 2).astype(np.float64)
        y = np.diagonal(prediction, d, 1, 2).astype(np.float64)
        known = np.isfinite(x) & np.isfinite(y)
        x, y = np.where(known, x, 0), np.where(known, y, 0)
        out[:, d] = np.stack([known.sum(1), x.sum(1), y.sum(1), (x * x).sum(1), (y * y).sum(1), (x * y).sum(1)], 1)
    return out


PEARSON = Metric("pearson", map_pearson, _is_map, "windows")
"""Pearson's correlation over all known pixels of the windows."""
MEAN_DIAGONAL = Metric("mean_diagonal_pearson", mean_diagonal_pearson, _is_map, "windows")
"""Pearson's correlation of every diagonal by itself, averaged with the number of its pixels as weight."""
MSE = Metric("mse", map_mse, _is_map, "windows")
"""Mean squared error over all known pixels."""
