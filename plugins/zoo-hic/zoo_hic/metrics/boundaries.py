"""Boundaries of an insulation score, and how many of one map's lie near another's.

    score ── local minima ── prominence ── threshold ──> bins
    bins of A, bins of B ── share of A within a few bins of B ──> figure, and p against B slid along the contig

The prominence of a minimum is how far the score rises towards the nearest deeper minimum, on the side where it rises
less; a side without a deeper place does not count, and the deepest minimum of all is measured from the highest local
maximum.  Values equal those of `cooltools.insulation`, release 0.7.1, and so does Li's threshold.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from zoo.errors import ConfigError
from zoo_hic.metrics.blocks import Figure, figure, mean_from_sums, sum_by_block


@dataclass(frozen=True)
class Overlap:
    """share: of A near B, n being the boundaries of A.  chance: its mean when B is slid; p: one-sided, against that."""

    share: Figure
    chance: float
    p: float


def minima(track: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Positions of the strict local minima of a track (n,) among its known neighbours, and their prominence.

    NaN prominence: the neighbourhood of an only minimum, where nothing is higher.
    """
    known = np.flatnonzero(np.isfinite(track))
    values = -np.asarray(track, float)[known]
    rise, fall = values[1:] > values[:-1], values[1:] < values[:-1]
    peaks = np.flatnonzero(rise[:-1] & fall[1:]) + 1
    lows = np.flatnonzero(fall[:-1] & rise[1:]) + 1
    prominence = np.full(len(peaks), np.nan)
    for k, at in enumerate(peaks):
        higher = values > values[at]
        left, right = np.flatnonzero(higher[:at]), np.flatnonzero(higher[at + 1 :])
        drops = []
        if len(left):
            drops.append(values[at] - values[left[-1] : at].min())
        if len(right):
            drops.append(values[at] - values[at : at + 1 + right[0]].min())
        if not drops:
            drops.append(values[at] - (values[lows] if len(lows) else values).min())
        prominence[k] = min(drops)
    return known[peaks], prominence


def boundaries(
    score: np.ndarray, valid: np.ndarray, *, most: int | None = None, share: float = 0.66
) -> tuple[np.ndarray, np.ndarray]:
    """Bins of the minima, and their prominence, of a score (T,) whose diamonds have `valid` (T,) known pixels.

    share: bins whose diamond has fewer than so many of `most` known pixels are left out first.
    most: by default the most of this contig; give the most of the map to treat all contigs alike.
    """
    kept = np.flatnonzero(valid >= share * (valid.max(initial=0) if most is None else most))
    bins, prominence = minima(score[kept])
    return kept[bins], prominence


def strong_boundaries(
    tracks: Mapping[str, tuple[np.ndarray, np.ndarray]], *, threshold: float | None = None
) -> dict[str, np.ndarray]:
    """{contig: bins} of the boundaries at least as prominent as `threshold`, by default Li's over all contigs.

    tracks: {contig: (score, valid)} as from `insulation_tracks`.
    """
    most = max((int(valid.max(initial=0)) for _, valid in tracks.values()), default=0)
    found = {contig: boundaries(score, valid, most=most) for contig, (score, valid) in tracks.items()}
    if threshold is None:
        threshold = li_threshold(np.concatenate([p for _, p in found.values()])) if found else 0.0
    return {contig: bins[prominence >= threshold] for contig, (bins, prominence) in found.items()}


def li_threshold(values: np.ndarray) -> float:
    """The threshold of least cross entropy, by the iteration of Li and Tam 1998 (doi 10.1016/S0167-8655(98)00057-9).

    NaN without a value; the value itself where all are the same.
    """
    values = values[np.isfinite(values)]
    if not len(values):
        return float("nan")
    least = values.min()
    values = values - least
    steps = np.diff(np.unique(values))
    if not len(steps):
        return float(least)
    threshold, before = values.mean(), -np.inf
    while abs(threshold - before) > steps.min() / 2:
        before = threshold
        high = values > before
        above, below = values[high].mean(), values[~high].mean()
        if below == 0:
            break
        threshold = (below - above) / (np.log(below) - np.log(above))
    return float(threshold + least)


def overlap(
    first: Mapping[str, np.ndarray],
    second: Mapping[str, np.ndarray],
    bins: Mapping[str, int],
    *,
    tolerance: int = 1,
    length: int = 30,
    draws: int = 1000,
    seed: int = 0,
) -> Overlap:
    """The share of boundaries of `first` with one of `second` within `tolerance` bins, over all contigs.

    bins: of each contig.  length: bins of a block of the bootstrap.
    The null slides those of `second` round the end of their contig, by a random number of bins, which keeps their
    spacing.
    """
    if tolerance < 0:
        raise ConfigError(f"tolerance is {tolerance} bins: give 0 or more")
    rng = np.random.default_rng(seed)
    sums, null, total = [], np.zeros(draws), 0
    for contig, here in first.items():
        size = bins[contig]
        there = np.asarray(second.get(contig, ()), int)
        near = _near(here, there, size, tolerance)
        sums.append(sum_by_block(np.asarray(here) + 0.5, near, size, length))
        total += len(here)
        for k, shift in enumerate(rng.integers(min(1, size - 1), size, draws)):
            null[k] += _near(here, (there + shift) % size, size, tolerance).sum()
    if not total:
        return Overlap(Figure(*3 * [float("nan")], 0, 0), float("nan"), float("nan"))
    share = figure(np.concatenate(sums), mean_from_sums, draws=draws, seed=seed)
    null /= total
    return Overlap(share, float(null.mean()), float((1 + (null >= share.value).sum()) / (1 + draws)))


def _near(here, there, size, tolerance):
    """(len(here),) bool."""
    marked = np.zeros(size + 2 * tolerance + 1, int)
    np.add.at(marked, there, 1)
    np.add.at(marked, there + 2 * tolerance + 1, -1)
    return np.cumsum(marked)[np.asarray(here, int) + tolerance] > 0
