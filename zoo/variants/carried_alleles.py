"""`CarriedAlleles`: the alleles that the haplotypes of one sample carry, with their phase.

Records with genotypes -> one row an allele and haplotype, labelled as any other variants -> stretches with neighbours
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np

from zoo.data.genome import Genome
from zoo.errors import DataError
from zoo.variants.genotype_text import HAPLOID, HOMOZYGOUS, NO_SET, UNPHASED
from zoo.variants.record_order import is_unsorted, out_of_order
from zoo.variants.region_filter import RegionFilter
from zoo.variants.variants import Record, Variants, label_alleles

ENDLESS = 1 << 40
NOWHERE = ("malformed", "contig_unknown", "out_of_bounds")
"""Statuses of rows that lie nowhere on their contig."""
MISSING = "missing"
"""Status of a row that says that the sample misses an allele of a record; it never comes out."""


@dataclass(frozen=True, eq=False)
class CarriedAlleles(Variants):
    """Variants in file order, one row an allele and haplotype, with neighbours that do not come out themselves.

    haplotype: int64, 1 or 2; 0 where the record could not be read.
    phase: int64, the phase set as a number, or NO_SET, UNPHASED, HOMOZYGOUS, HAPLOID of `genotype_text`.
    haploid_from, haploid_to: int64, between which reference positions all calls are haploid; equal where this is not.
    place: int64, ascending: the position, or for a row without one on this contig that of the row before it.
    shows: int64, 1 where the row comes out, 0 for a neighbour.
    """

    haplotype: np.ndarray
    phase: np.ndarray
    haploid_from: np.ndarray
    haploid_to: np.ndarray
    place: np.ndarray
    shows: np.ndarray

    NUMBERS: ClassVar = (*Variants.NUMBERS, "haplotype", "phase", "haploid_from", "haploid_to", "place", "shows")

    @property
    def end(self) -> np.ndarray:
        """(A,) int64: behind the last base of REF; `place` for a row that has no position on this contig."""
        length = np.array([len(ref) for ref in self.ref], np.int64)
        return self.place + np.where(np.isin(self.status, NOWHERE), 0, length)

    @property
    def nearest(self) -> np.ndarray:
        """(A,) int64: the first base, of where a row was written and of its normal spelling."""
        return np.where(np.isin(self.status, NOWHERE), self.place, np.minimum(self.place, self.norm_pos))

    @property
    def shown(self) -> CarriedAlleles:
        """The rows that come out."""
        return self.select(np.flatnonzero(self.shows))

    def head(self, n: int) -> CarriedAlleles:
        """The same with no more than the first n scorable rows coming out."""
        shows = np.zeros(len(self), np.int64)
        shows[np.flatnonzero((self.shows == 1) & self.ok)[:n]] = 1
        return CarriedAlleles(*(shows if f.name == "shows" else getattr(self, f.name) for f in fields(self)))


class Contig:
    """The carried alleles of one contig, filled record by record and given back in stretches.

    name: as the genome has it; "" where it is not known yet.
    """

    def __init__(self, name: str, path: str, genome: Genome):
        self.name, self.path, self.genome = name, path, genome
        self._records: list[Record] = []
        self._why: list[str] = []  # why a row is malformed although its line could be read
        self._own: list[tuple[int, int, int, int]] = []  # allele, haplotype, phase, haploid run
        self._runs: list[list[int]] = []
        self._diploid, self._alone = -1, False

    def add(self, record: Record, genotype: tuple[str, str]) -> None:
        """A record with (FORMAT, the sample's column)."""
        pos, alt, why = record[3], record[6], record[7]
        if why:
            return self._row(record, 0, 0, NO_SET)
        alts = [] if alt == "." else alt.split(",")
        alleles, phase, why = parse_genotype(*genotype, len(alts))
        if why:
            return self.add_malformed(record, why)
        if None in alleles:
            self._row((*record[:6], ".", ""), 0, 0, NO_SET)
        if alleles != (None,) and self._is_inside(pos):
            self._count_ploidy(pos, len(alleles))
        for haplotype, allele in enumerate(alleles, 1):
            if allele:
                self._row((*record[:6], alts[allele - 1], ""), allele, haplotype, phase)
        return None

    def add_malformed(self, record: Record, why: str) -> None:
        """A record whose line could be read, but which has no place or no genotype: a row for every ALT."""
        for allele, alt in enumerate(record[6].split(","), 1):
            self._row((*record[:6], alt, record[7]), allele, 0, NO_SET, f"line {record[1]}: {why}")

    def label(self, max_length: int, regions: RegionFilter | None = None, **assembly: Any) -> CarriedAlleles:
        """All rows added, labelled as any file of variants is; those outside of the regions do not come out.

        A record out of order is malformed.  Raises DataError where these are more than a few.
        """
        self._mark_unsorted()
        records = [(*record[:7], record[7] or why) for record, why in zip(self._records, self._why, strict=True)]
        labelled = label_alleles(records, self.genome, max_length=max_length, **assembly)
        allele, haplotype, phase, run = np.array(self._own, np.int64).reshape(-1, 4).T
        status = np.where((allele == 0) & (labelled.status != "malformed"), MISSING, labelled.status).astype(object)
        inside = np.ones(len(allele), np.bool_) if regions is None else regions.mask(self._records)
        shows = (inside & (status != MISSING)).astype(np.int64)
        nowhere = np.isin(labelled.status, NOWHERE)
        place = np.maximum.accumulate(np.where(nowhere, 0, labelled.pos)) if len(allele) else labelled.pos
        runs = np.array([*self._runs, [-1, -1]], np.int64)
        columns = {f.name: getattr(labelled, f.name) for f in fields(Variants)}
        columns |= {"allele": np.maximum(allele, 1), "status": status}
        return CarriedAlleles(**columns, haplotype=haplotype, phase=phase, haploid_from=runs[run, 0] + 1,
                              haploid_to=runs[run, 1], place=place, shows=shows)  # fmt: skip

    def _row(self, record: Record, allele: int, haplotype: int, phase: int, why: str = "") -> None:
        self._records.append(record)
        self._why.append(why)
        self._own.append((allele, haplotype, phase, len(self._runs) - 1 if self._alone else -1))

    def _is_inside(self, pos: int) -> bool:
        return 0 <= pos < self.genome.contigs.get(self.name, 0)

    def _mark_unsorted(self) -> None:
        """Give rows that stand in the way of an ascending order a reason; DataError for too many."""
        rows = [i for i, r in enumerate(self._records) if not (r[7] or self._why[i]) and self._is_inside(r[3])]
        position = np.array([self._records[i][3] for i in rows], np.int64)
        astray = out_of_order(position)
        records = {self._records[rows[k]][0] for k in astray}
        if is_unsorted(len(records), len({self._records[i][0] for i in rows})):
            line = self._records[rows[int(np.flatnonzero(np.diff(position) < 0)[0]) + 1]][1]
            raise DataError(f"{self.path} line {line} comes after a greater position: sort it with `bcftools sort`")
        for k in astray:
            line = self._records[rows[k]][1]
            self._why[rows[k]] = f"line {line}: it is out of order, sort the file with `bcftools sort`"

    def _count_ploidy(self, pos: int, ploidy: int) -> None:
        if ploidy == 1 and not self._alone:
            self._runs.append([self._diploid, ENDLESS])
        elif ploidy == 2:
            if self._alone:
                self._runs[-1][1] = pos
            self._diploid = pos
        self._alone = ploidy == 1


def stretches(alleles: CarriedAlleles, first: int, reach: int, rows: int) -> Iterator[CarriedAlleles]:
    """Parts of about `rows` rows that come out, of records from `first` on, each with all that lies within `reach` bp.

    To the left a part goes on as long as records overlap, since that decides which of them are applied.
    """
    out = np.flatnonzero((alleles.shows == 1) & (alleles.record >= first))
    furthest = np.maximum.accumulate(alleles.end) if len(alleles) else alleles.end
    nearest = alleles.nearest
    at = 0
    while at < len(out):
        stop = min(at + rows, len(out))
        while stop < len(out) and alleles.record[out[stop]] == alleles.record[out[stop - 1]]:
            stop += 1
        chosen = out[at:stop]
        low = int(np.searchsorted(furthest, nearest[chosen].min() - reach, "right"))
        low = min(low, chosen[0])
        while low > 0 and furthest[low - 1] > alleles.place[low]:
            low -= 1
        near = np.flatnonzero(nearest[low:] < alleles.place[chosen].max() + reach)
        high = max(low + int(near[-1]) + 1, int(chosen[-1]) + 1)
        part = alleles.select(np.arange(low, high))
        part.shows[:] = 0
        part.shows[chosen - low] = 1
        yield part
        at = stop


def parse_genotype(keys: str, cell: str, alts: int) -> tuple[tuple[int | None, ...], int, str]:
    """(allele of each haplotype, None where it is missing; phase; why it could not be read, or "").

    keys: FORMAT.  cell: the sample's column.  alts: how many ALT alleles there are.

    >>> parse_genotype("GT:PS", "0|1:7", 1)
    ((0, 1), 7, '')
    """
    genotype, phase_set = _fields_of(keys, cell)
    alleles, phased, why = _alleles(genotype)
    if why or any(a is not None and a > alts for a in alleles):
        return (), NO_SET, f"genotype {genotype[:20]!r} {why or 'has an allele that ALT does not list'}"
    if len(alleles) == 1:
        return alleles, HAPLOID, ""
    if alleles[0] == alleles[1]:
        return alleles, HOMOZYGOUS, ""
    return alleles, _phase_number(phase_set) if phased else UNPHASED, ""


def _fields_of(keys: str, cell: str) -> tuple[str, str]:
    gt, ps = _places(keys)
    cells = cell.split(":")
    genotype = cells[gt] if 0 <= gt < len(cells) else "."
    return genotype, cells[ps] if 0 <= ps < len(cells) else "."


@lru_cache(maxsize=256)
def _places(keys: str) -> tuple[int, int]:
    names = keys.split(":")
    gt, ps = (names.index(k) if k in names else -1 for k in ("GT", "PS"))
    return gt, ps


@lru_cache(maxsize=4096)
def _alleles(genotype: str) -> tuple[tuple[int | None, ...], bool, str]:
    text = genotype[1:] if genotype[:1] in ("|", "/") else genotype  # VCF 4.4 allows a phase before the first allele
    alleles = text.replace("/", "|").split("|")
    if len(alleles) > 2:
        return (), False, "has more than two alleles"
    if not all(a == "." or (a.isascii() and a.isdigit()) for a in alleles):
        return (), False, "is no GT (VCF 4.3, 1.6.2)"
    return tuple(None if a == "." else int(a) for a in alleles), "|" in text, ""


_labels: dict[str, int] = {}


def _phase_number(label: str) -> int:
    """A number for a phase set: its own, or another one for each other label."""
    if label in (".", ""):
        return NO_SET
    if label.isascii() and label.isdigit() and len(label) < 10:
        return int(label)
    return _labels.setdefault(label, (1 << 31) + len(_labels))
