"""Where deletions and duplications of a simulated sample lie: lengths in usable bins, apart from each other.

lengths of the settings, longest first ── a contig by its room, a place on it ──> copies (n,), table of events
"""

from __future__ import annotations

import numpy as np

from zoo_copy_number.designs import Design
from zoo_copy_number.simulation_settings import DepthSettings

LENGTHS = (3, 5, 10, 30, 100)
"""Usable bins."""

EVENT = np.dtype([("contig", "i4"), ("start", "i8"), ("end", "i8"), ("copies", "i1"), ("bins", "i8")])
"""Contig, first bin, bin after the last, copies, and how many of the bins are usable."""

_APART = 3
"""Usable bins between two events."""


def plant_events(
    rng: np.random.Generator, design: Design, settings: DepthSettings, expected: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """(n,) int8 copies, and the table of dtype EVENT, sorted.

    expected: (n,) int8 copies of a normal cell; where it is 0 nothing is planted.  An event that finds no room in 20
    tries, or would alter more of the sample than the settings allow, is left out.
    """
    copies = expected.copy()
    usable = np.flatnonzero(design.mask & (expected > 0))
    where = np.searchsorted(design.contig[usable], np.arange(len(design.contigs) + 1))
    room, free = np.diff(where), np.ones(len(usable), bool)
    n = rng.poisson(rng.uniform(*settings.events))
    lengths = _lengths(rng, settings, n)
    planned = [(int(length), False) for length in lengths]
    planned += [(0, True)] * rng.poisson(settings.arms)
    budget, rows = settings.altered * len(usable), []
    for length, arm in sorted(planned, key=lambda e: -e[0] if not e[1] else -len(usable)):
        possible = np.flatnonzero(room >= max(10, length + 2))
        if not len(possible):
            continue
        for _ in range(20):
            c = int(rng.choice(possible, p=room[possible] / room[possible].sum()))
            size = int(room[c] * rng.uniform(0.25, 0.5)) if arm else length
            at = where[c] + (rng.integers(2) * (room[c] - size) if arm else int(rng.integers(room[c] - size + 1)))
            apart = slice(max(where[c], at - _APART), min(where[c + 1], at + size + _APART))
            if size <= budget and free[apart].all():
                break
        else:
            continue
        free[at : at + size] = False
        budget -= size
        first, last = int(usable[at]), int(usable[at + size - 1]) + 1
        made = _draw_copies(rng, settings, int(expected[first]), size)
        copies[first:last] = made
        rows.append((c, first, last, made, size))
    events = np.array(rows, EVENT)
    return copies, events[np.argsort(events["start"])]


def _lengths(rng, settings, n):
    least, *others, most = (*LENGTHS, *settings.long)
    if settings.any_length:
        return np.rint(most ** rng.random(n) ** 1.3).astype(int)
    lengths = rng.choice([least, *others, most], n)
    return np.where(lengths < 5, lengths, np.rint(lengths * rng.uniform(0.8, 1.2, n))).astype(int)


def _draw_copies(rng, settings, normal, size):
    choices, weights = np.array([0, 1, 3, 4, 5, 6, 8]), np.array(settings.copies, float)
    if normal == 1:
        choices = np.array([0, 0, 2, 3, 4, 5, 6])
    if size > settings.short:
        weights = weights * (choices > 0)
    return int(rng.choice(choices, p=weights / weights.sum()))
