"""Windows that overlap, put together into one map."""

from __future__ import annotations

import numpy as np


def average_windows(maps: np.ndarray, starts: list[int], bins: int) -> np.ndarray:
    """(W, C, T, T) of windows at `starts` -> (C, bins, bins), NaN where none has a known value.

    Windows may begin before 0 and end behind `bins`; what lies there is left out.
    """
    window = maps.shape[-1]
    at = np.arange(window)
    inside = np.minimum(at, at[::-1])
    # The pair (i, j) is as near to an end as the nearer of its two bins.
    weight = 1.0 + np.minimum.outer(inside, inside).astype(np.float32)
    total = np.zeros((maps.shape[1], bins, bins), np.float32)
    share = np.zeros_like(total)
    for square, start in zip(maps, starts, strict=True):
        low, high = max(start, 0), min(start + window, bins)
        here, there = slice(low, high), slice(low - start, high - start)
        square, near = square[:, there, there], weight[there, there]
        known = np.isfinite(square)
        total[:, here, here] += near * np.where(known, square, 0)
        share[:, here, here] += near * known
    return np.divide(total, share, out=np.full(total.shape, np.nan, np.float32), where=share > 0)
