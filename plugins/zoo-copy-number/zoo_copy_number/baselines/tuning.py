"""The settings of a baseline that call known samples best."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import product

import numpy as np

from zoo.errors import DataError
from zoo_copy_number.baselines.change_points import CircularBinary, Pelt
from zoo_copy_number.baselines.correction import corrected_log2
from zoo_copy_number.baselines.hidden_markov import HiddenMarkov
from zoo_copy_number.baselines.threshold import Threshold
from zoo_copy_number.bins import Bins
from zoo_copy_number.event_accuracy import count, summarise_counts
from zoo_copy_number.simulation import SimulatedSample

CnvBaseline = Threshold | Pelt | CircularBinary | HiddenMarkov

BASELINES: dict[str, type] = {
    "threshold": Threshold,
    "pelt": Pelt,
    "circular binary": CircularBinary,
    "hidden Markov": HiddenMarkov,
}
"""Frozen dataclasses of settings.  `prepare` is the slow part, `decide` gives (n,) float32 copies, NaN where none can
be given; `prepares` and `decides` are the values to try of the settings that each depends on."""


def call_baseline(baseline: CnvBaseline, bins: Bins, expected: np.ndarray) -> np.ndarray:
    """(n,) float32 copies of each bin of a sample, NaN where none can be given.

    expected: (n,) copies in a normal cell of the sample's sex.
    """
    ratio = corrected_log2(bins, expected)
    return baseline.decide(ratio, baseline.prepare(ratio))


def tune(
    baseline: CnvBaseline, samples: Sequence[SimulatedSample], *, advance=lambda n: None
) -> tuple[CnvBaseline, float]:
    """The baseline with the settings, of its `prepares` and `decides`, of highest F1 over all events of the samples.

    advance: called with 1 whenever one setting of the slow part is done with one sample.

    Raises DataError for samples without a single event.
    """
    if not sum(len(s.events) for s in samples):
        raise DataError(f"the {len(samples)} samples to tune on hold no event: simulate more")
    ratios = [corrected_log2(s.bins, s.expected) for s in samples]
    best, highest = baseline, -1.0
    for slow in _combinations(baseline.prepares):
        candidate = replace(baseline, **slow)
        prepared = []
        for ratio in ratios:
            prepared.append(candidate.prepare(ratio))
            advance(1)
        for fast in _combinations(candidate.decides):
            candidate = replace(candidate, **fast)
            counts = [
                count(candidate.decide(r, p), s.expected, s.bins.contig, s.bins.mask, s.events)
                for r, p, s in zip(ratios, prepared, samples, strict=True)
            ]
            score = float(summarise_counts(np.sum(counts, 0).sum((0, 1)))["f1"])
            if score > highest:
                best, highest = candidate, score
    return best, highest


def _combinations(grid: dict) -> Iterable[dict]:
    return (dict(zip(grid, values, strict=True)) for values in product(*grid.values()))
