"""`coarsen`: a map in bins of a whole multiple of its resolution.

    2 kb -> coarsen(map, 5) -> 10 kb

Without weights, raw counts are summed.  With weights, balanced contacts are summed over the fine bins that are known,
and the new weight of a coarse bin makes up for those that are not: with k of f fine bins known it is f / k, so that off
the diagonal a pixel is f^2 times the mean of its known fine pixels, in the short last bin too.  That is not what
balancing again at the coarse resolution gives; `cooler zoomify --balance` does that.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from zoo.errors import ConfigError
from zoo_hic.maps import ContactMap, LazyPixels

MIN_KNOWN = 0.5
"""A coarse bin with a smaller share of known fine bins is masked."""


def coarsen(fine: ContactMap, factor: int) -> ContactMap:
    """The map in bins of `factor` times its resolution; masked where less than half of the fine bins are known.

    The coarse pixels of a balanced map are sums of balanced contacts, not counts; as notes and origin state.
    As in `cooler coarsen`, a coarse pixel of the diagonal sums the upper triangle.
    """
    if isinstance(factor, bool) or not isinstance(factor, (int, np.integer)) or factor < 1:
        raise ConfigError(f"factor {factor!r} must be a whole number from 1 on: try 2")
    if factor == 1:
        return fine
    factor, weights = int(factor), None
    if fine.weights is not None:
        weights = {c: _weights(fine.weights[c], factor) for c in fine.contigs}
    what = "counts" if weights is None else "balanced contacts, not balanced again"
    wide = fine.resolution * factor
    note = f"bins of {wide:,} bp are sums of {factor} x {factor} of {fine.resolution:,} bp ({what})"
    origin = {**fine.origin, "resolution": wide, "coarsened_from": fine.resolution, "coarsened": what}
    coarse = LazyPixels(fine.pixels, partial(_sum_pixels, fine, factor))
    return replace(fine, resolution=wide, pixels=coarse, weights=weights, origin=origin, notes=(*fine.notes, note))


def _sum_pixels(fine: ContactMap, factor: int, contig: str) -> csr_array:
    pixels: Any = fine.pixels[contig].tocoo()
    value = pixels.data.astype(np.float64)
    if fine.weights is not None:
        w = np.nan_to_num(fine.weights[contig])
        value = value * w[pixels.row] * w[pixels.col]
    n = -(-pixels.shape[0] // factor)
    coarse: Any = csr_array((value, (pixels.row // factor, pixels.col // factor)), shape=(n, n))
    coarse.sum_duplicates()
    return coarse.astype(np.float32)


def _weights(fine: np.ndarray, factor: int) -> np.ndarray:
    """`factor` over the known fine bins of each coarse bin; NaN where too few are known."""
    known = np.add.reduceat(np.isfinite(fine).astype(np.float64), np.arange(0, len(fine), factor))
    return np.divide(factor, known, out=np.full(len(known), np.nan), where=known >= MIN_KNOWN * factor)
