"""Bins that an experiment does not cover: exons that a kit does not capture, and gaps of an assembly.

depth of the samples -> bins of less than a twentieth of the mean of the others -> left out, with a line
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from zoo_copy_number.bins import Bins
from zoo_copy_number.chromosomes import find_karyotype
from zoo_copy_number.tracks import is_autosomal

LEAST = 0.05
"""Share of the mean depth of covered bins below which a bin is not covered; in log2 -4.3, below most of what a kit
captures badly."""

MANY = 0.1
"""Share of empty bins that no loss explains: a genome without a tenth of itself is not viable."""


def find_uncovered(bins: Bins, depths: np.ndarray) -> np.ndarray:
    """(n,) bool: bins whose depth is next to nothing in most of other samples, and on Y in all of them.

    depths: (samples, n) of these, NaN where it is not known.
    """
    relative = np.stack([_relative(row, bins) for row in depths])
    known, middle, most = np.isfinite(relative).any(0), *np.full((2, len(bins)), np.nan)
    middle[known], most[known] = np.nanmedian(relative[:, known], 0), np.nanmax(relative[:, known], 0)
    return bins.mask & (np.where(_on_y(bins), most, middle) < LEAST)


def find_lone_uncovered(bins: Bins) -> np.ndarray:
    """(n,) bool: bins without depth of a sample that has no reference, if these are more than a loss can be.

    A tenth of the autosomes is the limit: fewer may be losses of both copies, and are called.  So is a Y without depth.
    """
    relative = _relative(bins.depth, bins)
    empty, y = bins.mask & (relative < LEAST), _on_y(bins) & bins.mask
    autosomes = is_autosomal(bins) & bins.mask
    if not autosomes.any() or empty[autosomes].mean() <= MANY:
        return np.zeros(len(bins), bool)
    if y.any() and np.nanmedian(relative[y]) < LEAST:
        empty &= ~y
    return empty


def leave_out(bins: Bins, empty: np.ndarray, why: str) -> Bins:
    """The bins without the (n,) empty ones, and a line that says how many and why; these where there are none.

    They do not stay among the bins, not even masked: what is covered shall lie side by side, as in the kits that models
    are trained on.
    """
    if not empty.any():
        return bins
    line = f"{int(empty.sum()):,} of {len(bins):,} bins have no coverage {why}: they are masked"
    return replace(bins[~empty], notes=[*bins.notes, line])


def _on_y(bins: Bins) -> np.ndarray:
    return find_karyotype(bins.contigs).lies_on(bins.contig, "Y")


def _relative(depth: np.ndarray, bins: Bins) -> np.ndarray:
    """(n,) depth over the mean of the covered autosomal bins of the same kind; NaN where either is not known."""
    kinds = np.zeros(len(bins), np.uint8) if bins.kind is None else bins.kind
    out, autosomes = np.full(len(bins), np.nan), is_autosomal(bins)
    for kind in np.unique(kinds):
        here = kinds == kind
        used = here & bins.mask & np.isfinite(depth)
        if mean := _covered_mean(depth[used & autosomes if (used & autosomes).any() else used].astype(float)):
            out[here] = depth[here] / mean
    return out


def _covered_mean(values: np.ndarray) -> float:
    """Mean of the depths that are at least a twentieth of it; 0 where there are none."""
    mean = 0.0
    while len(values):
        new = float(values.mean())
        if new == mean:
            break
        mean = new
        values = values[values >= LEAST * mean]
    return mean
