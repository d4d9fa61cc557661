"""Correlations from sums by block of the genome, and intervals from drawing blocks.

    band (D, T) of two maps ── sums of 1, x, y, xx, yy, xy by block and diagonal ──> (B, D, 6)
                                     └── draw B blocks with replacement, add up ── correlation ──> interval

Pixels of one place share reads, bins and structure, so they are no independent draws: an interval over pixels would be
far too narrow.  Blocks are runs of bins, as long as the largest distance scored unless said otherwise, and a pixel
belongs to the block of its midpoint.  With few blocks (below about ten) a percentile interval is still too narrow;
with one there is none.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from zoo.errors import ConfigError


@dataclass(frozen=True)
class Figure:
    """A value and its interval, NaN where it is not defined; n: what was counted; blocks: what was drawn."""

    value: float
    low: float
    high: float
    n: int
    blocks: int

    def __str__(self) -> str:
        if not np.isfinite(self.value):
            return "-"
        return f"{self.value:.3f}" + (f" ({self.low:.3f} to {self.high:.3f})" if np.isfinite(self.low) else "")


def block_bins(resolution: int, distances: tuple[float, float], block: float | None = None) -> int:
    """Bins of a block of `block` bp; by default as long as the largest distance."""
    length = distances[1] if block is None else block
    if not length > 0:
        raise ConfigError(f"block is {length} bp: give more than 0")
    return max(1, round(length / resolution))


def moments(
    x: Sequence[np.ndarray],
    y: Sequence[np.ndarray],
    length: int,
    *,
    first: int = 0,
    kept: Sequence[np.ndarray] | None = None,
    by_row: bool = False,
) -> np.ndarray:
    """(B, D, 6) sums of 1, x, y, xx, yy, xy.

    x, y: for each contig (D, T), row d - first being diagonal d, NaN at the same places.
    length: bins of a block; a contig has T / length of them, rounded, at least one, all equally long.
    kept: for each contig (D, T) bool, the pixels that count; by default those that are known.
    by_row: bring each diagonal on its own to mean 0 and standard deviation 1, or all together.  This changes
        no correlation, but sums keep their digits; what is constant becomes 0 throughout.
    """
    kept = [np.isfinite(a) for a in x] if kept is None else list(kept)
    x, y = _standard(x, kept, by_row), _standard(y, kept, by_row)
    parts = []
    for a, b, known in zip(x, y, kept, strict=True):
        rows, bins = a.shape
        blocks = max(1, round(bins / length))
        row, at = np.nonzero(known)
        middle = at + (first + row + 1) / 2
        cell = np.minimum((middle * blocks / bins).astype(int), blocks - 1) * rows + row
        a, b = a[known], b[known]
        sums = [np.bincount(cell, w, blocks * rows) for w in (np.ones_like(a), a, b, a * a, b * b, a * b)]
        parts.append(np.stack(sums, -1).reshape(blocks, rows, 6))
    return np.concatenate(parts)


def pearson_from_sums(sums: np.ndarray, *, least: int = 3) -> np.ndarray:
    """(...) correlation from sums (..., 6); NaN below `least` pixels or where either map is constant."""
    n, x, y, xx, yy, xy = np.moveaxis(np.asarray(sums, float), -1, 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        a, b = xx - x * x / n, yy - y * y / n
        flat = (n < least) | (a <= 1e-10 * xx) | (b <= 1e-10 * yy)
        return np.where(flat, np.nan, np.clip((xy - x * y / n) / np.sqrt(a * b), -1, 1))


def mean_from_sums(sums: np.ndarray) -> np.ndarray:
    """(R,) mean from (R, 2) sums of 1 and x; NaN of nothing."""
    return np.divide(sums[:, 1], sums[:, 0], out=np.full(len(sums), np.nan), where=sums[:, 0] > 0)


def sum_by_block(places: np.ndarray, values: np.ndarray, bins: int, length: int) -> np.ndarray:
    """(B, 2) sums of 1 and of the values (P,) at places (P,), in bins from the contig's start, of its blocks."""
    blocks = max(1, round(bins / length))
    block = np.minimum((places * blocks / bins).astype(int), blocks - 1)
    return np.stack([np.bincount(block, minlength=blocks), np.bincount(block, values, blocks)], -1).astype(float)


def draw_sums(sums: np.ndarray, draws: int, seed: int) -> np.ndarray:
    """(draws, ...) sums over as many blocks as there are, drawn with replacement, of sums (B, ...).

    Empty with fewer than two blocks.  The same seed draws the same blocks, so that differences are paired.
    """
    return np.tensordot(draw_counts(len(sums), draws, seed), sums, 1)


def draw_counts(blocks: int, draws: int, seed: int) -> np.ndarray:
    """(draws, blocks) float64: how often each block is in each draw; no draws of fewer than two blocks."""
    if blocks < 2:
        return np.zeros((0, blocks))
    return np.random.default_rng(seed).multinomial(blocks, np.full(blocks, 1 / blocks), draws).astype(float)


def figure(
    sums: np.ndarray, statistic: Callable[[np.ndarray], np.ndarray], *, draws: int = 500, seed: int = 0
) -> Figure:
    """The statistic of the sums (B, ...) over all blocks, with a percentile interval of 95 % over drawn blocks.

    statistic: from sums (R, ...) without the axis of blocks, to (R,).
    """
    value = float(statistic(sums.sum(0)[None])[0])
    return interval(value, statistic(draw_sums(sums, draws, seed)), int(sums[..., 0].sum()), len(sums))


def interval(value: float, drawn: np.ndarray, n: int, blocks: int) -> Figure:
    """A figure with the central 95 % of drawn values, of which at least half must be known."""
    known = drawn[np.isfinite(drawn)]
    if not np.isfinite(value) or not len(known) or 2 * len(known) < len(drawn):
        return Figure(value, float("nan"), float("nan"), n, blocks)
    low, high = np.quantile(known, [0.025, 0.975])
    return Figure(value, float(low), float(high), n, blocks)


def _standard(arrays, kept, by_row):
    """Each array (D, T) with mean 0 and standard deviation 1, by row or over all, where it is kept, and 0 elsewhere."""
    axis = (0, 2) if by_row else (0, 1, 2)
    width = max(a.shape[1] for a in arrays)
    values, known = np.zeros((2, len(arrays), arrays[0].shape[0], width))
    for k, (a, here) in enumerate(zip(arrays, kept, strict=True)):
        values[k, :, : a.shape[1]] = np.where(here, a, 0.0)
        known[k, :, : a.shape[1]] = here
    n = np.maximum(known.sum(axis, keepdims=True), 1)
    largest = np.abs(values).max(axis, keepdims=True)
    values -= values.sum(axis, keepdims=True) / n
    values *= known
    spread = np.sqrt((values**2).sum(axis, keepdims=True) / n)
    # Below this the spread is what rounding leaves of a constant.
    flat = spread <= 1e-7 * largest
    values = np.where(flat, 0.0, values / np.where(flat, 1.0, spread))
    return [values[k, :, : a.shape[1]] for k, a in enumerate(arrays)]
