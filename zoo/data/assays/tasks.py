"""Tasks and samples of a cohort: which experiments make one task, and which of them one example.

experiments -> tasks_by_experiment (one sample) or tasks_by_target (a sample a cell and batch)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from zoo.data.assays.peak_labels import UNKNOWN, combine_replicates
from zoo.data.assays.sheet import Experiment
from zoo.errors import ConfigError
from zoo.outputs import as_name


@dataclass(frozen=True)
class Sample:
    """What an example is of, beside its interval: a cell and a batch, "" where unknown or several."""

    cell: str = ""
    batch: str = ""


@dataclass(frozen=True)
class Tasks:
    """names: of the C tasks.  samples: S of them.  experiments: [sample][task] -> numbers of experiments."""

    names: tuple[str, ...]
    samples: tuple[Sample, ...]
    experiments: tuple[tuple[tuple[int, ...], ...], ...]

    def take(self, columns: np.ndarray) -> Tasks:
        """These tasks, in this order."""
        names = tuple(self.names[c] for c in columns)
        return Tasks(names, self.samples, tuple(tuple(row[c] for c in columns) for row in self.experiments))

    def labels(self, of_experiment: np.ndarray, replicates: str) -> np.ndarray:
        """(N, E) int8 labels of experiments -> (N, S, C); -1 where a sample has no experiment of a task."""
        out = np.full((len(of_experiment), len(self.samples), len(self.names)), UNKNOWN, np.int8)
        for s, row in enumerate(self.experiments):
            for c, numbers in enumerate(row):
                if numbers:
                    out[:, s, c] = combine_replicates([of_experiment[:, e] for e in numbers], replicates)
        return out


def tasks_by_experiment(experiments: Sequence[Experiment]) -> Tasks:
    """A task an experiment; one sample, of the cell and the batch that all experiments share."""
    cells, batches = {e.cell for e in experiments}, {e.batch for e in experiments}
    sample = Sample(*(values.pop() if len(values) == 1 else "" for values in (cells, batches)))
    return Tasks(tuple(e.name for e in experiments), (sample,), (tuple((i,) for i in range(len(experiments))),))


def tasks_by_target(experiments: Sequence[Experiment]) -> Tasks:
    """A task a target, a sample a cell and batch; several experiments of one are replicates of each other.

    Raises ConfigError for an experiment without a target or a cell.
    """
    for key in ("target", "cell"):
        lacking = next((e for e in experiments if not getattr(e, key)), None)
        if lacking is not None:
            raise ConfigError(
                f"data.examples=contexts: experiment {lacking.name!r} (line {lacking.replicates[0].line} of the sheet) "
                f"names no {key}: fill the column, or set data.examples=intervals"
            )
    names = tuple(dict.fromkeys(as_name(e.target) for e in experiments))
    samples = tuple(dict.fromkeys(Sample(e.cell, e.batch) for e in experiments))
    table = [[[] for _ in names] for _ in samples]
    for i, e in enumerate(experiments):
        table[samples.index(Sample(e.cell, e.batch))][names.index(as_name(e.target))].append(i)
    return Tasks(names, samples, tuple(tuple(tuple(cell) for cell in row) for row in table))
