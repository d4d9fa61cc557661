"""Windows of sequence along contigs, and the squares of a contact map that belong to them.

    codes (L,) and log(O/E) (C, T, T) of each contig ── windows of `bins` bins ──> batches

A window has as many bins along the sequence as its square has on both sides; pairs further apart are seen by no
window.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from zoo.data.source import Examples
from zoo.errors import ConfigError
from zoo_hic.maps import bins_apart

TARGET = "contacts"


@dataclass(frozen=True)
class Stretch:
    """Consecutive bins of a contig.

    contig: its name.  first, last: bins, half-open.  squares: (C, T, T) float32 of the whole contig, NaN where unknown.
    codes: (start, end) in bp -> (end - start,) uint8; N past the contig's end.
    """

    contig: str
    first: int
    last: int
    squares: np.ndarray
    codes: Callable[[int, int], np.ndarray]


class SquareWindows(Examples):
    """Windows of some stretches.

    bins: T of a window.  bin_size: bp.  step: bins from one window to the next; the last one ends with its stretch.
    known: share of a window's pairs that must be known in one map at least; other windows are left out.
    nearest, furthest: pairs fewer or more bins apart have weight 0.
    signal: {contig: (A, T)} epigenomic tracks by bin of the contig.
    overhang: bins by which windows may hang over the ends of a contig, where they read N, by which a network
        can see where a chromosome ends.
    """

    def __init__(
        self,
        stretches: Sequence[Stretch],
        bins: int,
        bin_size: int,
        *,
        step: int,
        known: float = 0.3,
        nearest: int = 0,
        furthest: int | None = None,
        signal: Mapping[str, np.ndarray] | None = None,
        overhang: int = 0,
    ):
        self.stretches, self.signal = list(stretches), signal
        self._bins, self._bin_size, self._overhang = bins, bin_size, overhang
        apart = bins_apart(bins)
        self._counted = (apart >= nearest) & (apart <= (bins if furthest is None else furthest))
        places = []
        for i, stretch in enumerate(self.stretches):
            for start in self.starts(stretch, step):
                square = self._square(stretch, start)
                share = np.isfinite(square)[:, self._counted].mean(1) if self._counted.any() else np.zeros(1)
                if share.max() >= known:
                    places.append((i, start))
        self.places = np.array(places, np.int64).reshape(-1, 2)
        self.lengths = np.full(len(places), bins * bin_size, np.int64)

    def batch(self, indices: np.ndarray, margin: int = 0) -> dict[str, np.ndarray]:
        if margin:
            raise ConfigError(f"windows of a map have no flank, but {margin} bp are asked for: set trainer.shift=0")
        codes, squares, signal = [], [], []
        for i, start in self.places[np.asarray(indices)]:
            stretch = self.stretches[i]
            codes.append(stretch.codes(start * self._bin_size, (start + self._bins) * self._bin_size))
            squares.append(self._square(stretch, start))
            if self.signal is not None:
                signal.append(self.tracks(self.signal[stretch.contig], start))
        square = np.stack(squares)
        known = np.isfinite(square) & self._counted
        out = {
            "codes": np.stack(codes),
            f"target/{TARGET}": np.where(known, square, 0).astype(np.float32),
            f"weight/{TARGET}": known.astype(np.float32),
        }
        return out | ({"signal": np.stack(signal)} if signal else {})

    def starts(self, stretch: Stretch, step: int) -> list[int]:
        """First bins of windows over a stretch; below 0 where one hangs over the contig's begin."""
        before = self._overhang if stretch.first == 0 else 0
        after = self._overhang if stretch.last >= stretch.squares.shape[1] else 0
        return window_starts(stretch.first - before, stretch.last + after, self._bins, step)

    def tracks(self, whole: np.ndarray, start: int) -> np.ndarray:
        """(A, T) of a window, from the tracks of its contig; 0 beyond the contig."""
        out = np.zeros((len(whole), self._bins), np.float32)
        low, high = max(start, 0), min(start + self._bins, whole.shape[1])
        out[:, low - start : high - start] = whole[:, low:high]
        return out

    def _square(self, stretch: Stretch, start: int) -> np.ndarray:
        """(C, T, T) of a window; bins beyond the stretch are unknown."""
        low, high = max(start, stretch.first), min(start + self._bins, stretch.last)
        out = np.full((len(stretch.squares), self._bins, self._bins), np.nan, np.float32)
        there, here = slice(low - start, high - start), slice(low, high)
        out[:, there, there] = stretch.squares[:, here, here]
        return out

    def identity(self, indices: np.ndarray) -> dict[str, np.ndarray]:
        rows = self.places[np.asarray(indices)]
        starts = rows[:, 1] * self._bin_size
        return {
            "chrom": np.array([self.stretches[i].contig for i in rows[:, 0]], object),
            "start": starts,
            "end": starts + self._bins * self._bin_size,
        }


def average_windows(maps: np.ndarray, starts: Sequence[int], bins: int, step: int) -> np.ndarray:
    """(W, C, T, T) of windows at `starts`, `step` bins apart -> (C, bins, bins), NaN where none has a known value.

    Windows may begin before 0 and end behind `bins`; what lies there is left out.  Where it takes several windows,
    pairs more than T - step bins apart are NaN, since some of them are in no window.
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
    mean = np.divide(total, share, out=np.full(total.shape, np.nan, np.float32), where=share > 0)
    if bins > window:
        mean[:, bins_apart(bins) > window - step] = np.nan
    return mean


def window_starts(first: int, last: int, bins: int, step: int) -> list[int]:
    """First bins of windows that cover [first, last); one where it is not longer than a window.

    >>> window_starts(0, 10, 4, 3)
    [0, 3, 6]
    >>> window_starts(0, 11, 4, 3)
    [0, 3, 6, 7]
    """
    if last - first <= bins:
        return [first] if last > first else []
    starts = list(range(first, last - bins + 1, step))
    return starts if starts[-1] == last - bins else [*starts, last - bins]
