"""Compiled loops over ragged windows, for a CPU: each position of each mutant is touched once.

Rows of M mutants lie behind each other: mutant m has the positions low[m] <= q < high[m], in the rows from first[m].
`base[m]` is the row of the reference matrix (R * T, F) at which its window begins.  Loops release the GIL.
"""

from __future__ import annotations

import numba
import numpy as np

_njit = numba.njit(nogil=True, cache=True, error_model="numpy")


@_njit
def sum_taps(taps, shifts, low, high, first, out_low, out_high, out_first, out):
    """taps: (rows, K * C) the products of every row with every tap; position p reaches p + shifts[k] by tap k."""
    channels = out.shape[1]
    n_taps = shifts.shape[0]
    for m in range(low.shape[0]):
        for q in range(out_low[m], out_high[m]):
            y = out[out_first[m] + q - out_low[m]]
            filled = False
            for k in range(n_taps):
                p = q - shifts[k]
                if low[m] <= p < high[m]:
                    x = taps[first[m] + p - low[m], k * channels : (k + 1) * channels]
                    if filled:
                        for c in range(channels):
                            y[c] += x[c]
                    else:
                        for c in range(channels):
                            y[c] = x[c]
                        filled = True
            if not filled:
                for c in range(channels):
                    y[c] = 0


@_njit
def finish(low, high, first, relu, reference, base, rest, r_low, r_high, r_first, out):
    """In place: if `relu`, relu(reference + out) - relu(reference); then `rest` is added where its windows are."""
    channels = out.shape[1]
    zero = out.dtype.type(0)
    for m in range(low.shape[0]):
        for q in range(low[m], high[m]):
            y = out[first[m] + q - low[m]]
            if relu:
                r = reference[base[m] + q]
                for c in range(channels):
                    y[c] = max(r[c] + y[c], zero) - max(r[c], zero)
            if r_low[m] <= q < r_high[m]:
                z = rest[r_first[m] + q - r_low[m]]
                for c in range(channels):
                    y[c] += z[c]


@_njit
def add_rows(values, low, high, first, out_low, out_high, out_first, shift, column, out):
    """Add windows into other ones: position p to p + shift, features to those from `column` on."""
    width = values.shape[1]
    for m in range(low.shape[0]):
        for p in range(max(low[m], out_low[m] - shift), min(high[m], out_high[m] - shift)):
            x = values[first[m] + p - low[m]]
            y = out[out_first[m] + p + shift - out_low[m], column : column + width]
            for c in range(width):
                y[c] += x[c]


@_njit
def max_pool(
    values, low, high, first, reference, base, out_low, out_high, out_first, size, stride, padding, length, out
):
    """Maxima of `size` positions with the values added, less those of the reference alone."""
    width = values.shape[1]
    new = np.empty(width, values.dtype)
    old = np.empty(width, values.dtype)
    for m in range(low.shape[0]):
        for q in range(out_low[m], out_high[m]):
            begin = max(q * stride - padding, 0)
            end = min(q * stride - padding + size, length)
            y = out[out_first[m] + q - out_low[m]]
            for p in range(begin, end):
                r = reference[base[m] + p]
                inside = low[m] <= p < high[m]
                if inside:
                    x = values[first[m] + p - low[m]]
                    for c in range(width):
                        v = r[c] + x[c]
                        new[c] = v if p == begin else max(new[c], v)
                        old[c] = r[c] if p == begin else max(old[c], r[c])
                else:
                    for c in range(width):
                        new[c] = r[c] if p == begin else max(new[c], r[c])
                        old[c] = r[c] if p == begin else max(old[c], r[c])
            for c in range(width):
                y[c] = new[c] - old[c]


@_njit
def segment_sum(values, first, out):
    """Sums over the rows of each mutant: (rows, F) -> (M, F)."""
    width = values.shape[1]
    for m in range(out.shape[0]):
        y = out[m]
        for c in range(width):
            y[c] = 0
        for i in range(first[m], first[m + 1]):
            x = values[i]
            for c in range(width):
                y[c] += x[c]


@_njit
def outside_maximum(values, low, high, first, reference, base, before, after, before_base, top, out):
    """Maxima over all positions with the values added, less those of the reference.

    before, after: (R * (T + 1), F) maxima of the reference before a position and from it on, rows from
    before_base[m]; top: (M, F) maxima of the reference.
    """
    width = values.shape[1]
    for m in range(low.shape[0]):
        y = out[m]
        a, b = before[before_base[m] + low[m]], after[before_base[m] + high[m]]
        for c in range(width):
            y[c] = max(a[c], b[c])
        for q in range(low[m], high[m]):
            x, r = values[first[m] + q - low[m]], reference[base[m] + q]
            for c in range(width):
                y[c] = max(y[c], r[c] + x[c])
        for c in range(width):
            y[c] -= top[m, c]


@_njit
def running_maxima(reference, length, before, after):
    """Maxima before each position and from it on; reference: (R * T, F), the others (R * (T + 1), F)."""
    width = reference.shape[1]
    low = -np.inf
    for r in range(reference.shape[0] // length):
        x = reference[r * length : (r + 1) * length]
        rows = slice(r * (length + 1), (r + 1) * (length + 1))
        first, last = before[rows], after[rows]
        for c in range(width):
            first[0, c] = low
            last[length, c] = low
        for q in range(length):
            a, b, y = first[q], first[q + 1], x[q]
            for c in range(width):
                b[c] = max(a[c], y[c])
        for q in range(length - 1, -1, -1):
            a, b, y = last[q + 1], last[q], x[q]
            for c in range(width):
                b[c] = max(a[c], y[c])
