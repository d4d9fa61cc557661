"""Splits of a library that cut no group: equal sequences, near-duplicates, or constructs of one part.

Sequences, parts -> groups (n,) -> codes of the splits (n,), and what leaks even so
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from zoo.data.source import SPLITS
from zoo.data.splits import Fractions, draw_splits
from zoo.errors import ConfigError, DataError, did_you_mean
from zoo_constructs.library.kmer_similarity import COMMON, K, KmerSets, similarity_groups

_AUDITED = 5_000


@dataclass(frozen=True, kw_only=True)
class ConstructSplits(Fractions):
    """column: that says train, validation or test; null takes a column called split or the like; "" always draws.

    by: what stays on one side where splits are drawn: sequence (equal ones, of either strand), similarity
        (near-duplicates, see `zoo_constructs.library.kmer_similarity`), or part:ROLE (constructs of one part).
    identity: of k-mers from which on two sequences are near-duplicates, for by=similarity and for the audit.
    """

    column: str | None = None
    by: str = "similarity"
    identity: float = 0.8


@dataclass(frozen=True)
class Drawn:
    """codes: (n,) of `SPLITS`.  how: for the card.  words: a sentence for the reader."""

    codes: np.ndarray
    how: dict[str, Any]
    words: str


def draw(
    kmers: KmerSets, hashes: np.ndarray, parts: Mapping[str, np.ndarray], splits: ConstructSplits, seed: int
) -> Drawn:
    """hashes: (n,) uint64 that equal sequences share, of either strand.  parts: {role: (n,) letters}."""
    groups, what = _groups(kmers, hashes, parts, splits)
    _, first, of = np.unique(groups, return_index=True, return_inverse=True)
    # The lowest hash of a group draws its split, so that the order of the file does not matter.
    lowest = np.full(len(first), np.iinfo(np.uint64).max)
    np.minimum.at(lowest, of, hashes)
    codes, note = draw_splits(lowest[of], np.zeros((len(hashes), 0)), splits.validation, splits.test, seed)
    if not (codes == 0).any():
        raise DataError(
            f"no construct is left to train on: groups by {what} ({len(first):,} of {len(hashes):,} rows) are not cut: "
            "choose another data.splits.by, raise data.splits.identity, or give a split column"
        )
    largest = int(np.bincount(of).max())
    shares = {split: float((codes == i).mean()) for i, split in enumerate(SPLITS)}
    how = {"by": what, "groups": len(first), "largest_group": largest, "seed": seed}
    how |= {"validation": splits.validation, "test": splits.test}
    words = f"splits are drawn by {what}: {len(first):,} groups, the largest of {largest:,} of {len(codes):,} rows"
    words += f"; {note}" if note else ""
    off = [f"{share:.0%} are {split}" for split, share in shares.items() if abs(share - _share(splits, split)) > 0.05]
    if off:
        words += f"; groups are not cut, so that {' and '.join(off)}"
    if largest > 0.5 * len(codes) and splits.by == "similarity":
        words += (
            f"; the largest group holds {largest / len(codes):.0%} of the library, as constructs that share parts do: "
            "consider data.splits.by=part:ROLE"
        )
    unseen = int(kmers.unseen.sum())
    if unseen and splits.by == "similarity":
        words += (
            f"; {unseen:,} constructs are mostly of {K}-mers that over {COMMON:.0%} hold, or too short: if they are "
            "variants of a few sequences, near-duplicates stand on both sides and are not counted: give a split column "
            "that keeps the variants of each together, with data.splits.column"
        )
    return Drawn(codes, how, words)


def leak_audit(
    kmers: KmerSets, parts: Mapping[str, np.ndarray], codes: np.ndarray, identity: float, seed: int = 0
) -> dict[str, Any]:
    """What a split of held-out constructs shares with training, as plain JSON.

    nearest_training_sequence: identity of k-mers with the nearest training sequence (median, 95th percentile, highest),
        and near_duplicates, those with at least `identity`, of n constructs (at most 5,000, drawn with `seed`).
    mostly_common: those of the n whose near-duplicates are not seen, because most of their k-mers are common.
    parts_known: {role: constructs whose part is in the training, too}.
    """
    train = np.flatnonzero(codes == 0)
    report: dict[str, Any] = {"method": method(identity), "common_words_left_out": kmers.n_common}
    for split in SPLITS[1:]:
        every = np.flatnonzero(codes == SPLITS.index(split))
        if not len(every) or not len(train):
            continue
        rows = every
        if len(rows) > _AUDITED:
            rows = np.sort(np.random.default_rng(seed).choice(rows, _AUDITED, replace=False))
        nearest = kmers.nearest(rows, train)
        quantiles = dict(zip(("median", "p95", "highest"), np.quantile(nearest, (0.5, 0.95, 1)), strict=True))
        known = {role: int(np.isin(letters[every], letters[train]).sum()) for role, letters in parts.items()}
        report[split] = {
            "n": len(rows),
            "near_duplicates": int((nearest >= identity).sum()),
            "mostly_common": int(kmers.unseen[rows].sum()),
            "nearest_training_sequence": {key: round(float(x), 4) for key, x in quantiles.items()},
            **({"parts_known": known} if known else {}),
        }
    return report


def method(identity: float) -> str:
    """The grouping in words."""
    return (
        f"identity of canonical {K}-mers (containment ** (1/{K})) of {identity:g} and more, single linkage, without "
        f"{K}-mers that over {COMMON:.0%} of the constructs hold"
    )


def _groups(
    kmers: KmerSets, hashes: np.ndarray, parts: Mapping[str, np.ndarray], splits: ConstructSplits
) -> tuple[np.ndarray, str]:
    kind, _, role = splits.by.partition(":")
    if splits.by == "similarity":
        return similarity_groups(kmers, splits.identity, hashes), method(splits.identity)
    if splits.by == "sequence":
        return np.unique(hashes, return_inverse=True)[1], "sequence"
    if kind != "part":
        raise ConfigError(f"data.splits.by is {splits.by!r}: choose sequence, similarity or part:ROLE")
    if role not in parts:
        names = ", ".join(parts) or "none: name them with data.parts"
        raise ConfigError(f"data.splits.by={splits.by}: {role!r} is none of the parts ({names}){_hint(role, parts)}")
    return np.unique(parts[role].astype(str), return_inverse=True)[1], f"part {role}"


def _hint(role: str, parts: Mapping[str, np.ndarray]) -> str:
    return did_you_mean(role, list(parts)) if parts else ""


def _share(splits: Fractions, split: str) -> float:
    return {"validation": splits.validation, "test": splits.test}.get(split, 1 - splits.validation - splits.test)
