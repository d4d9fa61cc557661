"""Covariates of windows: GC content, mappability, and the depth of the controls.

windows + samples -> (n, k) float32, NaN where unknown
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from zoo.data.assays.placement import Windows
from zoo.data.assays.sheet import Experiment
from zoo.data.assays.tasks import Tasks
from zoo.data.genome import Genome
from zoo.data.signals import SignalStore, Track, tracks_by_file

_AT_ONCE = 1 << 14


class Covariates:
    """Columns of the batch's `covariates`.

    names: gc; mappability, the mean of a track over the window, where its file is named; depth, ln(1 + mean coverage)
    of the controls of a sample's experiments, where any has one: what reads say of a place before any binding.
    notes: what a person should know of how the tracks were read.
    """

    def __init__(
        self, genome: Genome, length: int, mappability: str | None, tasks: Tasks, experiments: Sequence[Experiment]
    ):
        self._length = length
        self._mappability = None
        if mappability:
            self._mappability = SignalStore.open([Track("mappability", Path(mappability).expanduser())], genome, length)
        used = [[e for numbers in row for e in numbers] for row in tasks.experiments]
        controls = [
            dict.fromkeys(p for e in dict.fromkeys(row) for p in experiments[e].files("control")) for row in used
        ]
        self._depth = [
            SignalStore.open(tracks_by_file(list(files)), genome, length) if files else None for files in controls
        ]
        stores = [store for store in (self._mappability, *self._depth) if store is not None]
        self.notes = list(dict.fromkeys(f"covariates: {note}" for store in stores for note in store.notes))
        has_depth = any(store is not None for store in self._depth)
        self.names = ("gc", *(["mappability"] if self._mappability else []), *(["depth"] if has_depth else []))

    def of(self, windows: Windows, window: np.ndarray, sample: np.ndarray) -> np.ndarray:
        """window, sample: (n,) -> (n, k)."""
        columns = [windows.gc[window]]
        if self._mappability is not None:
            columns.append(self._means(self._mappability, windows)[window])
        if "depth" in self.names:
            depth = np.full((len(self._depth), len(windows)), np.nan)
            for s, store in enumerate(self._depth):
                if store is not None:
                    depth[s] = np.log1p(np.maximum(self._means(store, windows), 0))
            columns.append(depth[sample, window])
        return np.stack(columns, 1).astype(np.float32)

    def _means(self, store: SignalStore, windows: Windows) -> np.ndarray:
        """(windows,) mean over the tracks of a store."""
        out = np.empty(len(windows))
        for i in range(0, len(windows), _AT_ONCE):
            at = slice(i, i + _AT_ONCE)
            out[at] = store.windows(windows.contig[at], windows.start[at], self._length).mean((1, 2))
        return out
