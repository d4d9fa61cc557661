"""Fit the penalty of a change of state and the qualities, on simulated samples that training has not seen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from zoo.terminal.progress import counting
from zoo_copy_number.bin_predictions import BinPredictions, estimate_noise, predict_bins
from zoo_copy_number.caller import NO_CALL, mask_uncalled
from zoo_copy_number.event_accuracy import count, summarise_counts
from zoo_copy_number.quality import features, fit_quality, phred
from zoo_copy_number.segmentation import cut_segments, decode_states
from zoo_copy_number.simulation import SimulatedSample
from zoo_copy_number.source import make_sample

if TYPE_CHECKING:
    from zoo.model import Model

PENALTIES = (0.5, 1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0)
CALIBRATION, TEST = 11, 12
"""First numbers of the seeds: training, validation and test of simulated_depth have 0, 1 and 2 as their second."""


def simulate_held_out(n: int, size: int, kinds: Sequence[str], which: int) -> list[SimulatedSample]:
    """n samples of seeds that nothing else uses, by `which`."""
    return [make_sample(kinds[i % len(kinds)], size, (which, i)) for i in range(n)]


def calibrate(model: Model, samples: Sequence[SimulatedSample], progress: bool = False) -> dict[str, float]:
    """Fit `quality` for every `penalty`, keep the one of best F1; returns penalty, f1 and the number of segments."""
    import torch

    predictions = []
    with counting(len(samples), label="calibrating", unit="samples", enabled=progress) as advance:
        for sample in samples:
            predictions.append(predict_bins(model, sample.bins))
            advance(1)
    fits = {p: _fit_quality(predictions, samples, p) for p in PENALTIES}
    penalty = max(fits, key=lambda p: fits[p][1])
    coefficients, score, segments = fits[penalty]
    head = model.heads["states"]
    with torch.no_grad():
        head.penalty.fill_(penalty)
        head.quality.copy_(torch.from_numpy(coefficients).to(head.quality))
    return {"penalty": penalty, "f1": score, "segments": segments}


def label_segments(
    predicted: BinPredictions, sample: SimulatedSample, penalty: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Segments (S,), the states that they were cut from (n,), their features (S, F), and whether at least half of
    their usable bins go their way: (S,) bool."""
    bins = sample.bins
    states = decode_states(predicted, bins.contig, sample.expected, penalty)
    segments = cut_segments(predicted, bins.contig, sample.expected, states)
    expected = sample.expected[segments["first"]]
    way = np.sign(segments["state"].astype(int) - expected)
    truth = np.sign(sample.copies.astype(int) - sample.expected)
    right = [
        (truth[a:b][predicted.known[a:b]] == w).mean() >= 0.5
        for a, b, w in zip(segments["first"], segments["last"], way, strict=True)
    ]
    x = features(segments, expected, estimate_noise(predicted.corrected, bins.contig))
    return segments, states, x, np.array(right, bool)


def _fit_quality(
    seen: Sequence[BinPredictions], samples: Sequence[SimulatedSample], penalty: float
) -> tuple[np.ndarray, float, int]:
    """Coefficients of quality, the F1 of what is then called, over all events, and the number of segments."""
    cut = [label_segments(p, s, penalty) for p, s in zip(seen, samples, strict=True)]
    coefficients = fit_quality(np.concatenate([c[2] for c in cut]), np.concatenate([c[3] for c in cut]))
    counts = [
        count_events(mask_uncalled(segments, states, phred(x, coefficients), NO_CALL), sample)
        for (segments, states, x, _), sample in zip(cut, samples, strict=True)
    ]
    return coefficients, float(summarise_counts(np.sum(counts, 0).sum((0, 1)))["f1"]), sum(len(c[3]) for c in cut)


def count_events(copies: np.ndarray, sample: SimulatedSample) -> np.ndarray:
    """zoo_copy_number.event_accuracy.count of called copies (n,), NaN for no call, against a sample's truth."""
    usable = sample.bins.mask & np.isfinite(sample.bins.depth)
    return count(copies.astype(float), sample.expected, sample.bins.contig, usable, sample.events)
