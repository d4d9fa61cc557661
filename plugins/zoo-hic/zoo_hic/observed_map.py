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
    contigs = contacts.contigs if preprocess.expected == "genome" else [contig]
    longest = max(contacts.bins(c) for c in contigs)
    total, pairs = np.zeros(longest), np.zeros(longest)
    for name in contigs:
        n = contacts.bins(name)
        weights = None if contacts.weights is None else np.asarray(contacts.weights[name], np.float64)
        known = np.ones(n) if weights is None else np.isfinite(weights).astype(np.float64)
        pixels = contacts.pixels[name].tocoo()
        value = pixels.data.astype(np.float64) * known[pixels.row] * known[pixels.col]
        if preprocess.balance != "none":
            if weights is None:
                raise DataError(f"map {contacts.name!r} is not balanced: run `cooler balance` on its file")
            scale = np.nan_to_num(weights)
            value = value * scale[pixels.row] * scale[pixels.col]
        total[:n] += np.bincount(pixels.col - pixels.row, value, n)
        pairs[:n] += _known_pairs(known)
    mean = np.divide(total, pairs, out=np.full(longest, np.nan), where=pairs > 0)
    if preprocess.expected_pairs > 0:
        mean = smooth_far(total, pairs, preprocess.expected_pairs)
    return np.where(pairs >= 1, mean, np.nan)


def correlate_maps(predicted: np.ndarray, observed: np.ndarray) -> Agreement:
    """Of two squares (T, T) of log(O/E)."""
    row, column = np.triu_indices(len(predicted))
    x, y = predicted[row, column].astype(np.float64), observed[row, column].astype(np.float64)
    known = np.isfinite(x) & np.isfinite(y)
    x, y = x[known], y[known]
    if len(x) < 3 or x.std() == 0 or y.std() == 0:
        return Agreement(np.nan, int(known.sum()))
    return Agreement(float(np.corrcoef(x, y)[0, 1]), int(known.sum()))


def _known_pairs(known: np.ndarray) -> np.ndarray:
    """(n,) pairs of known bins that are d apart."""
    from scipy.signal import fftconvolve

    return np.rint(fftconvolve(known, known[::-1])[len(known) - 1 :])
