"""Negatives of bound sequences that come alone: dinucleotide shuffles, or windows of the genome like them.

bound sequences -> for each the same letters and neighbouring pairs in another order, unlike every bound sequence
                -> or for each a window of its length and GC content, away from all of them
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from zoo.data.aliases import find
from zoo.data.dinucleotide_shuffle import dinucleotide_shuffle
from zoo.data.gc_matched_negatives import Exclude, Regions, gc_fraction, match_gc
from zoo.data.genome import Genome
from zoo.data.sequences import Sequences, canonical_hash
from zoo.data.sources.windows import places_on_genome
from zoo.errors import ConfigError, GenomeMismatch, did_you_mean

HOW = ("shuffled", "genome")
_TRIES = 20
_COMPARED = 500


@dataclass(frozen=True, kw_only=True)
class SequenceNegatives:
    """How negatives are made of bound sequences that come alone.

    how: "shuffled", dinucleotide shuffles of every positive; "genome", windows of the configured genome.
    per_positive: number for every positive.
    Of windows alone: gc_bin, the GC difference up to which one is matched; min_distance, bp between it and any positive
        whose header says its place; peaks, BED-like file of further sites that it keeps away from.
    """

    how: str = "shuffled"
    per_positive: int = 1
    gc_bin: float = 0.02
    min_distance: int = 500
    peaks: str | None = None

    def __post_init__(self) -> None:
        if self.how not in HOW:
            raise ConfigError(f"data.negatives.how {self.how!r} is not known" + did_you_mean(self.how, HOW))
        if self.per_positive < 1:
            raise ConfigError(f"data.negatives.per_positive {self.per_positive} must be at least 1")

    def describe(self) -> dict[str, Any]:
        """Plain JSON: how, and how many."""
        how = f"dinucleotide shuffles, {self.per_positive} of every positive"
        if self.how == "genome":
            how = (
                f"windows of the genome with the length and GC content of the positives, {self.per_positive} for every "
                f"one, {self.min_distance} bp from any whose place is known"
            )
        return {"how": how, "per_positive": self.per_positive}


def shuffled_negatives(
    positives: Sequences, hashes: np.ndarray, bound: set[int], per_positive: int, seed: int
) -> tuple[Sequences, np.ndarray]:
    """Shuffles of every sequence, and the row of the positive of each: (n,).

    hashes: (N,) `canonical_hash` of the positives.  bound: hashes that no shuffle may have, theirs among them.
    A shuffle has the length, the first and last letter and exactly the neighbouring pairs of its positive, and every N
    where it stands there.  It depends on the seed and the letters of its positive; positives with one hash are shuffled
    once, the first.  A positive that has fewer such shuffles, down to none, is given those that there are.
    """
    codes, parents, headers = [], [], []
    for row in np.sort(np.unique(hashes, return_index=True)[1]):
        shuffles = _shuffles(positives[row], int(hashes[row]), bound, per_positive, seed)
        codes += shuffles
        parents += [row] * len(shuffles)
        headers += [f"{positives.headers[row]} shuffle {i + 1}" for i in range(len(shuffles))]
    made, rows = Sequences.from_codes(codes), np.array(parents, np.int64)
    made.headers, made.line = headers, positives.line[rows]
    return made, rows


def shuffle_between_n(codes: np.ndarray, n: int, seed: int) -> np.ndarray:
    """codes (L,) uint8 -> (n, L) uint8: `dinucleotide_shuffle` of every stretch between two N, which stay in place.

    >>> shuffle_between_n(np.array([4, 0, 1, 0, 2, 0, 4, 3], np.uint8), 1, 0)[:, [0, 1, 5, 6, 7]].tolist()
    [[4, 0, 0, 4, 3]]
    """
    out = np.tile(codes, (n, 1))
    edges = np.flatnonzero(np.diff(np.r_[False, codes < 4, False]))
    for number, (first, end) in enumerate(edges.reshape(-1, 2)):
        out[:, first:end] = dinucleotide_shuffle(codes[first:end], n, seed + (number << 128))
    return out


def _shuffles(codes: np.ndarray, own_hash: int, bound: set[int], n: int, seed: int) -> list[np.ndarray]:
    """Up to n shuffles that differ from one another and from every bound sequence, on both strands."""
    distinct: dict[int, np.ndarray] = {}
    for tries in (n, n + _TRIES):  # the first rows are the same in both
        drawn = shuffle_between_n(codes, tries, (seed << 64) + own_hash)
        for key, shuffle in zip(canonical_hash(drawn)[0].tolist(), drawn, strict=True):
            if key not in bound and len(distinct) < n:
                distinct.setdefault(key, shuffle)
        if len(distinct) == n:
            break
    return list(distinct.values())


def genome_negatives(
    genome: Genome,
    positives: Sequences,
    hashes: np.ndarray,
    negatives: SequenceNegatives,
    exclude: Exclude,
    regions: Regions | None,
    seed: Sequence[int],
) -> tuple[Sequences, np.ndarray, dict[str, Any]]:
    """Windows like every sequence without an N, the row of the positive of each (n,), {bp: report of the match}.

    hashes: (N,) `canonical_hash` of the positives; those with one hash are matched once, the first.
    exclude: contig ids, starts, ends that windows keep `min_distance` bp away from.
    regions: (contig id, start, end) that they are taken from; None for the whole genome.
    """
    once = np.sort(np.unique(hashes, return_index=True)[1])
    own_names = {find(name, genome.contigs): name for name in dict.fromkeys(positives.chrom) if name}
    contigs = [own_names.get(name, name) for name in genome.contigs]
    parts, parents, reports = [Sequences.from_codes([])], [np.empty(0, np.int64)], {}
    for length in np.unique(positives.lengths[once]).tolist():
        rows = once[positives.lengths[once] == length]
        matched = match_gc(
            genome,
            gc_fraction(positives.batch(rows)),
            length,
            n_per_positive=negatives.per_positive,
            exclude=exclude,
            min_distance=negatives.min_distance,
            bin_width=negatives.gc_bin,
            regions=regions,
            seed=(*seed, length),
        )
        reports[str(length)] = matched.report
        part = Sequences.from_codes(list(genome.windows(matched.contig_ids, matched.starts, length)))
        part.chrom = np.array([contigs[i] for i in matched.contig_ids], object)
        part.start, part.end = matched.starts, matched.starts + length
        places = zip(part.chrom, part.start, part.end, strict=True)
        part.headers = [f"{chrom}:{start}-{end}" for chrom, start, end in places]
        parts.append(part)
        parents.append(rows[matched.matched_to])
    return Sequences.join(parts), np.concatenate(parents), reports


def positives_on_genome(genome: Genome, positives: Sequences) -> tuple[Exclude, str]:
    """Contig ids, starts, ends of the positives whose headers say where they are from; a sentence on the others, or "".

    Raises GenomeMismatch where most of those that are compared, up to 500, are not what the genome holds there.
    """
    ids, starts, ends, rows = places_on_genome(genome, positives.chrom, positives.start, positives.end)
    picked = np.unique(np.linspace(0, len(rows) - 1, min(len(rows), _COMPARED)).astype(np.int64))
    same = [
        canonical_hash(positives[rows[i]][None])[0]
        == canonical_hash(genome.windows(ids[i : i + 1], starts[i : i + 1], int(ends[i] - starts[i])))[0]
        for i in picked
    ]
    if 2 * np.sum(same) < len(same):
        raise GenomeMismatch(
            f"{len(same) - int(np.sum(same)):,} of {len(same):,} positives of {positives.path} are not what genome "
            f"{genome.name!r} holds at the places in their headers: use the genome that they were cut from"
        )
    nowhere, n = len(positives) - len(rows), len(positives)
    if not nowhere:
        return (ids, starts, ends), ""
    return (ids, starts, ends), (
        f"{nowhere:,} of {n:,} positives have no place on genome {genome.name!r} in their headers: negatives may lie "
        "where they are from; data.negatives.peaks can name their intervals"
    )
