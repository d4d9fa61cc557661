"""Leakage audit: do two splits share sequences or intervals?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from zoo.data.sequences import hash_by_length
from zoo.data.source import SPLITS, Examples, Source

_EXAMPLES = 5
_BASES_AT_ONCE = 1 << 24


@dataclass(frozen=True)
class Audited:
    """What the audit needs of one split.

    names: (n,) text for the report.  hashes, turned: (n,) from `canonical_hash`.
    contig: (n,) ids or names, "" or -1 for a sequence without coordinates.  start, end: (n,) 0-based half-open.
    labels: (n,) any values; equal sequences with different labels are counted.
    """

    names: np.ndarray
    hashes: np.ndarray
    turned: np.ndarray
    contig: np.ndarray | None = None
    start: np.ndarray | None = None
    end: np.ndarray | None = None
    labels: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.hashes)


def audit(splits: Mapping[str, Audited]) -> dict[str, Any]:
    """Overlaps and duplicates between every two splits, and duplicates within each: plain JSON.

    Counts are of examples of the later split (the one evaluated on) that meet the earlier one.
    `clean` is true where no two splits share a base of the genome or a sequence.
    """
    between = {f"{a} / {b}": _between(splits[a], splits[b]) for a, b in combinations(splits, 2)}
    counts = ("overlapping_intervals", "duplicates", "reverse_complement_duplicates")
    return {
        "n": {name: len(split) for name, split in splits.items()},
        "clean": not any(pair[c] for pair in between.values() for c in counts),
        "between": between,
        "within": {name: _within(split) for name, split in splits.items()},
    }


def audit_source(source: Source) -> dict[str, Any]:
    """`audit` of the splits of a data source, read for their codes."""
    return audit_examples({split: source.examples(split) for split in SPLITS})


def audit_examples(splits: Mapping[str, Examples]) -> dict[str, Any]:
    """`audit` of examples, read for their codes."""
    return audit({split: _audited(examples) for split, examples in splits.items()})


def known_examples(examples: Examples, others: Sequence[Examples]) -> np.ndarray:
    """(n,) bool: examples that share a sequence, on either strand, or a base of the genome with one of the others."""
    own = _audited(examples)
    known = np.zeros(len(own), bool)
    for other in map(_audited, others):
        known |= np.isin(own.hashes, other.hashes) | _overlapping(other, own)
    return known


def hash_examples(examples: Examples) -> tuple[np.ndarray, np.ndarray]:
    """`canonical_hash` of the codes of every example: (n,) uint64, and (n,) bool, true where it is reversed."""
    at_once = max(1, _BASES_AT_ONCE // int(np.max(examples.lengths, initial=1)))
    return hash_by_length(examples.lengths, lambda rows: examples.batch(rows)["codes"], at_once)


def _audited(examples: Examples) -> Audited:
    hashes, turned = hash_examples(examples)
    where = examples.identity(np.arange(len(examples)))
    name, place = where["name"], [where.get(k) for k in ("chrom", "start", "end")]
    if place[0] is not None:
        rows = zip(*place, name, strict=True)
        name = np.array([f"{c}:{s}-{e}" if c else str(n) for c, s, e, n in rows], object)
    return Audited(name, hashes, turned, *place, labels=getattr(examples, "labels", None))


def _between(a: Audited, b: Audited) -> dict[str, Any]:
    overlap = _overlapping(a, b)
    key_a, key_b = (np.stack([s.hashes, s.turned.astype(np.uint64)], 1) for s in (a, b))
    same = _member(key_b, key_a)
    turned = _member(np.stack([b.hashes, 1 - key_b[:, 1]], 1), key_a) & ~same
    examples = [str(n) for n in b.names[np.flatnonzero(overlap | same | turned)[:_EXAMPLES]]]
    return {
        "overlapping_intervals": int(overlap.sum()),
        "duplicates": int(same.sum()),
        "reverse_complement_duplicates": int(turned.sum()),
        "examples": examples,
    }


def _within(split: Audited) -> dict[str, int]:
    _, first, inverse = np.unique(split.hashes, return_index=True, return_inverse=True)
    report = {"duplicates": len(split) - len(first)}
    if split.labels is not None:
        clash = split.labels != split.labels[first[inverse]]
        report["with_another_label"] = int(clash.sum())
    return report


def _member(rows: np.ndarray, among: np.ndarray) -> np.ndarray:
    """Rows of (n, 2) that are also rows of (m, 2)."""
    mix = np.uint64(0x9E3779B97F4A7C15)
    return np.isin(rows[:, 0] ^ (rows[:, 1] * mix), among[:, 0] ^ (among[:, 1] * mix))


def _overlapping(a: Audited, b: Audited) -> np.ndarray:
    """(len(b),) bool: the interval shares a base with one of a."""
    overlaps = np.zeros(len(b), bool)
    if a.contig is None or a.start is None or a.end is None or b.contig is None or b.start is None or b.end is None:
        return overlaps
    for contig in set(np.unique(b.contig).tolist()) & set(np.unique(a.contig).tolist()):
        if contig in ("", -1):
            continue
        mine, theirs = b.contig == contig, a.contig == contig
        starts, ends = np.sort(a.start[theirs]), np.sort(a.end[theirs])
        # Intervals of a that begin before b ends, less those that end before b begins.
        overlaps[mine] = np.searchsorted(starts, b.end[mine], "left") > np.searchsorted(ends, b.start[mine], "right")
    return overlaps
