"""log(O/E) of a measured map in the bins of a prediction, after a model's own preprocessing.

The expected contacts by distance are those of the whole contig (or genome), from the sparse pixels: no dense square of
a whole chromosome is made.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zoo.errors import DataError
from zoo_hic.expected import smooth_far
from zoo_hic.maps import ContactMap
from zoo_hic.preprocess import Preprocess
from zoo_hic.region_prediction import PredictedRegion


@dataclass(frozen=True)
class Agreement:
    """pearson: of predicted and observed log(O/E) over `pairs` known in both, i <= j; NaN where either is constant.
    Distance alone predicts 0 everywhere, whose correlation is taken as 0."""

    pearson: float
    pairs: int


def observed_square(contacts: ContactMap, predicted: PredictedRegion, preprocess: Preprocess) -> np.ndarray:
    """(T, T) float32, natural log(O/E) of the prediction's bins, NaN where unknown.

    Raises DataError where the map does not reach them, or has bins of another size.
    """
    if contacts.resolution != predicted.bin_size:
        raise DataError(
            f"map {contacts.name!r} has bins of {contacts.resolution:,} bp, the prediction of {predicted.bin_size:,}: "
            "read it at that resolution"
        )
    first, last, total = predicted.first, predicted.first + predicted.bins, contacts.bins(predicted.contig)
    inside = min(last, total)
    if inside <= first:
        raise DataError(f"map {contacts.name!r} ends before {predicted.region}: is it of this assembly?")
    balanced = preprocess.balance != "none"
    expected = expected_by_distance(contacts, predicted.contig, preprocess)
    # Filling and smoothing look at neighbours, so that they need a rim.
    rim = preprocess.fill + int(np.ceil(4 * preprocess.smooth))
    low, high = max(first - rim, 0), min(inside + rim, total)
    log_oe = preprocess.apply(contacts.square(predicted.contig, low, high, balanced=balanced), expected)
    if preprocess.log != "e":
        log_oe = log_oe * np.float32(np.log(float(preprocess.log)))
    out = np.full((predicted.bins, predicted.bins), np.nan, np.float32)
    part = slice(first - low, inside - low)
    out[: inside - first, : inside - first] = log_oe[part, part]
    return out


def expected_by_distance(contacts: ContactMap, contig: str, preprocess: Preprocess) -> np.ndarray:
    """(T,) mean contact by bins apart, as `Preprocess.expect` has it, of a contig or of all contigs."""
    if contacts.weights is None and preprocess.balance != "none":
        raise DataError(f"map {contacts.name!r} is not balanced: run `cooler balance` on its file")
    from scipy.signal import fftconvolve

    contigs = contacts.contigs if preprocess.expected == "genome" else [contig]
    longest = max(contacts.bins(c) for c in contigs)
    total, pairs = np.zeros(longest), np.zeros(longest)
    for name in contigs:
        n = contacts.bins(name)
        weights = np.ones(n) if contacts.weights is None else np.asarray(contacts.weights[name], np.float64)
        known = np.isfinite(weights).astype(np.float64)
        scale = known if preprocess.balance == "none" else np.where(known > 0, weights, 0)
        pixels = contacts.pixels[name].tocoo()
        value = pixels.data.astype(np.float64) * scale[pixels.row] * scale[pixels.col]
        total[:n] += np.bincount(pixels.col - pixels.row, value, n)
        pairs[:n] += np.rint(fftconvolve(known, known[::-1])[n - 1 :])  # of known bins that are d apart
    return np.where(pairs > 0, smooth_far(total, pairs, preprocess.expected_pairs), np.nan)


def correlate_maps(predicted: np.ndarray, observed: np.ndarray) -> Agreement:
    """Of two squares (T, T) of log(O/E)."""
    row, column = np.triu_indices(len(predicted))
    x, y = predicted[row, column].astype(np.float64), observed[row, column].astype(np.float64)
    known = np.isfinite(x) & np.isfinite(y)
    x, y = x[known], y[known]
    if len(x) < 3 or x.std() == 0 or y.std() == 0:
        return Agreement(np.nan, int(known.sum()))
    return Agreement(float(np.corrcoef(x, y)[0, 1]), int(known.sum()))
