"""Predicted and observed maps of whole contigs, or of the parts of them that belong to a split.

windows of a split's stretches ── a quarter apart, averaged ──> predicted ─┐
the source's squares ─────────────────────────────────────────> observed ──┴──> metrics.compare_maps
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zoo_hic.metrics.bands import Squares
from zoo_hic.predictor import Predictor
from zoo_hic.windows import SquareWindows, average_windows


@dataclass(frozen=True)
class MapEvaluation:
    """{channel: {stretch: (T, T) natural log(O/E)}}; a stretch is named by its contig, and by its bins where it is a
    part of one.  offsets: {stretch: (contig, first bin)}."""

    predicted: dict[str, Squares]
    observed: dict[str, Squares]
    offsets: dict[str, tuple[str, int]]


def predict_stretches(predictor: Predictor, examples: SquareWindows, *, progress: bool = False) -> MapEvaluation:
    """Predict every stretch of a split.

    Pairs that no training target has (too near, too far apart) are unknown in both, and so are those further apart than
    three quarters of a window where a stretch takes several.
    """
    window, width = predictor.bins, predictor.bin_size
    step = max(1, window // 4)
    predicted = {name: {} for name in predictor.channels}
    observed = {name: {} for name in predictor.channels}
    offsets = {}
    for stretch in examples.stretches:
        size = stretch.last - stretch.first
        starts = examples.starts(stretch, step)
        codes = np.stack([stretch.codes(s * width, (s + window) * width) for s in starts])
        signal = None
        if examples.signal is not None:
            signal = np.stack([examples.tracks(examples.signal[stretch.contig], s) for s in starts])
        maps = predictor.maps(codes, signal=signal, label=f"predicting {stretch.contig}", progress=progress)
        mean = average_windows(maps, [s - stretch.first for s in starts], size, step)
        truth = stretch.squares[:, stretch.first : stretch.last, stretch.first : stretch.last]
        whole = stretch.first == 0 and stretch.last >= stretch.squares.shape[1]
        name = stretch.contig if whole else f"{stretch.contig} bins {stretch.first}-{stretch.last}"
        offsets[name] = (stretch.contig, stretch.first)
        for c, channel in enumerate(predictor.channels):
            known = np.isfinite(mean[c]) & np.isfinite(truth[c])
            predicted[channel][name] = np.where(known, mean[c], np.nan).astype(np.float64)
            observed[channel][name] = np.where(known, truth[c], np.nan).astype(np.float64)
    return MapEvaluation(predicted, observed, offsets)
