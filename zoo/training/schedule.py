"""The learning rate, and any other coefficient, as a function of the step."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

SCHEDULES = ("constant", "cosine", "plateau")
"""Of the learning rate."""
COEFFICIENT_SCHEDULES = ("constant", "ramp", "linear", "cosine")
"""Of everything else, in the configuration's `schedules`."""


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
        return factor * coefficient_factor("cosine", step, total)
    return factor * 0.5**reductions


def coefficient_factor(schedule: str, step: int, total: int) -> float:
    """What a coefficient is multiplied by at `step` of `total`, with p = step / total.

    constant: 1.  ramp: from 0 to 1, steep at first, 2 / (1 + exp(-10 p)) - 1 (Ganin et al. 2016).  linear: p.
    cosine: half a cosine from 1 down to 0.

    >>> [round(coefficient_factor("ramp", step, 100), 3) for step in (0, 10, 100)]
    [0.0, 0.462, 1.0]
    """
    p = min(1.0, step / max(1, total))
    if schedule == "ramp":
        return 2 / (1 + math.exp(-10 * p)) - 1
    return {"constant": 1.0, "linear": p, "cosine": round(0.5 * (1 + math.cos(math.pi * p)), 12)}[schedule]


def flat_schedules(schedules: Mapping[str, Any] | None, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """(dotted coefficient, schedule) of `schedules`, whose keys may be dotted or nested.

    >>> list(flat_schedules({"objectives": {"lab": {"strength": "ramp"}}}))
    [('objectives.lab.strength', 'ramp')]
    """
    for key, value in (schedules or {}).items():
        if isinstance(value, Mapping):
            yield from flat_schedules(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value
