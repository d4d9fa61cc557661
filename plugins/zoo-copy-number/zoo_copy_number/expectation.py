"""The copies that every bin should have, and at which of the network's levels they lie.

sex, ploidy, pseudoautosomal regions ──> expected copies ──> neutral state, shift of log2 depth

The network was trained on diploid genomes: its states 0, 1, 2, 3 and 4+ are depths of 0, 1, 2, 3 and 4 halves of that
of autosomes.  In a diploid genome the neutral state is the expected copy number: 2, or 1 of a male's X.  Otherwise the
depth is changed, beyond the sample's bias, so that what is expected lies at state 2 and, of three copies and more, one
less or one more at 1 or 3.  States then tell the direction, and the level of a segment how many copies it has.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from zoo_copy_number.bins import Bins
from zoo_copy_number.chromosomes import describe_contigs, find_karyotype
from zoo_copy_number.pseudoautosomal import find_assemblies, measure_overlap
from zoo_copy_number.sex import expect_copies

_DOUBT = 0.25
"""Copies between a level and what is expected below which no other number is called."""


@dataclass(frozen=True)
class Expectation:
    """copies: (n,) int that each bin should have.  neutral: (n,) int, the network's state for these.
    shift: (n,) float32, added to log2 depth for the network.  base: copies at log2 0 before the shift.
    unclear: (n,) bool, bins whose copies cannot be told and that are not called.  notes: for the user.
    """

    copies: np.ndarray
    neutral: np.ndarray
    shift: np.ndarray
    base: float
    unclear: np.ndarray
    notes: list[str] = field(default_factory=list)

    def count_copies(self, segment: np.void, log2: float) -> int | None:
        """Copies of a segment (of dtype SEGMENT) whose median log2 depth before the shift is `log2`.  None is doubt.

        Where the states are copies, as in a diploid genome, it has those; else the number nearest to its level that
        lies in the direction of the state, unless that level is within a quarter of a copy of what is expected.
        """
        first, state = int(segment["first"]), int(segment["state"])
        expected, neutral = int(self.copies[first]), int(self.neutral[first])
        if state == neutral:
            return expected
        if self.base == 2 and neutral == expected:
            return state
        level = self.base * 2 ** float(log2)
        if abs(level - expected) < _DOUBT:
            return None
        copies = round(level)
        return max(expected + 1, copies) if state > neutral else max(0, min(expected - 1, copies))


def expect(bins: Bins, sex: str | None, ploidy: int, log2: np.ndarray) -> Expectation:
    """What a sample of this sex and ploidy should have.

    log2: (n,) corrected depth, NaN where it is not known; the depth of the pseudoautosomal regions of Y tells whether
    the genome that the reads were mapped to has them twice or, as most, on X alone.
    """
    karyotype = find_karyotype(bins.contigs)
    by_contig = expect_copies(bins.contigs, sex, ploidy)
    base, notes = float(ploidy), []
    if karyotype.has("X", "Y") and not (karyotype.lies_on(bins.contig, "autosome") & np.isfinite(log2)).any():
        base = float(max(1, by_contig[karyotype.roles.index("X" if karyotype.has("X") else "Y")]))
        notes.append(f"there is no autosome: the median depth is taken for {base:g} copies")
    diploid = base == 2
    neutral = (by_contig if diploid else np.where(by_contig > 0, 2, 0))[bins.contig]
    neutral = np.minimum(neutral, 2)
    copies, unclear = by_contig[bins.contig].copy(), np.zeros(len(bins), bool)
    assemblies = find_assemblies(bins, karyotype) if sex is not None else []
    if assemblies:
        inside, border = measure_overlap(bins, karyotype, assemblies)
        unclear |= border
        on_y = inside & karyotype.lies_on(bins.contig, "Y")
        share = _share_of_y(log2[on_y])
        on_x, hidden = inside & ~on_y, ploidy * share != int(ploidy * share)
        copies[on_x] = ploidy if share in (0, 1) else int(ploidy * (1 - share))
        copies[on_y] = int(ploidy * share)
        unclear |= (on_y & (share == 0)) | (inside & hidden)
        if inside.any():
            notes.append(_describe(assemblies, inside, copies, on_x, on_y, unclear))
        neutral = np.where(inside & (copies > 0) & (neutral == 0), 2, neutral)
    shift = _shift(log2, copies, neutral, base)
    if karyotype.birds:
        notes.append(f"Z and W are expected at {ploidy}: the sexes of birds are not known here")
    return Expectation(copies, neutral, shift, base, unclear, notes)


def mask_other_contigs(bins: Bins) -> tuple[np.ndarray, list[str]]:
    """(n,) mask without the contigs that are no chromosomes, and the line that says so."""
    karyotype = find_karyotype(bins.contigs)
    other = karyotype.lies_on(bins.contig, "other")
    names = [bins.contigs[i] for i in np.unique(bins.contig[other])]
    if not names:
        return bins.mask, []
    many = (
        f"{len(names):,} contigs that are no chromosomes are" if len(names) > 1 else "a contig that is no chromosome is"
    )
    return bins.mask & ~other, [f"{many} not called ({int(other.sum()):,} bins): {describe_contigs(names)}"]


def _share_of_y(log2: np.ndarray) -> float:
    """Share of the ploidy on the pseudoautosomal regions of Y: 0 where they have no reads, since they are masked, a
    half where X and Y both have them and reads go to either, or all of it."""
    known = log2[np.isfinite(log2)]
    if len(known) < 3:
        return 0.0
    level = 2 ** float(np.median(known))
    return 0.0 if level < 0.2 else 0.5 if level < 0.75 else 1.0


def _describe(assemblies, inside, copies, on_x, on_y, unclear) -> str:
    names = " or ".join(a.name for a in assemblies)
    where = ", ".join(
        f"{int(copies[part & ~unclear][0])} on {name}"
        for name, part in (("X", on_x), ("Y", on_y))
        if (part & ~unclear).any()
    )
    return f"{int(inside.sum()):,} bins lie in the pseudoautosomal regions of {names}: {where or 'none'} expected"


def _shift(log2: np.ndarray, copies: np.ndarray, neutral: np.ndarray, base: float) -> np.ndarray:
    """(n,) float32, what brings the corrected depth of `copies` to the level of `neutral`, and one copy less or more to
    that of the next state; 0 where either is 0 or the depth is not known.

    More than two copies are stretched about their level by one factor on each side, so that noise stays even in log2.
    """
    known = (neutral > 0) & (copies > 0) & np.isfinite(log2)
    e = np.where(copies > 2, copies, 2.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        away = log2 - np.log2(copies / base)
        factor = np.where(away < 0, np.log2(1 / 2) / np.log2(1 - 1 / e), np.log2(3 / 2) / np.log2(1 + 1 / e))
        shift = np.log2(neutral / 2) + away * np.where(neutral == 2, factor, 1) - log2
    return np.where(known, shift, 0).astype(np.float32)
