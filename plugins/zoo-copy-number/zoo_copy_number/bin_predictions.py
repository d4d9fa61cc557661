"""A network over a whole sample: overlapping windows, averaged bin by bin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from zoo.errors import ConfigError
from zoo.terminal.progress import counting
from zoo_copy_number.bins import Bins
from zoo_copy_number.tracks import cut_windows, draw_sample, is_autosomal, stack_tracks

if TYPE_CHECKING:
    from zoo.model import Model

ROWS = 16

BIAS_BINS = 32_768
"""Bins from which a sample's bias is estimated; training uses fewer, since each window draws its own."""


@dataclass(frozen=True)
class BinPredictions:
    """probability: (n, K) of 0, 1, 2, 3 and at least 4 copies.  corrected: (n,) log2 depth less the sample's bias,
    NaN where the depth is not known.  known: (n,) bool.  level: (n,) corrected depth without its noise, or None."""

    probability: np.ndarray
    corrected: np.ndarray
    known: np.ndarray
    level: np.ndarray | None = None


def predict_bins(model: Model, bins: Bins, *, seed: int = 0, progress: bool = False) -> BinPredictions:
    """Run a model of `simulated_depth`'s kind over every bin.

    Neighbouring windows overlap by a quarter; a bin's prediction is their mean, weighted by the bin's distance to
    the window's ends.  The bins for the sample's bias are drawn once, with `seed`.

    Raises ConfigError for a model with other inputs or heads.
    """
    import torch

    from zoo.prediction.inference import inferring

    if set(model.input_fields) != {"signal", "sample"} or not {"states", "log2"} <= set(model.spec.outputs):
        raise ConfigError(
            f"model {model.spec.name!r} does not call copy number: take one that was trained on simulated_depth"
        )
    size = model.spec.input_length
    autosomes = is_autosomal(bins)
    tracks = stack_tracks(bins, autosomes)
    known = tracks[1] > 0
    n_drawn = min(BIAS_BINS, max(size, int(known.sum())))
    sample = draw_sample(tracks, n_drawn, np.random.default_rng(seed), autosomes)
    spans = cut_windows(bins.contig, size, size * 3 // 4)
    states = len(model.spec.outputs["states"][0].vocabulary)
    ratios = [name for name in ("log2", "level") if name in model.spec.outputs]
    total, ratio, weight = np.zeros((len(bins), states)), np.zeros((len(ratios), len(bins))), np.zeros(len(bins))
    with inferring(model), counting(len(spans), label="calling", unit="windows", enabled=progress) as advance:
        for first in range(0, len(spans), ROWS):
            batch_spans = spans[first : first + ROWS]
            signal = np.zeros((len(batch_spans), len(tracks), size), np.float32)
            for row, (a, b) in enumerate(batch_spans):
                signal[row, :, : b - a] = tracks[:, a:b]
            batch = {
                "signal": torch.from_numpy(signal).to(model.device),
                "sample": torch.from_numpy(sample)[None].expand(len(batch_spans), -1, -1).to(model.device),
            }
            output = model.predict(batch)
            probability = output["states"].cpu().numpy()
            log2 = np.stack([output[name][:, 0].cpu().numpy() for name in ratios])
            for row, (a, b) in enumerate(batch_spans):
                near = 1.0 + np.minimum(np.arange(b - a), np.arange(b - a)[::-1])
                total[a:b] += near[:, None] * probability[row, :, : b - a].T
                ratio[:, a:b] += near * log2[:, row, : b - a]
                weight[a:b] += near
            advance(len(batch_spans))
    weight = np.maximum(weight, 1e-9)
    means = np.where(known, ratio / weight, np.nan).astype(np.float32)
    return BinPredictions((total / weight[:, None]).astype(np.float32), means[0], known, *means[1:])
