"""Measured activities with their noise: plain columns, replicates, and counts of barcodes.

columns of a table -> Measurements: values (n, C), variance of each (n, C)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from zoo.data.sources.table_columns import TableText, choose_targets
from zoo.errors import ConfigError, DataError, did_you_mean
from zoo.outputs import as_name


@dataclass(frozen=True)
class Measurements:
    """Of n rows and C tasks.

    values: (n, C) float32, NaN where missing; means where there are replicates.
    sampling_variance: (n, C) of a value, from its own replicates alone: unbiased, and wild where they are two.
    variance: (n, C) the same, shrunk towards that of all rows (`moderated`); NaN where unknown.
    notes: a sentence each on how they were read.
    """

    names: tuple[str, ...]
    values: np.ndarray
    sampling_variance: np.ndarray
    variance: np.ndarray
    notes: tuple[str, ...] = ()

    def select(self, rows: np.ndarray) -> Measurements:
        """Those rows alone."""
        arrays = (self.values[rows], self.sampling_variance[rows], self.variance[rows])
        return Measurements(self.names, *arrays, self.notes)


def measure(
    text: TableText,
    targets: Sequence[str],
    replicates: Mapping[str, Sequence[str]],
    barcodes: Mapping[str, Mapping[str, Sequence[str]]],
    taken: Sequence[str],
) -> Measurements:
    """The tasks of a library: those of `targets`, or what `replicates` and `barcodes` make, or columns of numbers.

    taken: columns of another use.  Raises ConfigError and DataError that name the column and what to do.
    """
    for name in {*replicates} & {*barcodes}:
        raise ConfigError(f"activity {name!r} is in data.replicates and in data.barcodes: keep one")
    made = {name: _columns(text, name, columns, "data.replicates") for name, columns in replicates.items()}
    made |= {name: _barcodes(text, name, counts) for name, counts in barcodes.items()}
    plain = [name for name in targets if name not in made]
    notes: list[str] = []
    several: dict[str, np.ndarray] = {}
    if plain or not made:
        choice = choose_targets(text, plain, taken)
        if not choice.columns:
            left = "".join(f"; {note}" for note in choice.notes)
            raise DataError(f"{text.path} has no column of numbers to predict: name one with data.targets{left}")
        several = {column.name: column.values[:, None] for column in choice.columns}
        # What one name left out may be a replicate of another.
        notes += [] if plain else choice.notes
    several |= made
    order = list(targets) or list(several)
    parts = [_mean(text, name, several[name], name in made) for name in order]
    notes += [note for *_, note in parts if note]
    stacked = [np.stack([part[i] for part in parts], 1).astype(np.float32) for i in range(3)]
    return Measurements(tuple(as_name(name) for name in order), *stacked, tuple(notes))


def moderated(variance: np.ndarray, degrees: np.ndarray) -> tuple[np.ndarray, float]:
    """Variances (n,) of `degrees` (n,) degrees of freedom, shrunk towards a common one; and its weight in degrees.

    Empirical Bayes of Smyth (2004, Stat. Appl. Genet. Mol. Biol. 3:3, limma): (d0 s0^2 + d s^2) / (d0 + d), where
    d0 and s0^2 are moments of log s^2.  Rows without degrees stay NaN; where the variances differ no more than their
    degrees explain, d0 is infinite and all rows have the common one.
    """
    from scipy.optimize import brentq
    from scipy.special import digamma, polygamma

    known = (degrees > 0) & np.isfinite(variance)
    if known.sum() < 3 or not (variance[known] > 0).any():
        return np.where(known, variance, np.nan), 0.0
    s2, d = variance[known].astype(np.float64), degrees[known].astype(np.float64)
    s2 = np.maximum(s2, 1e-5 * np.median(s2[s2 > 0]))  # two replicates alike to the digit have no logarithm
    e = np.log(s2) - digamma(d / 2) + np.log(d / 2)
    spread = e.var(ddof=1) - polygamma(1, d / 2).mean()
    if spread <= 1e-8:
        shrunk = np.full(variance.shape, np.nan)
        shrunk[known] = np.average(s2, weights=d)
        return shrunk, np.inf
    prior = 2 * float(brentq(lambda x: polygamma(1, x) - spread, 1e-6, 1e9))  # pyright: ignore[reportArgumentType]
    common = np.exp(e.mean() + digamma(prior / 2) - np.log(prior / 2))
    shrunk = np.full(variance.shape, np.nan)
    shrunk[known] = (prior * common + d * s2) / (prior + d)
    return shrunk, float(prior)


def _mean(text: TableText, name: str, values: np.ndarray, made: bool) -> tuple[Any, Any, Any, str]:
    """values (n, R) -> mean, unbiased and shrunk variance of the mean, a note."""
    n = np.isfinite(values).sum(1)
    mean = np.where(n > 0, np.nansum(values, 1) / np.maximum(n, 1), np.nan)
    nothing = np.full(len(values), np.nan)
    if not made:
        return mean, nothing, nothing, ""
    square = np.nansum((values - mean[:, None]) ** 2, 1) / np.maximum(n - 1, 1)
    square = np.where(n > 1, square, np.nan)
    if not (n > 1).any():
        raise DataError(
            f"{text.path}: no row has two values of {name!r}, so that nothing shows its noise: name columns that hold "
            "replicates, or the one column with data.targets"
        )
    shrunk, prior = moderated(square, np.maximum(n - 1, 0))
    words = "one variance for all rows" if prior == np.inf else f"shrunk with {prior:.3g} degrees of freedom"
    one = int((n == 1).sum())
    alone = f"; {one:,} rows have one value and no variance" if one else ""
    note = f"{name!r} is the mean of up to {values.shape[1]} values a row, its variance {words}{alone}"
    return mean, square / np.maximum(n, 1), shrunk / np.maximum(n, 1), note


def _columns(text: TableText, name: str, columns: Sequence[str] | str, where: str) -> np.ndarray:
    """(n, R) numbers, NaN where missing."""
    columns = [columns] if isinstance(columns, str) else list(columns or ())
    if len(columns) < 2:
        raise ConfigError(f"{where}.{name} names {len(columns)} columns: give two or more, or name it in data.targets")
    return _numbers(text, columns, f"{where}.{name}")


def _numbers(text: TableText, columns: Sequence[str], where: str) -> np.ndarray:
    for column in columns:
        if column not in text.columns:
            raise DataError(f"{text.path} has no column {column!r} of {where}{did_you_mean(column, text.columns)}")
    if len(set(columns)) < len(columns):
        raise ConfigError(f"{where} names a column twice: {', '.join(columns)}: name each once")
    chosen = choose_targets(text, list(columns), ())
    values = np.stack([column.values for column in chosen.columns], 1)
    for column, empty in zip(columns, ~np.isfinite(values).any(0), strict=True):
        if empty:
            raise DataError(f"{text.path}: column {column!r} of {where} is empty: leave it out of {where}")
    return values.astype(np.float64)


def _barcodes(text: TableText, name: str, counts: Mapping[str, Sequence[str]]) -> np.ndarray:
    """(n, B) log2 of RNA over DNA of every barcode, each as a share of its column's total; NaN without DNA.

    Half a count is added to both.
    """
    if set(counts) != {"rna", "dna"}:
        raise ConfigError(
            f"data.barcodes.{name} has {', '.join(counts) or 'nothing'}: give lists of columns rna and dna"
        )
    where = f"data.barcodes.{name}"
    rna, dna = (
        _numbers(text, [columns] if isinstance(columns := counts[kind], str) else list(columns), f"{where}.{kind}")
        for kind in ("rna", "dna")
    )
    if dna.shape[1] not in (1, rna.shape[1]):
        raise ConfigError(
            f"{where} has {rna.shape[1]} columns of rna and {dna.shape[1]} of dna: give one dna for every rna, in the "
            "same order, or one for all"
        )
    for kind, x in (("rna", rna), ("dna", dna)):
        if (x < 0).any() or (np.nan_to_num(x) != np.round(np.nan_to_num(x))).any():
            raise DataError(f"{text.path}: {where}.{kind} holds numbers that are no counts: give raw reads, not ratios")
    ratio = np.log2((rna + 0.5) / np.nansum(rna, 0)) - np.log2((dna + 0.5) / np.nansum(dna, 0))
    return np.where((dna > 0) & np.isfinite(rna), ratio, np.nan)
