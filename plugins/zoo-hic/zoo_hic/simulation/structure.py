"""From boundary sites to the noise-free map: what insulates, what loops, and log(O/E).

    +        -     +    -
    A        B     C    D      loops A-B, C-D, and A-D (loaded between B and C)

Boundaries insulate whatever their strand.  Loops follow loop extrusion: a cohesin is loaded somewhere, its left leg
runs to the nearest + site on the left (which faces it), its right leg to the nearest - site on the right; sites of the
other strand let it pass.  So a + site and a - site to its right make a loop when, between them, no + site lies left of
a - site, apart from the anchors; and when their distance is within `Settings.loop_distance`.
Turning the sequence round, strands and order, leaves the loops.
"""

from __future__ import annotations

import numba
import numpy as np

from zoo.errors import DataError
from zoo_hic.maps import bins_apart
from zoo_hic.simulation.settings import LOOP, MapSettings


def bin_sites(motifs: np.ndarray, settings: MapSettings) -> np.ndarray:
    """(M,) int64: the bin that holds the middle of each site."""
    return (motifs["position"] + motifs["width"] // 2) // settings.resolution


def drop_sites(motifs: np.ndarray, index: int | np.ndarray) -> np.ndarray:
    """The table less those rows, as after a deletion that keeps all coordinates."""
    return np.delete(motifs, index)


def flip_sites(motifs: np.ndarray, index: int | np.ndarray) -> np.ndarray:
    """The table with those sites on the other strand."""
    motifs = motifs.copy()
    motifs["strand"][index] *= -1
    return motifs


def find_loops(motifs: np.ndarray, settings: MapSettings) -> np.ndarray:
    """Loops (dtype LOOP), sorted; the strength is the geometric mean of the anchors'."""
    motifs = np.sort(motifs, order="position")
    here, strand, strength = bin_sites(motifs, settings), motifs["strand"], motifs["strength"]
    low, high = settings.loop_distance
    rows = []
    for i in np.flatnonzero(strand > 0):
        seen = False
        for j in range(i + 1, len(motifs)):
            if here[j] - here[i] > high:
                break
            if strand[j] > 0:
                seen = True
            else:
                if here[j] - here[i] >= low:
                    rows.append((here[i], here[j], np.sqrt(strength[i] * strength[j])))
                if seen:
                    break
    return np.array(sorted(rows), LOOP)


def build_structure(motifs: np.ndarray, bins: int, settings: MapSettings) -> np.ndarray:
    """(T, T) float32, symmetric: log of the factor on the contacts expected from the decay alone."""
    here = bin_sites(motifs, settings)
    if len(here) and not (0 <= here.min() and here.max() < bins):
        raise DataError(f"motifs lie in bins {here.min()} to {here.max()} of a map of {bins} bins: give its own motifs")
    strength = np.bincount(here, motifs["strength"], minlength=bins)
    between = np.cumsum(strength) - strength / 2
    loops = find_loops(motifs, settings)
    return _structure(
        between, settings.insulation, settings.saturation, loops["first"], loops["second"],
        settings.loop * loops["strength"].astype(np.float64), settings.loop_width,
    )  # fmt: skip


def compute_truth(
    motifs: np.ndarray, bins: int, settings: MapSettings, *, expected: np.ndarray | None = None
) -> np.ndarray:
    """(T, T) float32: noise-free natural log(O/E) of a map with these sites.

    expected: (T,) as from `average_by_distance`; by default the map's own.  For the effect of an edit give that of the
    unedited map (`SimulatedContig.expected`), or the difference has a little of the edit on all of every diagonal.
    """
    structure = build_structure(motifs, bins, settings)
    expected = average_by_distance(structure) if expected is None else expected
    if len(expected) != bins:
        raise DataError(f"expected has {len(expected)} distances for a map of {bins} bins: give one a diagonal")
    return (structure - np.asarray(expected)[bins_apart(bins)]).astype(np.float32)


@numba.njit(nogil=True, cache=True)
def _structure(between, insulation, power, first, second, gain, width):
    bins = len(between)
    out = np.empty((bins, bins), np.float32)
    for i in range(bins):
        for j in range(i, bins):
            out[i, j] = -insulation * (between[j] - between[i]) ** power if between[j] > between[i] else 0.0
    reach = int(np.ceil(4 * width))
    for k in range(len(first)):
        for i in range(max(0, first[k] - reach), min(bins, first[k] + reach + 1)):
            for j in range(max(i, second[k] - reach), min(bins, second[k] + reach + 1)):
                square = (i - first[k]) ** 2 + (j - second[k]) ** 2
                out[i, j] += gain[k] * np.exp(-square / (2 * width * width))
    mirror(out)
    return out


@numba.njit(nogil=True, cache=True)
def average_by_distance(structure):
    """(T,) float64: log of the mean of exp(structure) on each diagonal."""
    bins = len(structure)
    total = np.zeros(bins)
    for i in range(bins):
        for j in range(i, bins):
            total[j - i] += np.exp(structure[i, j])
    return np.log(total / np.arange(bins, 0, -1))


@numba.njit(nogil=True, cache=True)
def mirror(square):
    """Copies the upper triangle to the lower one, in tiles that stay in the cache."""
    bins = len(square)
    for a in range(0, bins, 64):
        for b in range(0, a + 1, 64):
            for i in range(a, min(a + 64, bins)):
                for j in range(b, min(b + 64, i)):
                    square[i, j] = square[j, i]
