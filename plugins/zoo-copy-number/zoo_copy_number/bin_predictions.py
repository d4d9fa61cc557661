"""A network over a whole sample: overlapping windows, averaged bin by bin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from zoo.errors import ConfigError, DataError
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


def predict_bins(
    model: Model,
    bins: Bins,
    *,
    shift: np.ndarray | None = None,
    before: BinPredictions | None = None,
    seed: int = 0,
    progress: bool = False,
) -> BinPredictions:
    """Run a model of `simulated_depth`'s kind over every bin.

    Neighbouring windows overlap by a quarter; a bin's prediction is their mean, weighted by the bin's distance to
    the window's ends.  The bins for the sample's bias are drawn once, with `seed`.

    shift: (n,) added to log2 depth.  before: predictions without it, which contigs without a shift keep.

    Raises ConfigError for a model with other inputs or heads.
    """
    if set(model.input_fields) != {"signal", "sample"} or not {"states", "log2"} <= set(model.spec.outputs):
        raise ConfigError(
            f"model {model.spec.name!r} does not call copy number: take one that was trained on simulated_depth"
        )
    size = model.spec.input_length
    autosomes = is_autosomal(bins)
    tracks = stack_tracks(bins, autosomes, shift)
    known = tracks[1] > 0
    drawn = min(BIAS_BINS, max(size, int(known.sum())))
    sample = draw_sample(tracks, drawn, np.random.default_rng(seed), autosomes)
    spans = cut_windows(bins.contig, size, size * 3 // 4)
    changed = np.ones(len(bins), bool)
    if shift is not None and before is not None:
        changed = np.isin(bins.contig, np.unique(bins.contig[shift != 0]))
        spans = [(a, b) for a, b in spans if changed[a]]
    total, ratio = _add_windows(model, tracks, sample, spans, progress)
    means = np.where(known, ratio, np.nan).astype(np.float32)
    total = total.astype(np.float32)
    if before is not None and not changed.all():
        kept = np.stack([before.corrected, *([] if before.level is None else [before.level])])
        total, means = np.where(changed[:, None], total, before.probability), np.where(changed, means, kept)
    return BinPredictions(total, means[0], known, *means[1:])


def _add_windows(
    model: Model, tracks: np.ndarray, sample: np.ndarray, spans: list[tuple[int, int]], progress: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Means over windows: probability (n, K), and the outputs log2 and level (1 or 2, n); 0 where there is none."""
    import torch

    from zoo.prediction.inference import inferring

    size, n = model.spec.input_length, tracks.shape[1]
    states = len(model.spec.outputs["states"][0].vocabulary)
    ratios = [name for name in ("log2", "level") if name in model.spec.outputs]
    total, ratio, weight = np.zeros((n, states)), np.zeros((len(ratios), n)), np.zeros(n)
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
    if not (np.isfinite(total).all() and np.isfinite(ratio).all()):
        raise DataError(f"model {model.spec.name!r} gives NaN or infinity for this sample: take another model")
    weight = np.maximum(weight, 1e-9)
    return total / weight[:, None], ratio / weight


def estimate_noise(corrected: np.ndarray, contig: np.ndarray) -> float:
    """Standard deviation of corrected log2 depth of a bin, from the differences of neighbours (robust to events)."""
    known = np.isfinite(corrected)
    steps = np.diff(corrected[known])[np.diff(contig[known]) == 0]
    if len(steps) < 10:
        return 0.2
    return max(0.02, float(1.4826 * np.median(np.abs(steps - np.median(steps))) / np.sqrt(2)))
