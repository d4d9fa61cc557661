"""TOMTOM: how well motifs match known ones (Gupta et al. 2007), by `memelite`.

    queries (Q), targets (T) -> p, q, offset, overlap, orientation: (Q, T) each

A p-value is the chance that a random motif of the query's width matches this target as well at its best offset and
orientation.  With Q x T comparisons some p-values are small by chance: q is the false discovery rate of Benjamini
and Hochberg over the whole table.  MEME's own tomtom corrects within each query.

A small q alone does not say that two motifs read the same bases: a vague query matches the vague stretches of long
targets.  `Matches.agreement` is high where the aligned columns prefer the same bases (`zoo_motifs.letter_similarity`);
where it is low a match is marked, not left out.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import numpy as np

from zoo.data.motifs import Motif
from zoo.errors import ConfigError, DataError
from zoo_motifs.letter_similarity import AGREES, measure_agreement
from zoo_motifs.meme import label

COLUMNS = (
    *("query", "target", "p_value", "q_value", "offset", "overlap", "orientation"),
    *("agreement", "status"),
)

MAX_Q = 0.05
"""The largest q-value of what is called a match."""

STATUSES = {
    "ok": "q is small enough, and the aligned columns prefer the same bases",
    "low_agreement": f"q is small enough, but the aligned columns agree less than {AGREES:g}",
    "no_match": "q is too large",
    "malformed": "the motif cannot be read",
}

_lock = threading.Lock()


@dataclass(frozen=True, eq=False)
class Matches:
    """Every query against every target.

    p, q: (Q, T) float64.
    offset: (Q, T) int64: the query's first column lies on column `offset` of the target, as it is oriented;
        negative where the query begins before it.
    overlap: (Q, T) int64 columns that both have.
    reverse: (Q, T) bool, the target is reverse-complemented (orientation "-").
    notes: what a reader of the numbers must know.
    """

    queries: Sequence[Motif]
    targets: Sequence[Motif]
    p: np.ndarray
    q: np.ndarray
    offset: np.ndarray
    overlap: np.ndarray
    reverse: np.ndarray
    notes: list[str] = field(default_factory=list)

    @cached_property
    def agreement(self) -> np.ndarray:
        """(Q, T) float64: 1 where the aligned columns prefer the same bases, about 0 for unrelated ones."""
        return measure_agreement(self.queries, self.targets, self.offset, self.overlap, self.reverse)

    def best(self, query: int, n: int | None = 1, *, max_q: float = 1.0, agree: float = -1.0) -> list[int]:
        """The n targets (None for all) of smallest p, the one that comes first where p is equal.

        max_q: largest q.  agree: least agreement.
        """
        fits = np.flatnonzero(self.q[query] <= max_q)
        if agree > -1:
            fits = fits[self.agreement[query, fits] >= agree]
        return [int(t) for t in fits[np.argsort(self.p[query, fits], kind="stable")][:n]]

    def status(self, query: int, target: int, max_q: float = MAX_Q) -> str:
        """ok, low_agreement or no_match, see `STATUSES`."""
        if self.q[query, target] > max_q:
            return "no_match"
        return "ok" if self.agreement[query, target] >= AGREES else "low_agreement"

    def named(self, query: int, max_q: float = MAX_Q) -> int | None:
        """The target that a query is named by: of those with q <= max_q the one of smallest p whose status is ok, else
        the one of smallest p, which is marked; None where there is none."""
        matching = self.best(query, None, max_q=max_q)
        agreeing = (t for t in matching if self.agreement[query, t] >= AGREES)
        return next(agreeing, matching[0] if matching else None)

    def row(self, query: int, target: int, max_q: float = MAX_Q) -> list[Any]:
        """One comparison as `COLUMNS` has it."""
        at = query, target
        return [
            label(self.queries[query]),
            label(self.targets[target]),
            float(self.p[at]),
            float(self.q[at]),
            int(self.offset[at]),
            int(self.overlap[at]),
            "-" if self.reverse[at] else "+",
            float(self.agreement[at]),
            self.status(*at, max_q),
        ]

    def rows(
        self, n: int | None = None, *, max_q: float = MAX_Q, agree: float = -1.0, every: bool = False
    ) -> Iterator[list[Any]]:
        """Every match with q <= max_q of each query in turn, the smallest p first; a query without any has one row, its
        target of smallest p.

        n: at most so many of a query.  agree: least agreement.  every: also what is no match.
        """
        for query in range(len(self.queries)):
            chosen = self.best(query, n, max_q=1.0 if every else max_q, agree=agree)
            for target in chosen or self.best(query):
                yield self.row(query, target, max_q)


def match(queries: Sequence[Motif], targets: Sequence[Motif], *, over: Literal["table", "query"] = "table") -> Matches:
    """Compare motifs by TOMTOM, in both orientations.

    over: what the q-values correct for: all comparisons ("table") or those of one query ("query").

    The numbers are memelite's at its defaults: probabilities without pseudocounts, Euclidean distance of columns,
    unaligned columns counted ("complete scores").  Raises DataError where there is no query or no target.
    """
    from memelite import tomtom
    from scipy.stats import false_discovery_control

    if not queries or not targets:
        raise DataError(f"{len(queries)} queries and {len(targets)} targets: give at least one of each")
    if over not in ("table", "query"):
        raise ConfigError(f"over {over!r} must be 'table' or 'query'")
    notes = []
    columns = ([np.ascontiguousarray(m.probabilities(pseudocount=0.0)) for m in each] for each in (queries, targets))
    with _lock, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        _choose_layer()
        results = tomtom(*columns, reverse_complement=True)
    if len(targets) < 25:
        notes.append(
            f"there are {len(targets)} targets: p-values take the targets' columns as background and mean little "
            "with fewer than 25, use a whole database"
        )
    notes += [str(w.message) for w in caught if "target motifs" not in str(w.message)]
    p = np.clip(results[0], 0.0, 1.0)
    q = false_discovery_control(p.reshape(1, -1) if over == "table" else p, axis=1).reshape(p.shape)
    offset, overlap, reverse = (results[i].astype(np.int64) for i in (2, 3, 4))
    return Matches(list(queries), list(targets), p, q, offset, overlap, reverse.astype(bool), notes)


def _choose_layer() -> None:
    """Keep numba off OpenMP, which ends every later process that forks (data loaders do), unless it is in use."""
    import os

    import numba

    try:
        numba.threading_layer()
    except ValueError:
        if "NUMBA_THREADING_LAYER" not in os.environ:
            setattr(numba.config, "THREADING_LAYER", "workqueue")  # noqa: B010  # numba makes its settings at run time
