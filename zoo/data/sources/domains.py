"""Domain (laboratory, batch, species) and covariates (GC content, depth) of sequences, and one domain left out.

cells of a column, or key:value of FASTA headers -> RowAnnotations -> batch {domain (n,), covariates (n, k)}, identity
split of every row + one domain's name -> hold_out -> that domain's rows are the test, without those that training knows
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from zoo.data.gc_matched_negatives import gc_fraction
from zoo.data.sequences import Sequences
from zoo.data.source import SPLITS
from zoo.data.sources.table_columns import MISSING
from zoo.errors import ConfigError, DataError, did_you_mean

GC = "gc"
"""The covariate that is computed where the data have no such column."""


@dataclass(frozen=True, kw_only=True)
class Cohort:
    """What says where rows are from.

    domain: column of a table, or key in FASTA headers (as in `batch:lab1` or `batch=lab1`), that names the laboratory,
        batch or species of a row, for terms that hide it and for results by it.
    held_out: the domain whose rows are the test (where a split column, regions or a posted test say which, those), the
        others' being training and validation; rows of it whose sequence those hold, or that overlap theirs on the
        genome, are left out and counted.
    covariates: columns, or keys, of numbers that a prediction should not follow; `gc` is computed where there is none.
    """

    domain: str | None = None
    held_out: str | None = None
    covariates: Sequence[str] | str | None = None

    @property
    def names(self) -> list[str]:
        """Of the covariates."""
        return [self.covariates] if isinstance(self.covariates, str) else list(self.covariates or ())


@dataclass(frozen=True)
class RowAnnotations:
    """Of n rows.

    domain: (n,) int64 ids into `domains`, -1 where unknown; None without domains.
    covariates: (n, k) float32, NaN where unknown; None without names.
    """

    domain: np.ndarray | None = None
    domains: tuple[str, ...] = ()
    covariates: np.ndarray | None = None
    names: tuple[str, ...] = ()

    @classmethod
    def read(
        cls,
        sequences: Sequences,
        domain: Sequence[str] | None,
        covariates: Sequence[str],
        column: Callable[[str], np.ndarray | None],
    ) -> RowAnnotations:
        """domain: (n,) words, empty or NA where unknown.  covariates: names; column(name) gives the (n,) values, None
        for a name that the data do not have, which is an error unless it is `gc`."""
        ids, names = (None, ()) if domain is None else _ids(domain)
        values = []
        for name in covariates:
            own = column(name)
            if own is None and name.lower() != GC:
                raise DataError(f"{sequences.path} has no covariate {name!r}: name a column of it, or gc")
            values.append(gc_content(sequences) if own is None else own)
        return cls(ids, names, np.stack(values, 1).astype(np.float32) if values else None, tuple(covariates))

    def batch(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        """domain (N,) and covariates (N, k) of some rows, where they exist."""
        columns = {"domain": self.domain, "covariates": self.covariates}
        return {key: x[rows] for key, x in columns.items() if x is not None}

    def identity(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        """Columns domain (its name, "" where unknown) and every covariate."""
        columns: dict[str, np.ndarray] = {}
        if self.domain is not None:
            columns["domain"] = np.array([*self.domains, ""], object)[self.domain[rows]]
        if self.covariates is not None:
            columns |= {name: self.covariates[rows, i] for i, name in enumerate(self.names)}
        return columns

    def counts(self, rows: np.ndarray) -> dict[str, int]:
        """{domain: rows}, for the model card."""
        if self.domain is None:
            return {}
        return {name: int((self.domain[rows] == i).sum()) for i, name in enumerate(self.domains)}

    def held_out(self, name: str) -> np.ndarray:
        """(n,) bool, the rows of a domain.  Raises ConfigError for an unknown one, or one that is alone."""
        if self.domain is None:
            raise ConfigError(f"data.cohort.held_out={name} needs the domain of every row: set data.cohort.domain")
        if str(name) not in self.domains:
            raise ConfigError(f"data.cohort.held_out {name!r} is no domain" + did_you_mean(str(name), self.domains))
        if len(self.domains) < 2:
            raise ConfigError(
                f"data.cohort.held_out={name} leaves nothing to train on, since all rows are of that domain: "
                "add another domain, or leave it out"
            )
        return self.domain == self.domains.index(str(name))


def hold_out(
    split: np.ndarray, held: np.ndarray, groups: np.ndarray, test_is_stated: bool
) -> tuple[np.ndarray, dict[str, int]]:
    """Make one domain the test and the others training and validation.

    split: (n,) codes of `SPLITS`, -1 for none.  held: (n,) bool, rows of the domain.
    groups: (n,) ids that rows share which are one sequence, its reverse complement, or overlap on the genome.
    test_is_stated: rows of the domain that are not in its stated test are left out; else all of them are the test.

    Returns the codes, and {reason: rows left out}.  A row of the test whose group training or validation holds is left
    out: so no sequence is on two sides, and training is the same whatever the test holds.
    """
    codes, test = split.copy(), SPLITS.index("test")
    other_test = ~held & (codes == test)
    codes[other_test] = -1
    aside = held & (codes != test) & (codes >= 0) if test_is_stated else np.zeros(len(codes), bool)
    codes[held & ~aside & (codes >= 0)] = test
    codes[aside] = -1
    known = (codes == test) & np.isin(groups, groups[~held & (codes >= 0)])
    codes[known] = -1
    return codes, {
        "in_test_of_another_domain": int(other_test.sum()),
        "of_held_out_domain_outside_its_test": int(aside.sum()),
        "of_held_out_domain_known_from_training": int(known.sum()),
    }


def described_domains(
    annotations: RowAnnotations, rows: Mapping[str, np.ndarray], dropped: Mapping[str, int]
) -> dict[str, Any]:
    """Of a model card, plain JSON: domains with n by split, covariates, what was left out; no key without them."""
    n = {split: annotations.counts(some) for split, some in rows.items()}
    covariates = list(annotations.names)
    left = {reason: count for reason, count in dropped.items() if count}
    described = {"domains": n if annotations.domains else None, "covariates": covariates, "dropped": left}
    return {key: value for key, value in described.items() if value}


def gc_content(sequences: Sequences) -> np.ndarray:
    """(n,) share of G and C among the bases of each sequence that are no N; NaN where there is none."""
    gc = np.empty(len(sequences.lengths))
    for length in np.unique(sequences.lengths):
        rows = np.flatnonzero(sequences.lengths == length)
        gc[rows] = gc_fraction(sequences.batch(rows))
    return gc


def header_values(sequences: Sequences, key: str) -> list[str] | None:
    """What `key:value` or `key=value` says in every header, "" where it says nothing; None where no header does.

    >>> header_values(Sequences.from_letters(["ACGT"]), "batch") is None
    True
    """
    pattern = re.compile(rf"(?:^|[\s;|,]){re.escape(key)}\s*[:=]\s*([^\s;|,]+)", re.IGNORECASE)
    values = [m[1] if (m := pattern.search(header)) else "" for header in sequences.headers]
    return values if any(values) else None


def numbers(cells: Sequence[str], what: str) -> np.ndarray:
    """(n,) float of words, NaN where missing.  Raises DataError, with `what` in front, for one that is none."""
    values = np.full(len(cells), np.nan)
    for i, cell in enumerate(cells):
        if cell.strip().lower() not in MISSING:
            try:
                values[i] = float(cell)
            except ValueError:
                raise DataError(f"{what}: {cell[:40]!r} is no number: correct it, or leave it empty") from None
    return np.where(np.isfinite(values), values, np.nan)


def _ids(cells: Sequence[str]) -> tuple[np.ndarray, tuple[str, ...]]:
    """(n,) ids and the names, in their order; -1 for a missing word."""
    words = ["" if cell.strip().lower() in MISSING else cell.strip() for cell in cells]
    names = tuple(sorted(set(words) - {""}))
    at = {name: i for i, name in enumerate(names)} | {"": -1}
    return np.array([at[word] for word in words], np.int64), names
