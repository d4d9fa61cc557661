"""`Attributed`: the scores of an interpreter for some sequences, with their places, origin and input rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from zoo.attribution.kinds import actual, as_effects, per_base
from zoo.errors import DataError


@dataclass(frozen=True)
class InputRows:
    """The n rows of an input.

    columns: their names.  cells: of each row, as the file has them; a malformed row may have fewer or more.
    status: (n,) ok, or why the row is not explained: malformed, contig_unknown, out_of_bounds, wrong_length,
        too_many_n, not_finite.
    """

    columns: Sequence[str]
    cells: Sequence[Sequence[Any]]
    status: np.ndarray

    def __len__(self) -> int:
        """n."""
        return len(self.status)

    def counts(self) -> str:
        """How many rows have which status, in words."""
        return ", ".join(f"{n:,} {status}" for status, n in Counter(self.status).most_common()) or "none"

    def padded(self) -> Iterator[list[Any]]:
        """The cells of each row, made as many as there are columns."""
        for cells in self.cells:
            yield [*cells[: len(self.columns)], *[None] * (len(self.columns) - len(cells))]


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
    rows: all n rows of the input, of which N could be explained; None for sequences that came from no file.
    shown: columns of each window that a track and a picture show, 0-based half-open; None for all.
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
    rows: InputRows | None = None
    shown: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        n, length = self.codes.shape
        if self.values.shape != (n, 4, length):
            raise DataError(f"values {self.values.shape} of an attribution must be ({n}, 4, {length}), A C G T")

    def __len__(self) -> int:
        """Number of sequences."""
        return len(self.codes)

    def select(self, keep: np.ndarray) -> Attributed:
        """Some of the sequences, without the rows of the input; keep: (N,) bool, or their numbers."""
        number = np.arange(len(self))[keep]
        arrays = {k: getattr(self, k) for k in ("codes", "values", "predictions", "delta", "start")}
        lists = {k: getattr(self, k) for k in ("names", "chrom")}
        return replace(
            self,
            **{k: None if v is None else v[number] for k, v in arrays.items()},
            **{k: None if v is None else [v[i] for i in number] for k, v in lists.items()},
            rows=None,
        )

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
