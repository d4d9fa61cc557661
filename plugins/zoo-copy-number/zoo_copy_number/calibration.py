"""Fit what turns probabilities into segments and qualities, on simulated samples that training has not seen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from zoo.terminal.progress import counting
from zoo_copy_number.bin_predictions import BinPredictions, predict_bins
from zoo_copy_number.caller import NO_CALL, called_copies
from zoo_copy_number.event_accuracy import count, summary
from zoo_copy_number.quality import features, fit, noise_of, phred
from zoo_copy_number.segmentation import decode, segments_of
from zoo_copy_number.simulation import SimulatedSample
from zoo_copy_number.source import sample_of

if TYPE_CHECKING:
    from zoo.model import Model

__all__ = ["PENALTIES", "calibrate", "counted", "directions_right", "held_out"]

PENALTIES = (0.5, 1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0)
CALIBRATION, TEST = 11, 12
"""First numbers of the seeds: training, validation and test of simulated_depth have 0, 1 and 2 as their second."""


def held_out(n: int, size: int, kinds: Sequence[str], which: int) -> list[SimulatedSample]:
    """n samples of seeds that nothing else uses."""
    return [sample_of(kinds[i % len(kinds)], size, (which, i)) for i in range(n)]


def calibrate(model: Model, samples: Sequence[SimulatedSample], progress: bool = False) -> dict[str, float]:
    """Fit `quality` for every `penalty`, and keep the one whose calls have the best F1; returns what was found."""
    import torch

    seen = []
    with counting(len(samples), label="calibrating", unit="samples", wanted=progress) as advance:
        for sample in samples:
            seen.append(predict_bins(model, sample.bins))
            advance(1)
    found = {p: _fitted(seen, samples, p) for p in PENALTIES}
    penalty = max(found, key=lambda p: found[p][1])
    coefficients, score, segments = found[penalty]
    head = model.heads["states"]
    with torch.no_grad():
        head.penalty.fill_(penalty)
        head.quality.copy_(torch.from_numpy(coefficients).to(head.quality))
    return {"penalty": penalty, "f1": score, "segments": segments}


def directions_right(
    predicted: BinPredictions, sample: SimulatedSample, penalty: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Segments (S,), the states that they were cut from (n,), their features (S, F), and whether at least half of
    their usable bins go their way: (S,) bool."""
    bins = sample.bins
    states = decode(predicted, bins.contig, sample.expected, penalty)
    segments = segments_of(predicted, bins.contig, sample.expected, states)
    expected = sample.expected[segments["first"]]
    way = np.sign(segments["state"].astype(int) - expected)
    truth = np.sign(sample.copies.astype(int) - sample.expected)
    right = [
        (truth[a:b][predicted.known[a:b]] == w).mean() >= 0.5
        for a, b, w in zip(segments["first"], segments["last"], way, strict=True)
    ]
    x = features(segments, expected, noise_of(predicted.corrected, bins.contig))
    return segments, states, x, np.array(right, bool)


def _fitted(
    seen: Sequence[BinPredictions], samples: Sequence[SimulatedSample], penalty: float
) -> tuple[np.ndarray, float, int]:
    """Coefficients of quality, the F1 of what is then called, over all events, and the number of segments."""
    cut = [directions_right(p, s, penalty) for p, s in zip(seen, samples, strict=True)]
    coefficients = fit(np.concatenate([c[2] for c in cut]), np.concatenate([c[3] for c in cut]))
    counts = 0
    for (segments, states, x, _), sample in zip(cut, samples, strict=True):
        counts = counts + counted(called_copies(segments, states, phred(x, coefficients), NO_CALL), sample)
    return coefficients, float(summary(counts.sum((0, 1)))["f1"]), sum(len(c[3]) for c in cut)


def counted(copies: np.ndarray, sample: SimulatedSample) -> np.ndarray:
    """zoo_copy_number.event_accuracy.count of called copies (n,), NaN for no call, against a sample's truth."""
    usable = sample.bins.mask & np.isfinite(sample.bins.depth)
    return count(copies.astype(float), sample.expected, sample.bins.contig, usable, sample.events)
