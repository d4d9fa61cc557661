"""`Variants`: alleles in columns, each with the reason why it has no score, if there is one.

Records (as written) -> one row an allele -> REF compared with the genome -> the normal spelling
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, fields
from typing import ClassVar, Self

import numpy as np

from zoo.data.genome import Genome
from zoo.errors import GenomeMismatch
from zoo.variants.ambiguity_codes import readable_references
from zoo.variants.left_alignment import OTHER, AlleleCodes, N, matches_genome, normalize

STATUSES = {
    "ok": "the allele can be scored",
    "malformed": "the line could not be read; `notes` says why",
    "contig_unknown": "the genome has no contig of this name, nor by another name",
    "contig_differs": "the contig is of another length in the file's header than in the genome",
    "out_of_bounds": "the position, or the end of REF, lies off the contig",
    "ref_mismatch": "the genome reads otherwise than REF",
    "ref_alt_swapped": "the genome reads as ALT and not as REF",
    "no_alt": "ALT is . : the record has no alternate allele",
    "symbolic": "ALT is <DEL> or the like, a breakend, or *",
    "too_long": "REF or ALT is longer than max_length",
    "non_acgt": "REF or ALT has letters beyond ACGTN",
}
"""Why a row has no score, in the order in which the reasons are told."""

Record = tuple[int, int, str, int, str, str, str, str, *tuple[tuple[str, str], ...]]
"""(number of the record from 0, line from 1, chrom, pos 0-based, id, REF, ALT, why it is malformed or "")."""


@dataclass(frozen=True, eq=False)
class Variants:
    """Alleles in the order of the input; arrays of one length (A,), one row an allele, never a row less.

    record: int64, number of the input record, from 0.  allele: int64, number of the ALT, from 1.
    chrom, id, ref, alt: text as written.  pos: int64, 0-based, as written; -1 where it cannot be read.
    contig: int64, id in the genome; -1 where it has no such contig.
    norm_pos: int64, 0-based, norm_ref, norm_alt: left-aligned and trimmed (`zoo.variants.left_alignment`), upper case;
    as written where the row has no score.
    status: "ok" or the first reason why there is no score, of `STATUSES`.
    notes: further reasons, contig_aliased, contig_differs, ref_alt_swapped (scored with REF and ALT exchanged),
    ref_ambiguous (the genome has an ambiguity code that allows REF), alt_is_ref, joined by ";".
    """

    record: np.ndarray
    allele: np.ndarray
    chrom: np.ndarray
    contig: np.ndarray
    pos: np.ndarray
    id: np.ndarray
    ref: np.ndarray
    alt: np.ndarray
    norm_pos: np.ndarray
    norm_ref: np.ndarray
    norm_alt: np.ndarray
    status: np.ndarray
    notes: np.ndarray

    NUMBERS: ClassVar = ("record", "allele", "contig", "pos", "norm_pos")

    def __len__(self) -> int:
        return len(self.record)

    @property
    def ok(self) -> np.ndarray:
        """(A,) bool: rows that can be scored."""
        return self.status == "ok"

    @property
    def shown(self) -> Self:
        """The rows that come out: all of them."""
        return self

    def head(self, n: int) -> Self:
        """The first n scorable rows."""
        return self.select(np.flatnonzero(self.ok)[:n])

    def select(self, rows: np.ndarray) -> Self:
        """The rows of a boolean mask or an index array, in that order."""
        return type(self)(*(getattr(self, f.name)[rows] for f in fields(self)))

    @classmethod
    def join(cls, parts: Iterable[Self]) -> Self:
        """One after another; without a part, no rows."""
        parts = list(parts)
        if not parts:
            return cls(*(np.zeros(0, np.int64 if f.name in cls.NUMBERS else object) for f in fields(cls)))
        return cls(*(np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(cls)))


def label_alleles(
    records: list[Record],
    genome: Genome,
    fix_swapped: bool = False,
    max_length: int = 10_000,
    differing: Collection[int] = (),
    any_assembly: bool = False,
) -> Variants:
    """One row for every allele of the records, with its status and its normal spelling.

    fix_swapped: score a row whose REF and ALT are exchanged as if they were not.  max_length: bp of REF or ALT.
    differing: ids of contigs that are of another length in the file's header; their rows have the status
    contig_differs, with `any_assembly` a note alone.

    REF is compared where all its letters are ACGTN, or where the genome has ambiguity codes; a REF of N alone says
    nothing beside a symbolic ALT.  A malformed record is one row.
    """
    number, allele, chrom, pos, name, ref, alt, why = _columns(records)
    contig, aliased = _contigs(chrom, why, genome)
    refs, alts = AlleleCodes.of(ref), AlleleCodes.of(alt)

    bad_ref, bad_alt = refs.holding(OTHER), alts.holding(OTHER)
    no_alt = alt == "."
    symbolic = np.array([bad and is_symbolic(a) for bad, a in zip(bad_alt, alt, strict=True)], np.bool_)
    malformed = why != ""
    unknown = ~malformed & (contig < 0)
    placed = ~malformed & ~unknown
    outside = placed & ((pos < 0) | (pos + refs.length > genome.lengths(contig)))

    compared = _speaks(placed & ~outside & ~bad_ref, symbolic | no_alt, ref)
    wrong, ambiguous, refs = _compare(compared, placed & ~outside & bad_ref, genome, contig, pos, refs, ref)
    bad_ref = bad_ref & ~ambiguous
    swapped = _matching(wrong & ~alts.holding(N), genome, contig, pos, alts) & ~_begins(ref, alt)
    differs = placed & np.isin(contig, list(differing))
    reasons = {
        "malformed": malformed,
        "contig_unknown": unknown,
        "contig_differs": differs & (not any_assembly),
        "out_of_bounds": outside,
        "ref_mismatch": wrong & ~swapped,
        "ref_alt_swapped": swapped & (not fix_swapped),
        "no_alt": ~malformed & no_alt,
        "symbolic": ~malformed & symbolic,
        "too_long": ~malformed & ((refs.length > max_length) | ((alts.length > max_length) & ~symbolic)),
        "non_acgt": ~malformed & (bad_ref | (bad_alt & ~symbolic & ~no_alt)),
    }
    noted = {
        "contig_aliased": aliased,
        "contig_differs": differs & any_assembly,
        "ref_ambiguous": ambiguous,
        "ref_alt_swapped": swapped & fix_swapped,
        "alt_is_ref": ~malformed & _same_letters(ref, alt),
    }
    status, notes = _status_and_notes(reasons, noted, why)

    normal = _normal_spelling(genome, contig, pos, ref, alt, refs, alts, swapped, status == "ok")
    return Variants(
        *(number, allele, chrom, contig, pos, name, ref, alt),
        *(*normal, status, notes),
    )


def _columns(records: list[Record]) -> tuple[np.ndarray, ...]:
    """(A,) each, a row an allele: numbers of the record and of the allele, chrom, pos, id, ref, alt, why malformed."""
    number, _, chrom, pos, name, ref, alt, why = (list(c) for c in zip(*records, strict=True)) if records else [[]] * 8
    row, allele, one = _split_alt(alt, why)
    row = np.array(row, np.int64)
    chrom, name, ref, why = (_texts(c)[row] for c in (chrom, name, ref, why))
    number, pos = (np.array(c, np.int64)[row] for c in (number, pos))
    return number, np.array(allele, np.int64), chrom, pos, name, ref, _texts(one), why


def _compare(
    compared: np.ndarray, odd: np.ndarray, genome: Genome, contig: np.ndarray, pos: np.ndarray, refs: AlleleCodes, ref
) -> tuple[np.ndarray, np.ndarray, AlleleCodes]:
    """(A,) bool each: REF that the genome does not have, REF that ambiguity codes allow; the codes of REF, N for these.

    compared: rows of ACGTN.  odd: rows with other letters within their contig.  ref: as written.
    """
    wrong = compared & ~_matching(compared, genome, contig, pos, refs)
    ambiguous, refs = readable_references(genome, contig, pos, refs, np.flatnonzero(wrong | odd), ref)
    return wrong & ~ambiguous, ambiguous, refs


def _speaks(rows: np.ndarray, silent: np.ndarray, ref: np.ndarray) -> np.ndarray:
    """(A,) bool: the rows whose REF can be compared; beside a symbolic ALT (`silent`) one of N alone cannot."""
    compared = rows.copy()
    at = np.flatnonzero(rows & silent)
    compared[at] = [bool(r.strip("Nn")) for r in ref[at]]
    return compared


def _same_letters(ref: np.ndarray, alt: np.ndarray) -> np.ndarray:
    return np.array([r.upper() == a.upper() for r, a in zip(ref, alt, strict=True)], np.bool_)


def _begins(ref: np.ndarray, alt: np.ndarray) -> np.ndarray:
    """(A,) bool: ALT is the beginning of REF, as of a deletion, so that the genome's reading as ALT says nothing."""
    pairs = zip(ref, alt, strict=True)
    return np.array([len(a) < len(r) and r.upper().startswith(a.upper()) for r, a in pairs], np.bool_)


def _normal_spelling(
    genome, contig, pos, ref, alt, refs, alts, swapped, ok
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(norm_pos, norm_ref, norm_alt); as written where a row is not ok."""
    norm_pos, norm_ref, norm_alt = pos.copy(), ref.copy(), alt.copy()
    single = (refs.length == 1) & (alts.length == 1) & ~swapped
    for written, normal in ((ref, norm_ref), (alt, norm_alt)):
        rows = np.flatnonzero(ok & single)
        normal[rows] = [text.upper() for text in written[rows]]
    rows = np.flatnonzero(ok & ~single)
    if len(rows):
        old, new = _exchange(refs, alts, swapped, rows), _exchange(alts, refs, swapped, rows)
        norm_pos[rows], old, new = normalize(genome, contig[rows], pos[rows], old, new)
        norm_ref[rows], norm_alt[rows] = _texts(old.texts()), _texts(new.texts())
    return norm_pos, norm_ref, norm_alt


def _split_alt(alt: list[str], why: list[str]) -> tuple[list[int], list[int], list[str]]:
    """(row of the record, number of the allele, its text) of every allele."""
    row, allele, one = [], [], []
    for i, (text, bad) in enumerate(zip(alt, why, strict=True)):
        parts = (text,) if bad or "," not in text else text.split(",")
        for k, part in enumerate(parts, 1):
            row.append(i)
            allele.append(k)
            one.append(part)
    return row, allele, one


def _texts(values: list[str]) -> np.ndarray:
    out = np.empty(len(values), object)
    out[:] = values
    return out


def _contigs(chrom: np.ndarray, why: np.ndarray, genome: Genome) -> tuple[np.ndarray, np.ndarray]:
    """(A,) ids, -1 for a contig that the genome lacks, and (A,) bool: known by another name."""
    known = {}
    for name in dict.fromkeys(chrom[why == ""]):
        try:
            known[name] = int(genome.contig_ids([name])[0]), genome.resolve(name) != name
        except GenomeMismatch:
            known[name] = -1, False
    found = [known.get(name, (-1, False)) for name in chrom]
    contig = np.array([c for c, _ in found], np.int64)
    return np.where(why == "", contig, -1), np.array([a for _, a in found], np.bool_) & (why == "")


def is_symbolic(alt: str) -> bool:
    """<ID>, *, and breakends with a mate (brackets) or without (VCF 4.3, 1.6.1 and 5.4)."""
    single_breakend = len(alt) > 1 and (alt[0] == "." or alt[-1] == ".")
    return alt == "*" or single_breakend or any(c in alt for c in "<>[]")


def _matching(
    rows: np.ndarray, genome: Genome, contig: np.ndarray, pos: np.ndarray, alleles: AlleleCodes
) -> np.ndarray:
    """(A,) bool, False outside the mask `rows`."""
    matching = np.zeros(len(rows), np.bool_)
    at = np.flatnonzero(rows)
    if len(at):
        matching[at] = matches_genome(genome, contig[at], pos[at], alleles.select(at))
    return matching


def _exchange(own: AlleleCodes, other: AlleleCodes, swapped: np.ndarray, rows: np.ndarray) -> AlleleCodes:
    """The chosen rows of `own`, of `other` where swapped."""
    first = np.where(swapped, other.first + len(own.codes), own.first)
    length = np.where(swapped, other.length, own.length)
    return AlleleCodes(np.concatenate([own.codes, other.codes]), first[rows], length[rows])


def _status_and_notes(reasons: dict[str, np.ndarray], noted: dict[str, np.ndarray], why: np.ndarray):
    """(status, notes): the first reason; the others, and what else is to be said."""
    status, notes = np.full(len(why), "ok", object), np.full(len(why), "", object)
    for i in np.flatnonzero(np.any([*reasons.values(), *noted.values()], axis=0)):
        why_not = [name for name, rows in reasons.items() if rows[i]]
        others = [*why_not[1:], *([why[i]] if why[i] else []), *(name for name, rows in noted.items() if rows[i])]
        status[i] = why_not[0] if why_not else "ok"
        notes[i] = ";".join(others)
    return status, notes
