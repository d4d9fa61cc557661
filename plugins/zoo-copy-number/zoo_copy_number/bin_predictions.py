"""A network over a whole sample: windows that overlap, and for every bin what the windows around it say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from zoo.errors import ConfigError
from zoo.terminal.progress import counting
from zoo_copy_number.bins import Bins
from zoo_copy_number.tracks import autosomal, draw_sample, tracks_of
from zoo_copy_number.windows import cut

if TYPE_CHECKING:
    from zoo.model import Model

__all__ = ["BinPredictions", "predict_bins"]

ROWS = 16

TELLING = 32_768
"""Bins that tell a sample's bias: more than in training, where each window pays for its own."""


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

    Neighbouring windows overlap by a quarter; a bin's answer is their mean, each weighted by how far the bin is from
    the window's ends.  The bins that tell the sample's bias are drawn once, with `seed`.

    Raises ConfigError for a model with other inputs or heads.
    """
    import torch

    from zoo.prediction.inference import inferring

    if set(model.input_fields) != {"signal", "sample"} or not {"states", "log2"} <= set(model.spec.outputs):
        raise ConfigError(
            f"model {model.spec.name!r} does not call copy number: take one that was trained on simulated_depth"
        )
    size = model.spec.input_length
    autosomes = autosomal(bins)
    tracks = tracks_of(bins, autosomes)
    sample = draw_sample(
        tracks, min(TELLING, max(size, int((tracks[1] > 0).sum()))), np.random.default_rng(seed), autosomes
    )
    spans = cut(bins.contig, size, size * 3 // 4)
    states = len(model.spec.outputs["states"][0].vocabulary)
    ratios = [name for name in ("log2", "level") if name in model.spec.outputs]
    total, ratio, weight = np.zeros((len(bins), states)), np.zeros((len(ratios), len(bins))), np.zeros(len(bins))
    with inferring(model), counting(len(spans), label="calling", unit="windows", wanted=progress) as advance:
        for first in range(0, len(spans), ROWS):
            chosen = spans[first : first + ROWS]
            signal = np.zeros((len(chosen), len(tracks), size), np.float32)
            for row, (a, b) in enumerate(chosen):
                signal[row, :, : b - a] = tracks[:, a:b]
            batch = {
                "signal": torch.from_numpy(signal).to(model.device),
                "sample": torch.from_numpy(sample)[None].expand(len(chosen), -1, -1).to(model.device),
            }
            found = model.predict(batch)
            probability = found["states"].cpu().numpy()
            log2 = np.stack([found[name][:, 0].cpu().numpy() for name in ratios])
            for row, (a, b) in enumerate(chosen):
                near = 1.0 + np.minimum(np.arange(b - a), np.arange(b - a)[::-1])
                total[a:b] += near[:, None] * probability[row, :, : b - a].T
                ratio[:, a:b] += near * log2[:, row, : b - a]
                weight[a:b] += near
            advance(len(chosen))
    weight = np.maximum(weight, 1e-9)
    known = tracks[1] > 0
    answers = np.where(known, ratio / weight, np.nan).astype(np.float32)
    return BinPredictions((total / weight[:, None]).astype(np.float32), answers[0], known, *answers[1:])
