"""The first alleles of a run once more on the CPU in float64, before the others are scored.

ScoreJob, a scorer of copies in float64 -> first N alleles that get a score -> DeviceComparison
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.prediction.device_check import DeviceComparison, compare_numbers

if TYPE_CHECKING:
    from zoo.effects.variants.job import ScoreJob


def compare_scores(job: ScoreJob, reference: Any, n: int, device: str) -> DeviceComparison:
    """Scores of the first n alleles whose rows can have one, by the job's scorer and by another in float64."""
    numbers: tuple[list[np.ndarray], list[np.ndarray]] = ([], [])
    columns = list(job.scorer.columns)
    for part in job.alleles():
        some = part.head(n)
        if not len(some.shown):
            continue
        for scored, values in ((job.scorer(some), numbers[0]), (reference(some), numbers[1])):
            counted = np.isin(scored.status.astype(str), ("ok", "not_finite"))
            values.append(np.asarray(scored.values, np.float64)[counted])
        n -= len(some.shown)
        if n <= 0:
            break
    empty = np.zeros((0, len(columns)))
    both = [np.concatenate([empty, *values]) for values in numbers]
    return compare_numbers(device, both[0], both[1], columns)
