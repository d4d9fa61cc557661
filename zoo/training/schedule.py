"""The learning rate as a function of the step."""

from __future__ import annotations

import math

__all__ = ["SCHEDULES", "rate_factor"]

SCHEDULES = ("constant", "cosine", "plateau")


def rate_factor(schedule: str, step: int, total: int, warmup: int = 0, reductions: int = 0) -> float:
    """What the learning rate is multiplied by at `step` of `total`.

    constant: 1.  cosine: half a cosine down to 0 (Loshchilov & Hutter 2017).  plateau: halved for each of
    `reductions`.  During the first `warmup` steps it rises linearly.

    >>> rate_factor("cosine", 50, 100)
    0.5
    >>> rate_factor("constant", 0, 100, warmup=10)
    0.1
    """
    factor = min(1.0, (step + 1) / warmup) if warmup else 1.0
    if schedule == "cosine":
        return factor * round(0.5 * (1 + math.cos(math.pi * min(1.0, step / max(1, total)))), 12)
    return factor * 0.5**reductions
