"""Negatives of bound windows: windows of the genome of the same length and GC content, away from every peak."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from zoo.data.gc_matched_negatives import match_gc
from zoo.data.genome import Genome
from zoo.data.source import SPLITS
from zoo.data.sources.windows import WindowTable
from zoo.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class Negatives:
    """How windows without a peak are chosen.

    per_positive: number for every positive.  per_training_positive: another number for training, null for the same;
        they weigh together what the positives weigh.
    gc_bin: GC difference up to which one is matched.
    min_distance: bp between a negative and any peak of the file, used or not.
    """

    per_positive: int = 1
    per_training_positive: int | None = None
    gc_bin: float = 0.02
    min_distance: int = 500

    def __post_init__(self) -> None:
        for key in ("per_positive", "per_training_positive"):
            number = getattr(self, key)
            if number is not None and number < 1:
                raise ConfigError(f"data.negatives.{key} {number} must be at least 1")

    def number(self, split: str) -> int:
        """Negatives for every positive of a split."""
        return (self.per_training_positive if split == "train" else None) or self.per_positive

    def describe(self, matching: dict[str, Any]) -> dict[str, Any]:
        """Plain JSON; matching: the reports of `matched_negatives`."""
        return {
            "how": f"windows of the genome with the same GC content, {self.min_distance} bp from any peak",
            "per_positive": self.per_positive,
            "per_training_positive": self.number("train"),
            "gc_bin": self.gc_bin,
            **matching,
        }


def matched_negatives(
    genome: Genome,
    positives: WindowTable,
    negatives: Negatives,
    split: str,
    peaks: tuple[np.ndarray, np.ndarray, np.ndarray],
    regions: Sequence[tuple[int, int, int]],
    max_n_fraction: float,
    seed: tuple[int, int],
) -> tuple[WindowTable, dict[int, dict[str, Any]]]:
    """Negatives for positives of every length, and {length in bp: report of the match}.

    peaks: contig ids, starts, ends of what a negative keeps away from.
    regions: (contig id, start, end) that negatives are taken from.
    seed: (of the run, of the source); each split and length draws its own.
    """
    tables, reports = [WindowTable.empty()], {}
    for length in np.unique(positives.length).tolist():
        rows = np.flatnonzero(positives.length == length)
        matched = match_gc(
            genome,
            positives.gc[rows],
            length,
            n_per_positive=negatives.number(split),
            exclude=peaks,
            min_distance=negatives.min_distance,
            bin_width=negatives.gc_bin,
            max_n_fraction=max_n_fraction,
            regions=regions,
            seed=(seed[0], SPLITS.index(split), length, seed[1]),
        )
        reports[length] = matched.report
        width = positives.width[rows[matched.matched_to]]
        columns = {"contig": matched.contig_ids, "length": length, "label": 0, "width": width, "gc": matched.gc}
        tables.append(WindowTable.of(matched.starts, name=".", **columns))
    return WindowTable.join(*tables), reports
