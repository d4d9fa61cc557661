"""What a data source is: kind "data" in the registry.

    Source.examples("train") -> Examples.batch(indices) -> {codes (N, L) uint8, target/<name>, weight/<name>, ...}

A batch is a plain dict with flat keys.  Heads are named after the targets they predict.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.fields import Field

if TYPE_CHECKING:
    from zoo.evaluation.baselines import Baseline

SPLITS = ("train", "validation", "test")

OF_LABELS = ("target/", "weight/", "variance/")
"""How the keys of a batch begin that no model reads."""


class Examples(ABC):
    """The examples of one split; they may differ in length, a batch may not.

    lengths: (n,) bp of every example's window.
    margin: bp of true flank that `batch` can add on each side, for shifts; 0 for ready-made sequences.
    weights: (n,) sampling weights, or None to see every example once an epoch.
    groups: {name: (n,) bool} subsets that results are always given for too.
    clusters: (n,) ids of what belongs together, as the windows of one gene do, or None: intervals of results resample
        clusters as a whole, since their examples are not independent.
    """

    lengths: np.ndarray
    margin: int = 0
    weights: np.ndarray | None = None
    groups: Mapping[str, np.ndarray] = {}
    clusters: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.lengths)

    @abstractmethod
    def batch(self, indices: np.ndarray, margin: int = 0) -> dict[str, np.ndarray]:
        """indices (N,) of equal length -> a batch with at least

        codes: (N, L + 2 * margin) uint8
        target/<name>: (N, *axes) float32 (int64 for class ids), positions over the margin too
        weight/<name>: optional, broadcastable to the target; 0 where the label is missing
        variance/<name>: optional, broadcastable to the target: variance of a measured label, as its replicates show it;
            NaN where it is unknown
        and where they exist signal (N, A, T), context (N,), domain (N,), covariates (N, n).
        """

    def identity(self, indices: np.ndarray) -> dict[str, np.ndarray]:
        """Columns that name the examples (chrom, start, end or name), for tables and audits."""
        return {"name": np.asarray(indices).astype(str)}


class Source(ABC):
    """Examples with labels, in three splits.

    inputs: fields of the batch beside the codes, by key.
    targets: field of every target, by name; a head of that name predicts it.
    input_length: bp of the window that a model of this source is built for.
    contexts, domains: names that the ids of the batch's `context` and `domain` point into.
    covariates: names of the columns of the batch's `covariates`.
    dropped: {reason: examples} that it read and left out.
    notes: what else a person should know of how the files were read, a sentence each; printed before training.
    """

    inputs: Mapping[str, Field] = {}
    targets: Mapping[str, Field]
    input_length: int
    contexts: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()
    covariates: tuple[str, ...] = ()
    dropped: Mapping[str, int] = {}
    notes: Sequence[str] = ()

    @abstractmethod
    def examples(self, split: str) -> Examples:
        """split: one of SPLITS."""

    @abstractmethod
    def describe(self) -> dict[str, Any]:
        """Provenance for the model card, as plain JSON: files, splits with n, licence, how negatives were made."""

    def baselines(self, target: str) -> Sequence[Baseline]:
        """What a model of `target` must beat beyond the usual baselines; nothing unless the data know of something."""
        return ()
