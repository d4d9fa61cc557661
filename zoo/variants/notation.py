"""One variant in one word, as papers and browsers write it, to what a VCF would say.

chr1:1007:C>T, chr1:1007:C:T, 1-1007-C-T, chr1_1007_C_T  positions from 1
NC_000001.11:1006:C:T (SPDI)                             from 0, a count or no letters for what goes
NC_000001.11:g.1007C>T, chr1:g.1007_1009del (HGVS g.)    from 1; del, ins, delins, dup, inv

text -> Change (what is replaced by what) -> contig, position, REF, ALT of VCF: letters that are not written, and the
base before an insertion or deletion, are the genome's

Sources: Holmes et al. 2020, doi:10.1093/bioinformatics/btz856 (SPDI); HGVS nomenclature 21.1 (DNA).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from zoo.data.codes import COMPLEMENT, decode
from zoo.data.genome import Genome
from zoo.data.region import parse_region
from zoo.errors import ConfigError, GenomeMismatch

KNOWN = "20-43044295-G-A, chr20:43044295:G:A, SPDI as NC_000020.11:43044294:G:A, HGVS as chr20:g.43044295G>A"
"""The other words that are read, for messages."""

LONGEST = 1_000_000
"""bp that are fetched from the genome for letters that are not written."""

_LETTERS = "[A-Za-z*.]+"
_ARROW = re.compile(r"(?P<place>\S+:[0-9,]+):(?P<ref>[^\s>,]+)>(?P<alt>\S+)")
_PARTS = re.compile(
    rf"(?P<chrom>\S+)(?P<mark>[-:_])(?P<pos>[0-9,]+)(?P=mark)(?P<ref>{_LETTERS})(?P=mark)(?P<alt>{_LETTERS})"
    r"(?:_b3[78])?"
)
_ACCESSION = r"[A-Z]{1,2}_?[0-9]{5,}\.[0-9]+"
_SPDI = re.compile(rf"(?P<chrom>{_ACCESSION}):(?P<pos>[0-9]+):(?P<deleted>[0-9]+|[A-Za-z]*):(?P<inserted>[A-Za-z]*)")
_HGVS = re.compile(r"(?P<chrom>[^\s:]+):(?P<kind>[cgmnpr])\.(?P<rest>\S+)")
_HGVS_CHANGE = re.compile(
    r"(?P<first>[0-9]+)(?:_(?P<last>[0-9]+))?"
    r"(?:(?P<ref>[A-Za-z]+)>(?P<alt>[A-Za-z]+)|(?P<what>delins|del|ins|dup|inv)(?P<letters>[A-Za-z]*))"
)
_DELINS = re.compile(r"(?P<first>[0-9]+)(?:_(?P<last>[0-9]+))?del(?P<ref>[A-Za-z]+?)ins(?P<alt>[A-Za-z]+)")


@dataclass(frozen=True)
class Change:
    """Bases start to end of a contig, 0-based half-open, are replaced.

    deleted: their letters, "" where they are not written.  inserted: the letters that take their place; "dup" of copy:
    those of the genome twice, "inv": their reverse complement.
    """

    chrom: str
    start: int
    end: int
    deleted: str = ""
    inserted: str = ""
    copy: str = ""


def is_notation(text: str) -> bool:
    """Whether a text has the form of one variant, whatever its parts hold."""
    text = text.strip()
    return any(form.fullmatch(text) for form in (_ARROW, _SPDI, _PARTS, _HGVS))


def parse_variant(text: str) -> Change | tuple[str, int, str, str]:
    """A change, or (contig, position from 0, REF, ALT) where the text says what a VCF would.

    Raises ConfigError for a text that has another form, and for one that could mean two things.

    >>> parse_variant("chr20:43,044,295:G>A"), parse_variant("20-5-GT-G")
    (('chr20', 43044294, 'G', 'A'), ('20', 4, 'GT', 'G'))
    >>> parse_variant("NC_000020.11:4:2:")
    Change(chrom='NC_000020.11', start=4, end=6, deleted='', inserted='', copy='')
    """
    text = text.strip()
    if match := _ARROW.fullmatch(text):
        chrom, pos, _ = parse_region(match["place"])
        return chrom, pos, match["ref"], match["alt"]
    if match := _SPDI.fullmatch(text):
        return _spdi(match)
    if match := _PARTS.fullmatch(text):
        chrom, pos, _ = parse_region(f"{match['chrom']}:{match['pos']}")
        return chrom, pos, match["ref"], match["alt"]
    if match := _HGVS.fullmatch(text):
        return _hgvs(match)
    raise ConfigError(f"it has none of the forms contig:position:REF>ALT, {KNOWN}")


def written_out(change: Change, genome: Genome) -> tuple[str, int, str, str]:
    """(contig, position from 0, REF, ALT) as a VCF has them, with letters of the genome where none are written.

    An insertion or a deletion has the base before it, or the base behind it at the first base of a contig.  Letters off
    a contig, or of a contig that the genome lacks, read N.
    """
    start, end = change.start, change.end
    deleted = change.deleted or _letters(genome, change.chrom, start, end)
    inserted = change.inserted
    if change.copy == "dup":
        inserted = deleted + deleted
    elif change.copy == "inv":
        inserted = decode(COMPLEMENT[_codes(genome, change.chrom, start, end)][::-1])
    if deleted and inserted:
        return change.chrom, start, deleted, inserted
    if start > 0:
        before = _letters(genome, change.chrom, start - 1, start)
        return change.chrom, start - 1, before + deleted, before + inserted
    behind = _letters(genome, change.chrom, end, end + 1)
    return change.chrom, 0, deleted + behind, inserted + behind


def _codes(genome: Genome, chrom: str, start: int, end: int) -> np.ndarray:
    """Codes (end - start,) uint8; N where the genome lacks the contig."""
    try:
        return genome.fetch(chrom, start, end)
    except GenomeMismatch:
        return np.full(end - start, 4, np.uint8)


def _letters(genome: Genome, chrom: str, start: int, end: int) -> str:
    return decode(_codes(genome, chrom, start, end))


def _spdi(match: re.Match) -> Change | tuple[str, int, str, str]:
    chrom, start, deleted, inserted = match["chrom"], int(match["pos"]), match["deleted"], match["inserted"]
    if not chrom.startswith(("NC_", "NT_", "NW_", "NG_", "AC_")) and deleted.isalpha() and inserted:
        raise ConfigError(
            f"it may count from 0, as SPDI does, or from 1: write {chrom}:{start}:{deleted}>{inserted} if from 1, "
            f"{chrom}:{start + 1}:{deleted}>{inserted} if from 0"
        )
    size = int(deleted) if deleted.isdigit() else len(deleted)
    if size > LONGEST:
        raise ConfigError(f"it takes {size:,} bp away, at most {LONGEST:,} are read")
    if not size and not inserted:
        raise ConfigError("it takes nothing away and puts nothing in")
    return Change(chrom, start, start + size, "" if deleted.isdigit() else deleted, inserted)


def _hgvs(match: re.Match) -> Change:
    chrom, kind, rest = match["chrom"], match["kind"], match["rest"]
    if kind not in "gm":
        raise ConfigError(
            f"{kind}. names a place of a transcript or protein: give the genome's, as in chr20:g.43044295G>A"
        )
    if change := _DELINS.fullmatch(rest):
        return _span(chrom, change, change["ref"], change["alt"])
    change = _HGVS_CHANGE.fullmatch(rest)
    if not change:
        raise ConfigError(f"of {kind}. only substitutions, del, ins, delins, dup and inv with letters are read")
    what, letters = change["what"], change["letters"]
    if what is None:
        return _span(chrom, change, change["ref"], change["alt"])
    if what in ("ins", "delins") and not letters:
        raise ConfigError(f"it does not say what letters {what} puts in")
    if what == "ins":
        before, behind = int(change["first"]), int(change["last"] or 0)
        if behind != before + 1 or before < 1:
            raise ConfigError("ins stands between two neighbours, as in g.1007_1008insT")
        return Change(chrom, before, before, "", letters)
    if what == "delins":
        return _span(chrom, change, "", letters)
    return _span(chrom, change, letters, "", "" if what == "del" else what)


def _span(chrom: str, change: re.Match, deleted: str, inserted: str, copy: str = "") -> Change:
    """Of `first` or `first_last`, from 1; the letters that are written must be as many as the bases."""
    first = int(change["first"])
    last = int(change["last"] or first)
    size = last - first + 1
    if first < 1 or size < 1:
        raise ConfigError("positions count from 1, and the first is not after the last")
    if size > LONGEST:
        raise ConfigError(f"it spans {size:,} bp, at most {LONGEST:,} are read")
    if deleted and len(deleted) != size:
        if change["last"]:
            raise ConfigError(f"{deleted[:20]} has {len(deleted)} letters, {first}_{last} are {size} bp")
        raise ConfigError(f"{deleted[:20]} has {len(deleted)} letters, one position is 1 bp: write the last one too")
    return Change(chrom, first - 1, last, deleted, inserted, copy)
