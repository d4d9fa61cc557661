"""Batches of a cohort: sequence, a label and a weight for every task, domain, context and covariates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from zoo.data.assays.peak_labels import POSITIVE, UNKNOWN
from zoo.data.assays.placement import Windows
from zoo.data.genome import Genome
from zoo.data.source import Examples


@dataclass(frozen=True)
class ExampleTable:
    """n examples in columns of (n,).

    window, sample: numbers of the window and of the sample.  labels: (n, C) int8, 1, 0 or -1 where nothing is known.
    domain, context: (n,) int64 ids, -1 where unknown.
    """

    window: np.ndarray
    sample: np.ndarray
    labels: np.ndarray
    domain: np.ndarray
    context: np.ndarray

    def __len__(self) -> int:
        return len(self.window)

    def take(self, rows: np.ndarray) -> ExampleTable:
        """These rows, in this order."""
        return ExampleTable(*(x[rows] for x in vars(self).values()))


class AssayExamples(Examples):
    """Examples of one split.

    targets: {target: columns of the labels}.  covariates: (windows, n) float32, NaN where unknown.
    task_labels: (n, C) int8, 1, 0 or -1 where an experiment says nothing; columns as `Assays.tasks`.
    labels: (n,) whether any task is positive.
    """

    def __init__(
        self,
        genome: Genome,
        length: int,
        windows: Windows,
        table: ExampleTable,
        targets: Mapping[str, np.ndarray],
        covariates: np.ndarray,
        cells: tuple[str, ...] = (),
        domains: tuple[str, ...] = (),
    ):
        self._genome, self._length, self.windows, self.table = genome, length, windows, table
        self._targets, self._covariates = targets, covariates
        self._cells, self._domains = cells, domains
        self.lengths = np.full(len(table), length, np.int64)
        self.margin = length
        self.task_labels = table.labels
        self.labels = (table.labels == POSITIVE).any(1).astype(np.float32)

    def batch(self, indices: np.ndarray, margin: int = 0) -> dict[str, np.ndarray]:
        """codes (N, L + 2 * margin), target/<name> and weight/<name> (N, C), covariates (N, n), domain and context
        (N,) ids where the sheet has batches and cells, index (N,).
        """
        rows = np.asarray(indices, np.int64)
        at, labels = self.table.window[rows], self.table.labels[rows]
        contig, start = self.windows.contig[at], self.windows.start[at]
        batch = {"codes": self._genome.windows(contig, start - margin, self._length + 2 * margin)}
        for target, columns in self._targets.items():
            values = labels if columns.size == labels.shape[1] else labels[:, columns]
            batch[f"target/{target}"] = (values == POSITIVE).astype(np.float32)
            batch[f"weight/{target}"] = (values != UNKNOWN).astype(np.float32)
        batch["covariates"] = self._covariates[at]
        if self._domains:
            batch["domain"] = self.table.domain[rows]
        if self._cells:
            batch["context"] = self.table.context[rows]
        return batch | {"index": rows}

    def identity(self, indices: np.ndarray) -> dict[str, np.ndarray]:
        """chrom, start, end, name (peak or background); cell and batch where examples differ in them."""
        rows = np.asarray(indices, np.int64)
        at = self.table.window[rows]
        contigs = np.array(list(self._genome.contigs), object)
        start = self.windows.start[at]
        columns = {
            "chrom": contigs[self.windows.contig[at]],
            "start": start,
            "end": start + self._length,
            "name": np.where(self.windows.at_peak[at], "peak", "background").astype(object),
        }
        for key, names, ids in (("cell", self._cells, "context"), ("batch", self._domains, "domain")):
            if len(names) > 1:
                columns[key] = np.array([*names, ""], object)[getattr(self.table, ids)[rows]]
        return columns
