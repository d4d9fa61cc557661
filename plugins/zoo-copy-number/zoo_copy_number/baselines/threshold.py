"""A running median of the log2 ratio, and thresholds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.ndimage import median_filter

from zoo_copy_number.baselines.correction import Ratio
from zoo_copy_number.event_accuracy import find_runs

# Halfway in copies: below it none of two copies is left, above it there are four or more.
_NONE, _FOUR = np.log2(0.5 / 2), np.log2(3.5 / 2)


@dataclass(frozen=True)
class Threshold:
    """Bins whose running median leaves a band around 0.

    window: bins of the running median, odd.
    least: the band in log2.  sds: the band in standard deviations of the running median; the wider one holds.
    bins: runs of fewer bins are dropped.
    """

    window: int = 9
    least: float = 0.25
    sds: float = 6.0
    bins: int = 3

    prepares: ClassVar[dict] = {"window": (1, 5, 9, 15, 21)}
    decides: ClassVar[dict] = {
        "least": (0.1, 0.15, 0.2, 0.3, 0.4),
        "sds": (3.0, 4.0, 5.0, 6.0, 8.0),
        "bins": (1, 3, 5, 8),
    }

    def prepare(self, ratio: Ratio) -> np.ndarray:
        """(m,) running median within contigs."""
        out = np.empty_like(ratio.log2)
        for run in np.split(np.arange(len(out)), np.flatnonzero(np.diff(ratio.contig)) + 1):
            out[run] = median_filter(ratio.log2[run], min(self.window, len(run) // 2 * 2 + 1), mode="reflect")
        return out

    def decide(self, ratio: Ratio, prepared: np.ndarray) -> np.ndarray:
        """(n,) float32 copies, NaN where none can be given."""
        # A median of k values varies as pi / 2 times the mean of k, but for k = 1.
        error = ratio.noise * (1.0 if self.window == 1 else (np.pi / 2 / self.window) ** 0.5)
        band = max(self.least, self.sds * error)
        state = np.where(np.abs(prepared) > band, np.sign(prepared), 0).astype(np.int8)
        first, last = find_runs(state, ratio.contig)
        level = np.add.reduceat(ratio.log2, first) / (last - first)
        direction = np.where(last - first >= self.bins, state[first], 0)
        return ratio.expand(np.repeat(copies_at(level, direction, ratio.expected[first]), last - first))


def copies_at(log2: np.ndarray, direction: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """(k,) float64 copies of segments of these log2 ratios and directions (-1, 0, 1).

    The purity is not known, so it is taken to be 1.
    """
    few = np.where(log2 < _NONE, 0, np.maximum(expected - 1, 0))
    many = expected + np.where((expected == 2) & (log2 > _FOUR), 2, 1)
    return np.select([direction < 0, direction > 0], [few, many], expected).astype(float)
