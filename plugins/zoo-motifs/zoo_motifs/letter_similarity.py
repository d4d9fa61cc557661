"""Whether two aligned motifs prefer the same bases, which TOMTOM's p-value alone does not show.

TOMTOM adds up distances of columns.  Two columns without information are close to each other and far from most columns
of a database, so a vague query matches the vague stretches of a long target with a tiny p-value.  The agreement is the
cosine of the aligned columns less 1/4, in which such columns count for nothing:

    sum over the overlap of (q - 1/4)(t - 1/4)  /  sqrt( sum over the overlap of (q - 1/4)^2
                                                         * sum over the overlap of (t - 1/4)^2 )

1 for equal columns, about 0 for unrelated ones.  Letters outside the overlap do not count, of the query as little as of
the target: a filter may be a part of a motif, be wider than one, or hold two.
"""

from __future__ import annotations

from collections.abc import Sequence

import numba
import numpy as np

from zoo.data.motifs import Motif

AGREES = 0.7
"""A match whose agreement is smaller is marked `low_agreement`."""


def measure_agreement(
    queries: Sequence[Motif], targets: Sequence[Motif], offset: np.ndarray, overlap: np.ndarray, reverse: np.ndarray
) -> np.ndarray:
    """(Q, T) float64 in [-1, 1] for alignments as in `zoo_motifs.tomtom.Matches`; 0 where a motif has no letters."""
    out = np.empty(offset.shape)
    q, q_first, _ = _flat(queries)
    _fill(q, q_first, *_flat(targets), offset, overlap, reverse, out)
    return out


def _flat(motifs: Sequence[Motif]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(columns, 4) of all motifs less 1/4, and the first column and width of each."""
    widths = np.array([len(m) for m in motifs])
    columns = np.concatenate([m.probabilities(pseudocount=0.0).T for m in motifs]) - 0.25
    return columns, np.cumsum(widths) - widths, widths


@numba.njit(nogil=True, cache=True)
def _fill(q, q_first, t, t_first, t_width, offset, overlap, reverse, out):
    for i in range(len(q_first)):
        for j in range(len(t_first)):
            a, b = max(0, -offset[i, j]), max(0, offset[i, j])
            product, of_query, of_target = 0.0, 0.0, 0.0
            for k in range(overlap[i, j]):
                x = q_first[i] + a + k
                y = t_first[j] + (t_width[j] - 1 - b - k if reverse[i, j] else b + k)
                for base in range(4):
                    u, v = q[x, base], t[y, 3 - base if reverse[i, j] else base]
                    product += u * v
                    of_query += u * u
                    of_target += v * v
            norm = np.sqrt(of_query * of_target)
            out[i, j] = product / norm if norm > 1e-12 else 0.0
