"""Fit what turns probabilities into segments and qualities, on simulated samples that training has not seen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from zoo.progress import counting
from zoo_copy_number.predicted import Predicted, predict_bins
from zoo_copy_number.quality import features, fit, noise_of
from zoo_copy_number.scoring import count, summary
from zoo_copy_number.segments import decode, segments_of
from zoo_copy_number.simulate import Simulated
from zoo_copy_number.source import sample_of

if TYPE_CHECKING:
    from zoo.model import Model

__all__ = ["PENALTIES", "calibrate", "counted", "directions_right", "held_out"]

PENALTIES = (1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0)
CALIBRATION, TEST = 11, 12
"""First numbers of the seeds: training, validation and test of simulated_depth have 0, 1 and 2 as their second."""


def held_out(n: int, size: int, kinds: Sequence[str], which: int) -> list[Simulated]:
    """n samples of seeds that nothing else uses."""
    return [sample_of(kinds[i % len(kinds)], size, (which, i)) for i in range(n)]


def calibrate(model: Model, samples: Sequence[Simulated], progress: bool = False) -> dict[str, float]:
    """Set `penalty` to the best F1 over all events, then fit `quality`; returns what was found."""
    import torch

    seen = []
    with counting(len(samples), label="calibrating", unit="samples", wanted=progress) as advance:
        for sample in samples:
            seen.append(predict_bins(model, sample.bins))
            advance(1)
    scores = {p: _f1(seen, samples, p) for p in PENALTIES}
    penalty = max(scores, key=scores.get)
    x, right = [], []
    for predicted, sample in zip(seen, samples, strict=True):
        made, ok = directions_right(predicted, sample, penalty)
        x.append(made)
        right.append(ok)
    coefficients = fit(np.concatenate(x), np.concatenate(right))
    head = model.heads["states"]
    with torch.no_grad():
        head.penalty.fill_(penalty)
        head.quality.copy_(torch.from_numpy(coefficients).to(head.quality))
    return {"penalty": penalty, "f1": scores[penalty], "segments": int(sum(map(len, right)))}


def directions_right(predicted: Predicted, sample: Simulated, penalty: float) -> tuple[np.ndarray, np.ndarray]:
    """Features (S, F) of the segments, and whether at least half of their usable bins go that way: (S,) bool."""
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
    return features(segments, expected, noise_of(predicted.corrected, bins.contig)), np.array(right, bool)


def _f1(seen: Sequence[Predicted], samples: Sequence[Simulated], penalty: float) -> float:
    """Over all events, however long."""
    counts = sum(counted(decode(p, s.bins.contig, s.expected, penalty), s) for p, s in zip(seen, samples, strict=True))
    return float(summary(counts.sum((0, 1)))["f1"])


def counted(copies: np.ndarray, sample: Simulated) -> np.ndarray:
    """zoo_copy_number.scoring.count of called copies (n,), NaN for no call, against a sample's truth."""
    usable = sample.bins.mask & np.isfinite(sample.bins.depth)
    return count(copies.astype(float), sample.expected, sample.bins.contig, usable, sample.events)
