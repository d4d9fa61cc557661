"""`Splits`: which part of the genome is for training, validation and test."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from zoo.data.genome import Genome
from zoo.data.source import SPLITS
from zoo.errors import ConfigError, DataError, did_you_mean

_REGION = re.compile(r"^(?P<contig>.+?):(?P<start>[0-9][0-9,_]*)-(?P<end>[0-9][0-9,_]*)?$", re.ASCII)
_COLUMN = {
    "train": ("train", "training", "trn", "fit"),
    "validation": ("validation", "valid", "val", "dev", "development"),
    "test": ("test", "testing", "tst", "heldout", "held-out", "held_out"),
}


@dataclass(frozen=True)
class Region:
    """Part of a contig, 0-based half-open; end None is the contig's end."""

    contig: str
    start: int = 0
    end: int | None = None

    def __str__(self) -> str:
        whole = self.start == 0 and self.end is None
        return self.contig if whole else f"{self.contig}:{self.start}-{'' if self.end is None else self.end}"


@dataclass(frozen=True, kw_only=True)
class Fractions:
    """Shares of the examples that are drawn for validation and test by a hash of the sequence; the rest trains."""

    validation: float = 0.1
    test: float = 0.1


def parse_region(text: str) -> Region:
    """`chr20`, `chr20:0-45000000` or `chr20:45_000_000-`, 0-based half-open.

    >>> parse_region("chr20:45,000,000-")
    Region(contig='chr20', start=45000000, end=None)
    """
    match = _REGION.match(str(text).strip())
    if not match:
        if not str(text).strip() or re.search(r":[0-9,_]*-?[0-9,_]*$", str(text)):
            raise ConfigError(f"region {text!r} must read chr20, chr20:0-45000000 or chr20:45000000-")
        return Region(str(text).strip())
    start, end = (None if v is None else int(re.sub("[,_]", "", v)) for v in match.group("start", "end"))
    if start is not None and end is not None and start >= end:
        raise ConfigError(f"region {text!r}: start {start} is not before end {end}: swap them")
    return Region(match["contig"], start, end)


class Splits:
    """Regions of every split.

    train, validation, test: region texts; None for train is every contig that the others do not name.
    Contigs are named as in the genome or by an alias.  Raises ConfigError where two splits share a base.

    >>> Splits(train=["chr20:0-45000000"], validation=["chr20:45000000-"], test=["chrX"]).describe()["test"]
    ['chrX']
    """

    def __init__(
        self,
        train: Sequence[str] | str | None = None,
        validation: Sequence[str] | str = (),
        test: Sequence[str] | str = (),
    ):
        given = {"train": train, "validation": validation, "test": test}
        self.rest = train is None
        self.regions: dict[str, list[Region]] = {k: [parse_region(r) for r in _listed(v)] for k, v in given.items()}

    @classmethod
    def from_config(cls, splits: Mapping[str, Any] | Splits | None) -> Splits:
        """From `{train: [...], validation: [...], test: [...]}`."""
        if isinstance(splits, Splits):
            return splits
        splits = dict(splits or {})
        unknown = [k for k in splits if k not in SPLITS]
        if unknown:
            raise ConfigError(f"there is no split {unknown[0]!r}{did_you_mean(unknown[0], SPLITS)}")
        return cls(**{k: v for k, v in splits.items() if v is not None})

    def of(self, genome: Genome) -> dict[str, list[tuple[int, int, int]]]:
        """{split: [(contig id, start, end)]}, clipped to the contigs; GenomeMismatch for an unknown contig."""
        bound: dict[str, list[tuple[int, int, int]]] = {}
        for split, regions in self.regions.items():
            bound[split] = []
            for region in regions:
                contig = int(genome.contig_ids([region.contig])[0])
                length = int(genome.lengths(contig))
                if region.start >= length:
                    raise ConfigError(
                        f"region {region} of split {split} begins after the end of the contig, which has {length:,} bp"
                    )
                bound[split].append((contig, region.start, min(length, region.end or length)))
        if self.rest:
            named = {c for regions in bound.values() for c, _, _ in regions}
            bound["train"] = [(i, 0, n) for i, n in enumerate(genome.contigs.values()) if i not in named]
        _refuse_overlap(bound, list(genome.contigs))
        return bound

    def contigs(self, *splits: str) -> list[str]:
        """Contig names that the regions of these splits mention."""
        return list(dict.fromkeys(r.contig for split in splits for r in self.regions[split]))

    def describe(self) -> dict[str, list[str]]:
        """Plain JSON: {split: [region text]}."""
        plain = {split: [str(r) for r in regions] for split, regions in self.regions.items()}
        if self.rest:
            plain["train"] = ["the rest"]
        return plain


def split_column(values: Iterable[str], where: str = "column split", lines: Sequence[int] | None = None) -> np.ndarray:
    """Words of a split column to (N,) int8 codes: train, val/valid/validation/dev, test.

    where, lines: named in the DataError for a word that is no split.

    >>> split_column(["train", "val", "TEST"]).tolist()
    [0, 1, 2]
    """
    known = {word: code for code, split in enumerate(SPLITS) for word in _COLUMN[split]}
    values = [str(v).strip().lower() for v in values]
    for row, value in enumerate(values):
        if value not in known:
            at = row + 1 if lines is None else lines[row]
            raise DataError(f"{where} line {at}: {value!r} is no split: write train, validation or test")
    return np.array([known[v] for v in values], np.int8)


def is_split_word(text: str) -> bool:
    """Whether a word says train, validation or test."""
    return any(text.strip().lower() in words for words in _COLUMN.values())


def draw_splits(
    hashes: np.ndarray, labels: np.ndarray, validation: float, test: float, seed: int = 0
) -> tuple[np.ndarray, str]:
    """`split_by_hash`; where that leaves a split without examples, or without a class of a column, fixed numbers
    instead, class by class of the first such column.

    hashes: (N,) uint64.  labels: (N, C) of 0, 1 and NaN; (N, 0) where there are no classes.
    Returns (N,) int8 codes, and a sentence where they are not those of `split_by_hash`.
    """
    codes = split_by_hash(hashes, validation, test, seed)
    _, first, group = np.unique(hashes, return_index=True, return_inverse=True)
    drawn = [0, *(code for code, share in ((1, validation), (2, test)) if share)]
    empty = any(not (codes == code).any() for code in drawn)
    lacking = (y for y in labels[first].T if _lacks_a_class(codes[first], y, drawn))
    column = next(lacking, None)
    if len(first) < len(drawn) or (column is None and not empty):
        return codes, ""
    strata = np.zeros(len(first), np.int8) if column is None else np.nan_to_num(column, nan=2).astype(np.int8)
    order, drawn_codes = _mixed(hashes[first], seed), np.zeros(len(first), np.int8)
    for stratum in range(3):
        rows = np.flatnonzero(strata == stratum)
        rows = rows[np.argsort(order[rows])]
        # One at least for each split as far as they go, and one for training first of all.
        n_test, n_validation = (max(1, round(share * len(rows))) if share else 0 for share in (test, validation))
        drawn_codes[rows[: min(n_test + n_validation, len(rows) - 1)]] = 1
        drawn_codes[rows[: min(n_test, len(rows) - 1)]] = 2
    why = "examples" if column is None else "a class"
    return drawn_codes[group], f"splits are drawn in fixed numbers: a plain draw left one of them without {why}"


def split_by_hash(hashes: np.ndarray, validation: float, test: float, seed: int = 0) -> np.ndarray:
    """(N,) uint64 sequence hashes to (N,) int8 codes; equal hashes fall into one split.

    validation, test: fractions.  The draw depends on hash and seed alone, not on the order of the file.
    """
    if validation < 0 or test < 0 or validation + test >= 1:
        raise ConfigError(f"validation {validation} and test {test} must be fractions that leave some training data")
    u = _mixed(hashes, seed)
    return np.where(u < test, 2, np.where(u < test + validation, 1, 0)).astype(np.int8)


def _mixed(hashes: np.ndarray, seed: int) -> np.ndarray:
    """(N,) uniform in 0 to 1, a function of hash and seed."""
    x = hashes.astype(np.uint64) + np.uint64((seed * 0x9E3779B97F4A7C15) % 2**64)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        x = (x ^ (x >> np.uint64(shift))) * np.uint64(factor)
    return (x >> np.uint64(11)).astype(np.float64) / 2.0**53


def _lacks_a_class(codes: np.ndarray, labels: np.ndarray, drawn: Sequence[int]) -> bool:
    """Whether a split lacks a class that is there often enough for all of them."""
    seen = [int((labels == label).sum()) for label in (0, 1)]
    rare = min(seen) < len(drawn)
    return not rare and any(not ((codes == code) & (labels == label)).any() for code in drawn for label in (0, 1))


def _listed(value: Sequence[str] | str | None) -> list[str]:
    if value is None:
        return []
    return [value] if isinstance(value, str) else [str(v) for v in value]


def _refuse_overlap(bound: Mapping[str, list[tuple[int, int, int]]], contigs: list[str]) -> None:
    flat = sorted((c, s, e, split) for split, regions in bound.items() for c, s, e in regions)
    for (c, s, e, split), (c2, s2, e2, split2) in pairwise(flat):
        if c == c2 and s2 < e:
            both = f"{split} {contigs[c]}:{s}-{e} and {split2} {contigs[c]}:{s2}-{e2}"
            raise ConfigError(f"{both} overlap: give every base to one split")
