"""`Attributed`: what an interpreter says of some sequences, with all that a file of it must say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from zoo.attribution.kinds import actual, as_effects, per_base
from zoo.errors import DataError

__all__ = ["Attributed"]


@dataclass(frozen=True)
class Attributed:
    """Scores of N sequences of L bases on one output of a model.

    codes: (N, L) uint8, A C G T N = 0 1 2 3 4.
    values: (N, 4, L) float32 as the interpreter gave them.
    kind, centered: see zoo.interfaces.Attribution.
    predictions: (N,) float32, the output that is explained.
    output: its name.
    interpreter: name and arguments, as in a configuration.
    names: of the sequences.
    delta: (N,) convergence errors, where the interpreter has them.
    chrom, start: where the sequences are (0-based start of the window); None for sequences without a genome.
    contigs: {name: bp} of the genome in its order, for bigWig.
    comments: what a file of these numbers must say of their origin.
    """

    codes: np.ndarray
    values: np.ndarray
    kind: str
    predictions: np.ndarray
    output: str
    interpreter: Mapping[str, Any]
    names: Sequence[str]
    centered: bool = False
    delta: np.ndarray | None = None
    chrom: Sequence[str] | None = None
    start: np.ndarray | None = None
    contigs: Mapping[str, int] = field(default_factory=dict)
    comments: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        n, length = self.codes.shape
        if self.values.shape != (n, 4, length):
            raise DataError(f"values {self.values.shape} of an attribution must be ({n}, 4, {length}), A C G T")

    def __len__(self) -> int:
        """Number of sequences."""
        return len(self.codes)

    def actual(self) -> np.ndarray:
        """(N, 4, L): the contribution of the base that is there, 0 at the other three."""
        return actual(self.values, self.kind, self.codes)

    def effects(self) -> np.ndarray:
        """(N, 4, L): as effects of substitutions; raises ConfigError for contributions."""
        return as_effects(self.values, self.kind, self.codes)

    def per_base(self) -> np.ndarray:
        """(N, L): the base that is there against the mean of the four; raises ConfigError for raw contributions."""
        return per_base(self.values, self.kind, self.codes, centered=self.centered)

    def write(self, path: str | Path) -> list[str]:
        """Write a file of the kind that the name says, as zoo.attribution.files lists them; returns the names."""
        from zoo.attribution.files import check_path

        return check_path(path)(self, str(path))
