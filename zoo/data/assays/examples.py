"""Batches of a cohort: sequence, a label and a weight for every task, signal, context, domain and covariates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from zoo.data.assays.input_tracks import InputTracks
from zoo.data.assays.peak_labels import POSITIVE, UNKNOWN
from zoo.data.assays.placement import Windows
from zoo.data.assays.signal_labels import SignalLabels
from zoo.data.genome import Genome
from zoo.data.source import Examples
from zoo.fields import Field


@dataclass(frozen=True)
class ExampleTable:
    """n examples in columns of (n,).

    window, sample: numbers of the window and of the sample.
    labels: (n, C) int8, 1, 0 or -1 where nothing is known; of signals 0 for what is known.
    domain, context: (n,) int64 ids, -1 where unknown.  covariates: (n, k) float32, NaN where unknown.
    """

    window: np.ndarray
    sample: np.ndarray
    labels: np.ndarray
    domain: np.ndarray
    context: np.ndarray
    covariates: np.ndarray

    def __len__(self) -> int:
        return len(self.window)


@dataclass(frozen=True)
class CohortParts:
    """What the splits of a cohort share.

    targets: {target: its field}.  columns: {target: (c,) which tasks its channels are}.
    cells, domains: names of the contexts and domains, none where examples have none.
    signal_labels: where labels are of signals.  tracks: where the model reads some.
    """

    genome: Genome
    length: int
    targets: Mapping[str, Field]
    columns: Mapping[str, np.ndarray]
    cells: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()
    signal_labels: SignalLabels | None = None
    tracks: InputTracks | None = None


class AssayExamples(Examples):
    """Examples of one split.

    task_labels: (n, C) int8, 1, 0 or -1 where an experiment says nothing; columns as `Assays.tasks`.
    labels: (n,) whether any task is positive.
    """

    def __init__(self, parts: CohortParts, windows: Windows, table: ExampleTable):
        self._parts, self.windows, self.table = parts, windows, table
        self.lengths = np.full(len(table), parts.length, np.int64)
        self.margin = parts.length
        self.task_labels = table.labels
        self.labels = (table.labels == POSITIVE).any(1).astype(np.float32)

    def batch(self, indices: np.ndarray, margin: int = 0) -> dict[str, np.ndarray]:
        """codes (N, L + 2 * margin), target/<name> and weight/<name> (N, C), or (N, C, T) and (N, C, 1) of profiles,
        covariates (N, k), index (N,); signal (N, A, T), context and domain (N,) where the sheet has them.
        """
        parts, table, rows = self._parts, self.table, np.asarray(indices, np.int64)
        at, sample = table.window[rows], table.sample[rows]
        contig, start = self.windows.contig[at], self.windows.start[at]
        first, length = start - margin, parts.length + 2 * margin
        batch = {"codes": parts.genome.windows(contig, first, length)}
        known = (table.labels[rows] != UNKNOWN).astype(np.float32)
        if parts.signal_labels is None:
            values = (table.labels[rows] == POSITIVE).astype(np.float32)
        elif any(field.position_axes for field in parts.targets.values()):
            values, known = parts.signal_labels.of(contig, first, sample, length), known[:, :, None]
        else:
            values = parts.signal_labels.of(contig, start, sample, parts.length)[:, :, 0]
        for target, columns in parts.columns.items():
            whole = len(columns) == values.shape[1]
            batch[f"target/{target}"] = values if whole else values[:, columns]
            batch[f"weight/{target}"] = known if whole else known[:, columns]
        if parts.tracks is not None:
            batch |= parts.tracks.batch(contig, first, sample, length)
        if parts.domains:
            batch["domain"] = table.domain[rows]
        if parts.cells:
            batch["context"] = table.context[rows]
        return batch | {"covariates": table.covariates[rows], "index": rows}

    def once_a_window(self) -> AssayExamples:
        """One example of every window, whatever the cell: for an audit of what the splits share."""
        rows = np.unique(self.table.window, return_index=True)[1]
        return AssayExamples(self._parts, self.windows, ExampleTable(*(x[rows] for x in vars(self.table).values())))

    def identity(self, indices: np.ndarray) -> dict[str, np.ndarray]:
        """chrom, start, end, name (peak or background); cell and domain where examples differ in them."""
        rows = np.asarray(indices, np.int64)
        at = self.table.window[rows]
        contigs = np.array(list(self._parts.genome.contigs), object)
        start = self.windows.start[at]
        columns = {
            "chrom": contigs[self.windows.contig[at]],
            "start": start,
            "end": start + self._parts.length,
            "name": np.where(self.windows.at_peak[at], "peak", "background").astype(object),
        }
        for key, names, ids in (("cell", self._parts.cells, "context"), ("domain", self._parts.domains, "domain")):
            if len(names) > 1:
                columns[key] = np.array([*names, ""], object)[getattr(self.table, ids)[rows]]
        return columns
