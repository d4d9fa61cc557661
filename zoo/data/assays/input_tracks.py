"""Tracks that a model reads beside the sequence, by the cell of the example.

rows of role input -> a SignalStore a sample -> batch {signal (N, A, T), present/signal (N,)}
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from zoo.data.assays.sheet import Experiment
from zoo.data.assays.tasks import Sample
from zoo.data.genome import Genome
from zoo.data.signals import SignalStore, Track
from zoo.errors import ConfigError
from zoo.fields import Field


class InputTracks:
    """Signal of every sample.

    stores: of the samples, None where a sample has no track.  A row without a cell is of every sample; others are of
    the samples of their cell.  Tracks are called by their assay.
    """

    def __init__(
        self,
        experiments: Sequence[Experiment],
        samples: Sequence[Sample],
        genome: Genome,
        bin_size: int,
        transform: str,
    ):
        if len(samples) == 1 and len(cells := dict.fromkeys(e.cell for e in experiments if e.cell)) > 1:
            raise ConfigError(
                f"the inputs are of cells {', '.join(cells)}, and an interval has one signal: choose one with "
                "data.where=cell=..., or make an example for each cell with data.examples=contexts"
            )
        alone = len(samples) == 1
        tracks = [_tracks([e for e in experiments if alone or e.cell in ("", s.cell)], s) for s in samples]
        self.names = tuple(dict.fromkeys(name for own in tracks for name in own))
        for sample, own in zip(samples, tracks, strict=True):
            missing = [name for name in self.names if name not in own]
            if own and missing:
                raise ConfigError(
                    f"cell {sample.cell!r} has the input {next(iter(own))!r} but not {missing[0]!r}, which another "
                    "cell has: add the row, or leave that assay's inputs out of the sheet"
                )
        named = [[Track(name, own[name]) for name in self.names] if own else None for own in tracks]
        self.stores = [SignalStore.open(t, genome, bin_size, transform) if t else None for t in named]
        self._any = next(store for store in self.stores if store is not None)
        self.notes = list(dict.fromkeys(f"signal: {note}" for s in self.stores if s for note in s.notes))

    @property
    def field(self) -> Field:
        """Of the input `signal`."""
        return self._any.field

    def batch(self, contig: np.ndarray, start: np.ndarray, sample: np.ndarray, length: int) -> dict[str, np.ndarray]:
        """contig, start, sample: (N,) -> signal (N, A, T), and present/signal (N,) where a sample has none."""
        shape = (len(start), len(self.names), length // self._any.bin_size)
        signal = np.zeros(shape, np.float32)
        for s in np.unique(sample).tolist():
            at = np.flatnonzero(sample == s)
            if (store := self.stores[s]) is not None:
                signal[at] = store.windows(contig[at], start[at], length)
        batch = {"signal": signal}
        if None in self.stores:
            there = np.array([store is not None for store in self.stores], np.float32)
            batch["present/signal"] = there[sample]
        return batch

    def describe(self, samples: Sequence[Sample]) -> list[dict]:
        """What a model card says of every track: plain JSON."""
        return [
            {**track, **({"cell": sample.cell} if sample.cell else {})}
            for sample, store in zip(samples, self.stores, strict=True)
            if store is not None
            for track in store.describe()
        ]


def _tracks(experiments: Sequence[Experiment], sample: Sample) -> dict[str, Path]:
    """{assay: file} of one sample."""
    tracks: dict[str, Path] = {}
    for e in experiments:
        line = e.replicates[0].line
        files = e.files("signal")
        if not e.assay or not files:
            what = "names no assay, by which its track is called" if not e.assay else "names no signal"
            raise ConfigError(f"input {e.name!r} (line {line} of the sheet) {what}: fill the column")
        if len(files) > 1:
            raise ConfigError(f"input {e.name!r} (line {line} of the sheet) has replicates: merge their files into one")
        if e.assay in tracks:
            raise ConfigError(
                f"cell {sample.cell!r} has two inputs of assay {e.assay!r}, the second {e.name!r} (line {line} of the "
                "sheet): call their assays apart, or merge the files into one"
            )
        tracks[e.assay] = files[0]
    return tracks
