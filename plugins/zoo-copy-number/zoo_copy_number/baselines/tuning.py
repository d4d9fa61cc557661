"""The settings of a baseline that call known samples best."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import product
from typing import ClassVar, Protocol, TypeVar

import numpy as np

from zoo.errors import DataError
from zoo_copy_number.baselines.change_points import CircularBinary, Pelt
from zoo_copy_number.baselines.correction import Ratio, corrected_log2
from zoo_copy_number.baselines.hidden_markov import HiddenMarkov
from zoo_copy_number.baselines.threshold import Threshold
from zoo_copy_number.bins import Bins
from zoo_copy_number.event_accuracy import count, summarise_counts
from zoo_copy_number.simulation import SimulatedSample


class CnvBaseline(Protocol):
    """A frozen dataclass of settings.

    prepares, decides: values to try of the settings that `prepare` and `decide` depend on.
    """

    prepares: ClassVar[dict]
    decides: ClassVar[dict]

    def prepare(self, ratio: Ratio) -> np.ndarray:
        """The slow part."""
        ...

    def decide(self, ratio: Ratio, prepared: np.ndarray) -> np.ndarray:
        """(n,) float32 copies of each bin, NaN where none can be given."""
        ...


B = TypeVar("B", bound=CnvBaseline)

BASELINES: dict[str, type] = {
    "threshold": Threshold,
    "pelt": Pelt,
    "circular binary": CircularBinary,
    "hidden Markov": HiddenMarkov,
}


def call_baseline(baseline: CnvBaseline, bins: Bins, expected: np.ndarray) -> np.ndarray:
    """(n,) float32 copies of each bin of a sample, NaN where none can be given.

    expected: (n,) copies in a normal cell of the sample's sex.
    """
    ratio = corrected_log2(bins, expected)
    return baseline.decide(ratio, baseline.prepare(ratio))


def tune(baseline: B, samples: Sequence[SimulatedSample], *, advance=lambda n: None) -> tuple[B, float]:
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
            counts = [_count(candidate.decide(r, p), s) for r, p, s in zip(ratios, prepared, samples, strict=True)]
            score = float(summarise_counts(np.sum(counts, 0).sum((0, 1)))["f1"])
            if score > highest:
                best, highest = candidate, score
    return best, highest


def _count(copies, sample):
    return count(copies, sample.expected, sample.bins.contig, sample.bins.mask, sample.events)


def _combinations(grid: dict) -> Iterable[dict]:
    return (dict(zip(grid, values, strict=True)) for values in product(*grid.values()))
