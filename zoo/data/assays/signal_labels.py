"""Signal of experiments as labels: coverage or counts of a window, or by position, and its ratio to a control.

signal and control files of a sample's experiments -> SignalLabels.of(windows) -> (N, C) or (N, C, T) float32
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from zoo.data.assays.sheet import Experiment
from zoo.data.assays.tasks import Tasks
from zoo.data.genome import Genome
from zoo.data.signals import SignalStore, tracks_by_file
from zoo.errors import ConfigError, DataError


@dataclass(frozen=True)
class MixedTracks:
    """Files of one column of the sheet, as one signal a task.

    mix: (C, A), what each of the A files counts for a task.  total: (C,) over the genome.  counts: (C,) bool, whether
    a task's files are fragments, of which a bin has a number, where coverage has a mean over its bases.
    """

    store: SignalStore
    mix: np.ndarray
    total: np.ndarray
    counts: np.ndarray

    @classmethod
    def of(cls, groups: Sequence[Sequence[Path]], genome: Genome, bin_size: int) -> MixedTracks:
        """groups: files of every task: coverage is averaged over them, counts of fragments are added up."""
        files = list(dict.fromkeys(path for group in groups for path in group))
        store = SignalStore.open(tracks_by_file(files), genome, bin_size)
        counts = np.zeros(len(groups), bool)
        mix = np.zeros((len(groups), len(files)), np.float32)
        for c, group in enumerate(groups):
            at = [files.index(path) for path in group]
            is_count = {store.stores[a].kind == "fragments" for a in at}
            if len(is_count) > 1:
                raise ConfigError(
                    f"{group[0]} and {group[1]} are replicates, one of fragments, one of coverage: convert one"
                )
            counts[c] = True in is_count
            mix[c, at] = 1.0 if counts[c] else 1.0 / max(1, len(at))
        totals = np.array([float(s.facts["sum"]) for s in store.stores])
        return cls(store, mix, mix @ totals, counts)

    def windows(self, contig: np.ndarray, start: np.ndarray, length: int) -> np.ndarray:
        """(N, C, T) float32."""
        return np.einsum("ca,nat->nct", self.mix, self.store.windows(contig, start, length))

    @property
    def is_count(self) -> bool:
        """Whether all files are fragments."""
        return all(store.kind == "fragments" for store in self.store.stores)


class SignalLabels:
    """Labels of every sample and task that has a signal.

    bin_size: bp of a position.  known: (S, C) bool.  is_count: the labels count fragments' ends.
    has_control: they are log2 of the ratio to a control.

    With a control the label is log2((x + m) / (c X / Y + m)): x of the signal and c of the control in a bin, by base,
    X and Y over the genome, and m the mean of the signal over the genome, which keeps empty bins finite.
    """

    def __init__(
        self, experiments: Sequence[Experiment], tasks: Tasks, genome: Genome, bin_size: int, by_position: bool
    ):
        self.bin_size, self._genome = bin_size, genome
        self.known = np.array([[bool(numbers) for numbers in row] for row in tasks.experiments])
        self.has_control = _controlled(experiments, by_position)
        self._signal, self._control = [], []
        for row in tasks.experiments:
            chosen = [[experiments[e] for e in numbers] for numbers in row]
            self._signal.append(self._mixed(chosen, "signal"))
            self._control.append(self._mixed(chosen, "control") if self.has_control else None)
        self.is_count = not self.has_control and all(s.is_count for s in self._signal)
        for row, signal in zip(tasks.experiments, self._signal, strict=True):
            for numbers, total in zip(row, signal.total, strict=True):
                if numbers and not total > 0:
                    e = experiments[numbers[0]]
                    raise DataError(
                        f"the signal of {e.name!r} ({e.files('signal')[0]}) is {total:g} in sum: leave it out"
                    )

    @property
    def notes(self) -> list[str]:
        """What a person should know of how the files were read."""
        mixed = [*self._signal, *(c for c in self._control if c is not None)]
        return list(dict.fromkeys(f"signal: {note}" for m in mixed for note in m.store.notes))

    def of(self, contig: np.ndarray, start: np.ndarray, sample: np.ndarray, length: int) -> np.ndarray:
        """contig, start, sample: (N,) -> (N, C, length // bin_size) float32, 0 where nothing is known."""
        out = np.zeros((len(start), self.known.shape[1], length // self.bin_size), np.float32)
        for s in np.unique(sample).tolist():
            at = np.flatnonzero(sample == s)
            signal, control = self._signal[s], self._control[s]
            x = signal.windows(contig[at], start[at], length)
            if control is not None:
                scale = (signal.total / np.maximum(control.total, 1e-300))[:, None]
                mean = signal.total[:, None] / sum(self._genome.contigs.values())
                x = x / np.where(signal.counts, self.bin_size, 1)[:, None]
                c = control.windows(contig[at], start[at], length) / np.where(control.counts, self.bin_size, 1)[:, None]
                with np.errstate(divide="ignore", invalid="ignore"):
                    x = np.log2((x + mean) / (c * scale + mean))
            out[at] = np.where(self.known[s][:, None], x, 0)
        return out

    def _mixed(self, chosen: Sequence[Sequence[Experiment]], column: str) -> MixedTracks:
        groups = [[path for e in experiments for path in e.files(column)] for experiments in chosen]
        return MixedTracks.of(groups, self._genome, self.bin_size)


def _controlled(experiments: Sequence[Experiment], by_position: bool) -> bool:
    """Whether all experiments have a control; ConfigError where only some do, or where labels are by position."""
    having = [e for e in experiments if e.files("control")]
    if not having:
        return False
    lacking = next((e for e in experiments if len(e.files("control")) < len(e.replicates)), None)
    if lacking is not None:
        raise ConfigError(
            f"experiment {having[0].name!r} has a control and {lacking.name!r} has not one for every row, so that "
            "their labels would be of two kinds: name a control for all, or leave the column empty"
        )
    if by_position:
        raise ConfigError(
            f"data.labels.of=profile learns counts, and a ratio to the control of {having[0].name!r} is none: "
            "leave the column control empty, or set data.labels.of=signal"
        )
    return True
