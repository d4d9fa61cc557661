"""Runs of equal value to binned windows: a compiled loop that releases the GIL."""

from __future__ import annotations

import math

from zoo.data.compiled_loop import CompiledLoop

BLOCK = 256
"""bp between two entries of the index of runs."""
NONE, LOG1P, SQRT, CLIP = range(4)


@CompiledLoop
def bin_windows(
    runs, values, first, index, index_first, size, contig, start, bin_size, mean, transform, limit, out, a, b
):
    """out[i, t] = value of bin t of window i, for a <= i < b; 0 past the contig's ends.

    runs: (n, 3) int32, start and end in its first columns; values: (n,) float32; first: (contigs + 1,) runs of each.
    index: the first run that ends behind each BLOCK, index_first: (contigs,) where a contig's begin.
    size: (contigs,) bp.  contig, start: (N,).  mean: divide by bin_size.  limit: of CLIP.  out: (N, T) float32.
    """
    bins = out.shape[1]
    for i in range(a, b):
        y = out[i]
        y[:] = 0
        c, s = contig[i], start[i]
        low = max(s, 0)
        high = min(s + bins * bin_size, size[c])
        if low >= high:
            continue
        r = index[index_first[c] + low // BLOCK]
        stop = first[c + 1]
        while r < stop and runs[r, 1] <= low:
            r += 1
        at, total = -1, 0.0
        while r < stop and runs[r, 0] < high:
            p = max(runs[r, 0], low)
            end = min(runs[r, 1], high)
            while p < end:
                k = (p - s) // bin_size
                if k != at:
                    if at >= 0:
                        y[at] = total / bin_size if mean else total
                    at, total = k, 0.0
                border = min(end, s + (k + 1) * bin_size)
                total += float(values[r]) * (border - p)
                p = border
            r += 1
        if at >= 0:
            y[at] = total / bin_size if mean else total
        if transform != NONE:
            for t in range(bins):
                value = float(y[t])
                if value == 0.0:
                    continue
                if transform == LOG1P:
                    y[t] = math.log1p(value)
                elif transform == SQRT:
                    y[t] = math.sqrt(value)
                else:
                    y[t] = min(value, limit)
