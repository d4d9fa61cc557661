"""Windows of a cohort: at the union of its peaks, inside the regions of every split, and a background beside them.

peaks of all experiments -> starts -> place_all -> {split: Windows}
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from zoo.data.assays.peak_files import ContigLine, PlacedPeaks
from zoo.data.assays.peak_labels import merge_centers
from zoo.data.assays.settings import AssayWindows, Background
from zoo.data.gc_matched_negatives import match_gc
from zoo.data.sequences import canonical_hash
from zoo.data.source import SPLITS
from zoo.data.splits import Splits
from zoo.errors import DataError

_ROUNDS, _AT_ONCE = 20, 1 << 16

Regions = Mapping[str, Sequence[tuple[int, int, int]]]


@dataclass(frozen=True)
class Windows:
    """N windows of one length, ascending on the line.

    contig, start: (N,) int64.  gc: (N,) fraction of G and C.  at_peak: (N,) bool, False for the background.
    """

    contig: np.ndarray
    start: np.ndarray
    gc: np.ndarray
    at_peak: np.ndarray

    def __len__(self) -> int:
        return len(self.start)

    def take(self, rows: np.ndarray) -> Windows:
        """These rows, in this order."""
        return Windows(*(x[rows] for x in vars(self).values()))


class WindowPlacer:
    """Windows of every split, and why others are none.

    peaks: of all experiments; blacklist: regions that no window touches, None without.
    dropped: {reason: windows}, filled as splits are placed.  matching: {split: report} of the GC match.
    """

    def __init__(
        self, line: ContigLine, settings: AssayWindows, peaks: Sequence[PlacedPeaks], blacklist: PlacedPeaks | None
    ):
        self.line, self.settings, self.genome = line, settings, line.genome
        self.peaks, self.blacklist = peaks, blacklist
        self.avoided = [*peaks, *([blacklist] if blacklist is not None else [])]
        self.dropped: dict[str, int] = {}
        self.matching: dict[str, Any] = {}

    def place_all(
        self, places: PlacedPeaks | None, splits: Splits, background: Background, seed: int
    ) -> dict[str, Windows]:
        """Windows of every split, without training and validation windows whose sequence a later split holds, and
        without training windows of one sequence."""
        starts, regions = self.starts(places), splits.of(self.genome)
        if places is not None:
            self.avoided.append(places)
        placed, seen = {}, np.empty(0, np.uint64)
        for split in reversed(SPLITS):
            windows = self.place(starts, split, regions, background, (seed,))
            hashes = self._hashes(windows)
            keep = ~np.isin(hashes, seen)
            self.dropped[f"{split}_in_a_later_split"] = int((~keep).sum())
            if split == "train":
                # Windows at peaks first, so that a sequence which is both stays one.
                order = np.argsort(~windows.at_peak, kind="stable")
                once = np.zeros(len(windows), bool)
                once[order[np.unique(hashes[order], return_index=True)[1]]] = True
                self.dropped["train_duplicates"] = int((keep & ~once).sum())
                keep &= once
            placed[split] = windows.take(np.flatnonzero(keep))
            seen = np.concatenate([seen, hashes])
        return {split: placed[split] for split in SPLITS}

    def _hashes(self, windows: Windows) -> np.ndarray:
        """(N,) uint64, `canonical_hash` of every window."""
        parts = [np.empty(0, np.uint64)]
        for i in range(0, len(windows), _AT_ONCE):
            at = slice(i, i + _AT_ONCE)
            codes = self.genome.windows(windows.contig[at], windows.start[at], self.settings.length)
            parts.append(canonical_hash(codes)[0])
        return np.concatenate(parts)

    def starts(self, places: PlacedPeaks | None) -> np.ndarray:
        """(n,) starts on the line, ascending: around the places where they are named, else the union of the peaks."""
        length, core = self.settings.length, self.settings.core
        if places is not None:
            return np.unique(self.line.place(places.contig, places.center - length // 2))
        centers = [self.line.place(p.contig, p.center) for p in self.peaks]
        return merge_centers(np.concatenate(centers), length, core)

    def place(
        self, starts: np.ndarray, split: str, regions: Regions, background: Background, seed: Sequence[int]
    ) -> Windows:
        """Windows of a split: those of `starts` that its regions hold whole, and the background drawn from them."""
        length = self.settings.length
        contig, at = self.line.undo(starts)
        inside = np.zeros(len(starts), bool)
        for region, first, end in regions[split]:
            inside |= (contig == region) & (at >= first) & (at + length <= end)
        windows = self._clean(contig[inside], at[inside], split, True)
        number = background.number(split, len(windows))
        if not number:
            return windows
        if background.how == "gc":
            others = self._gc_matched(windows, split, regions[split], background, number, seed)
        else:
            others = self._random(windows, split, regions[split], number, seed)
        joined = Windows(
            *(np.concatenate(pair) for pair in zip(vars(windows).values(), vars(others).values(), strict=True))
        )
        order = np.argsort(self.line.place(joined.contig, joined.start), kind="stable")
        return joined.take(order)

    def _clean(self, contig: np.ndarray, start: np.ndarray, split: str, at_peak: bool) -> Windows:
        """Without windows of N and those that the blacklist touches."""
        length = self.settings.length
        gc, unknown = np.empty(len(start)), np.empty(len(start), np.int64)
        for i in np.unique(contig):
            rows = np.flatnonzero(contig == i)
            strong, unknown[rows] = self.genome.base_counts(int(i), start[rows], length)
            gc[rows] = strong / np.maximum(length - unknown[rows], 1)
        limit = self.settings.max_n_fraction * length
        bad = unknown >= length if split == "test" and at_peak else (unknown > limit) | (unknown >= length)
        listed = self._on_blacklist(contig, start)
        if at_peak:
            self.dropped[f"{split}_windows_with_n"] = int(bad.sum())
            self.dropped[f"{split}_windows_on_the_blacklist"] = int((listed & ~bad).sum())
        keep = ~bad & ~listed
        return Windows(contig[keep], start[keep], gc[keep], np.full(int(keep.sum()), at_peak))

    def _on_blacklist(self, contig: np.ndarray, start: np.ndarray) -> np.ndarray:
        if self.blacklist is None:
            return np.zeros(len(start), bool)
        at = self.line.place(contig, start)
        first, end = np.sort(self.blacklist.on_line(self.line).start), np.sort(self.blacklist.on_line(self.line).end)
        # Regions that begin before the window ends, less those that end before it begins.
        return np.searchsorted(first, at + self.settings.length, "left") > np.searchsorted(end, at, "right")

    def _gc_matched(self, windows, split, regions, background: Background, number: int, seed) -> Windows:
        rng = np.random.default_rng([*seed, SPLITS.index(split), 1])
        whole, rest = divmod(number, len(windows))
        rows = np.r_[np.tile(np.arange(len(windows)), whole), rng.permutation(len(windows))[:rest]]
        try:
            matched = match_gc(
                self.genome,
                windows.gc[rows],
                self.settings.length,
                exclude=tuple(
                    np.concatenate([getattr(p, k) for p in self.avoided]) for k in ("contig", "start", "end")
                ),
                min_distance=background.min_distance,
                bin_width=background.gc_bin,
                max_n_fraction=self.settings.max_n_fraction,
                regions=regions,
                seed=[*seed, SPLITS.index(split)],
            )
        except DataError as error:
            raise DataError(
                f"{split}: {error}; or set data.negatives.how=random, which takes windows anywhere, or a smaller "
                "data.negatives.per_window or min_distance"
            ) from None
        self.matching[split] = matched.report
        return Windows(matched.contig_ids, matched.starts, matched.gc, np.zeros(len(matched), bool))

    def _random(self, windows: Windows, split: str, regions, number: int, seed) -> Windows:
        """Distinct windows, uniformly from all places of the regions, that touch no window at a peak."""
        rng = np.random.default_rng([*seed, SPLITS.index(split), 2])
        length = self.settings.length
        room = np.array([max(0, end - first - length + 1) for _, first, end in regions], np.int64)
        known = np.sort(self.line.place(windows.contig, windows.start))
        drawn = np.empty(0, np.int64)
        for _ in range(_ROUNDS if room.sum() else 0):
            at = rng.integers(room.sum(), size=2 * (number - len(drawn)))
            which = np.searchsorted(np.cumsum(room), at, "right")
            first = np.array([r[1] for r in regions], np.int64)[which] - (np.cumsum(room) - room)[which]
            contig = np.array([r[0] for r in regions], np.int64)[which]
            clean = self._clean(contig, at + first, split, False)
            places = self.line.place(clean.contig, clean.start)
            free = np.searchsorted(known, places - length, "right") == np.searchsorted(known, places + length, "left")
            new = np.concatenate([drawn, places[free]])
            drawn = new[np.sort(np.unique(new, return_index=True)[1])][:number]
            if len(drawn) == number:
                break
        else:
            raise DataError(
                f"{split}: {number:,} random windows are wanted, its regions hold {len(drawn):,} more: "
                "set a smaller data.negatives.per_window"
            )
        contig, start = self.line.undo(np.sort(drawn))
        return self._clean(contig, start, split, False)
