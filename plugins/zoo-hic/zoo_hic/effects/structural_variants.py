"""Structural variants of a VCF or BCF, each scored by its effect on the map around it.

    <DEL> <DUP> <DUP:TANDEM> <INV>, and REF/ALT of any length ── one WindowEdit ── predict_effect() ── a row of scores

Every allele of every record comes out again, in the file's order, with a status.  An allele is put alone into the
reference sequence, whatever the genotypes are.  Coordinates follow VCF 4.2 to 4.5: POS is the base before a symbolic
allele, END its last base, SVLEN its length.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from zoo.data.codes import encode
from zoo.data.genome import Genome
from zoo.data.region import format_region
from zoo.errors import DataError, GenomeMismatch
from zoo.files.compressed import read_chunks
from zoo.files.pipes import seekable
from zoo.variants.records import quiet_htslib, read_text
from zoo.variants.variants import STATUSES
from zoo_hic.effects.disruption import MapChange, predict_effect
from zoo_hic.effects.edits import WindowEdit
from zoo_hic.predictor import Predictor

SV_STATUSES = {
    "ok": "the allele is scored",
    **{status: STATUSES[status] for status in ("malformed", "contig_unknown", "ref_mismatch", "non_acgt")},
    "out_of_bounds": "the variant leaves the contig",
    "no_alt": "ALT is . or *: there is no other sequence",
    "breakend": "ALT is a breakend: two places are joined, which one window does not hold",
    "unsupported": "ALT is another symbolic allele, such as <INS> or <CNV>: its sequence is not given",
    "exceeds_window": "before or after, it is longer than three quarters of the model's window",
    "out_of_region": "it does not overlap the region asked for",
    "not_finite": "no pair of places can be compared, or the model gives NaN or infinity",
}
"""Statuses of structural variants; four are those of `zoo score`."""

COLUMNS = ("record", "allele", "chrom", "pos", "id", "ref", "alt", "type", "start", "end", "status", "notes")

SHARE = 0.75
"""Of a window that a variant may have."""

MAX_SHOWN = 50
"""Letters of REF or ALT that a table shows."""


@dataclass(frozen=True)
class SvAllele:
    """One ALT.  record: from 0.  number: of the ALT, from 1.  pos: 1-based, as written.  kind: DEL, DUP, INV, or what
    REF and ALT make of it (SNV, MNV, INS, DEL, INDEL); "" where it is neither.  edit: None unless `status` is ok."""

    record: int
    number: int
    chrom: str
    pos: str
    id: str
    ref: str
    alt: str
    kind: str = ""
    status: str = "ok"
    notes: str = ""
    edit: WindowEdit | None = None

    def cells(self) -> list:
        """Of COLUMNS; start and end count from 1 as in the file and are the first and last base that change."""
        place = (self.edit.start + 1, self.edit.end) if self.edit else (None, None)
        shown = (t if len(t) <= MAX_SHOWN else f"{t[:MAX_SHOWN]}...({len(t):,})" for t in (self.ref, self.alt))
        return [self.record, self.number, self.chrom, self.pos, self.id, *shown, self.kind, *place, self.status,
                self.notes or None]  # fmt: skip


def read_alleles(
    path: str | Path, genome: Genome, window: int, region: tuple[str, int, int] | None = None
) -> Iterator[SvAllele]:
    """Every allele of a VCF (plain, gzip, BGZF) or BCF, with its status.

    window: bp of the model.  region: (contig, start, end) 0-based half-open; others are `out_of_region`.
    Raises DataError for a file that is damaged or no VCF.
    """
    for record, text in enumerate(_lines(Path(path).expanduser())):
        cells = text.split("\t")
        if len(cells) < 8 or not re.fullmatch(r"[0-9]{1,12}", cells[1]) or not (cells[0] and cells[3] and cells[4]):
            padded = ([c[:MAX_SHOWN] for c in cells] + [""] * 5)[:5]
            why = "a line has CHROM, POS, ID, REF, ALT, QUAL, FILTER and INFO between tabs, and a whole number as POS"
            yield SvAllele(record, 1, *padded, status="malformed", notes=why)
            continue
        alts, info = cells[4].split(","), dict(part.partition("=")[::2] for part in cells[7].split(";"))
        for number, alt in enumerate(alts, 1):
            written = SvAllele(record, number, cells[0], cells[1], cells[2], cells[3], alt)
            yield _label(written, info, len(alts), genome, window, region)


def score_alleles(
    predictor: Predictor, genome: Genome, alleles: Iterator[SvAllele]
) -> Iterator[tuple[SvAllele, MapChange | None]]:
    """Each allele with its maps, in a window around it; None unless its status is ok, or not_finite."""
    for allele in alleles:
        compared = predict_effect(predictor, genome, [allele.edit]) if allele.edit else None
        if compared is not None and not all(np.isfinite(score.rms) for score in compared.scores.values()):
            allele = replace(allele, status="not_finite")
        yield allele, compared


def _lines(path: Path) -> Iterator[str]:
    """Lines of records."""
    held = seekable(path)
    if next(read_chunks(held.path, 8), b"")[:3] == b"BCF":
        import pysam

        with quiet_htslib():
            try:
                with pysam.VariantFile(str(held.path)) as file:
                    for record in file:
                        yield str(record).rstrip("\n")
            except (OSError, ValueError) as error:
                raise DataError(f"{path} is no sound BCF file ({error}): fetch it again") from error
        return
    header = False
    for number, text in read_text(held.path):
        if text.startswith("#CHROM\tPOS\tID\tREF\tALT"):
            header = True
        elif not text.startswith("#") and text.strip():
            if not header:
                raise DataError(f"{path} line {number} stands before a line #CHROM POS ID REF ALT: it is no VCF")
            yield text.rstrip("\n")
    if not header:
        raise DataError(f"{path} has no line that begins with #CHROM: it is no VCF, or was cut off in its header")


def _label(a: SvAllele, info, alts: int, genome: Genome, window: int, region) -> SvAllele:
    if a.alt in (".", "*", "<*>", "<NON_REF>"):
        return replace(a, status="no_alt")
    if "[" in a.alt or "]" in a.alt or a.alt.startswith(".") or a.alt.endswith("."):
        return replace(a, kind="BND", status="breakend")
    try:
        contig = genome.resolve(a.chrom)
    except GenomeMismatch:
        return replace(a, status="contig_unknown")
    size, pos = genome.contigs[contig], int(a.pos) - 1
    if not re.fullmatch("[ACGTNacgtn]+", a.ref):
        return replace(a, status="non_acgt")
    if pos < (-1 if a.alt.startswith("<") else 0) or pos + len(a.ref) > size:
        return replace(a, status="out_of_bounds")
    known = pos >= 0 and set(a.ref.upper()) != {"N"}
    if known and (genome.fetch(contig, pos, pos + len(a.ref)) != encode(a.ref)).any():
        return replace(a, status="ref_mismatch")
    if a.alt.startswith("<"):
        kind, edit = _parse_symbolic(a, info, alts, contig, pos)
    elif re.fullmatch("[ACGTNacgtn]+", a.alt):
        kind, edit = _parse_letters(a, contig, pos)
    else:
        return replace(a, status="non_acgt")
    if isinstance(edit, str):
        status, _, why = edit.partition(": ")
        return replace(a, kind=kind, status=status, notes=why)
    if edit.end > size:
        return replace(a, kind=kind, status="out_of_bounds")
    if region is not None and not (contig == region[0] and edit.start < region[2] and edit.end >= region[1]):
        return replace(a, kind=kind, status="out_of_region")
    if edit.end - edit.start + max(0, edit.length_change) > SHARE * window:
        place = format_region(contig, edit.start, max(edit.end, edit.start + 1))
        return replace(a, kind=kind, status="exceeds_window", notes=f"{place}, the window has {window:,} bp")
    return replace(a, kind=kind, notes="" if contig == a.chrom else f"{a.chrom} is {contig}", edit=edit)


def _parse_symbolic(
    a: SvAllele, info: dict[str, str], alts: int, contig: str, pos: int
) -> tuple[str, WindowEdit | str]:
    """(kind, the edit, or "status: why")."""
    name = a.alt.strip("<>")
    kind = name.partition(":")[0]
    known = {"DEL": "delete", "INV": "invert", "DUP": "duplicate"}.get(kind)
    if known is None or (kind == "DUP" and name not in ("DUP", "DUP:TANDEM")):
        return name[:MAX_SHOWN], "unsupported: only <DEL>, <DUP>, <DUP:TANDEM> and <INV> say what the sequence is"
    start = pos + 1
    sizes = info.get("SVLEN", "").split(",")
    svlen = sizes[a.number - 1] if len(sizes) == alts else sizes[0] if len(sizes) == 1 else ""
    length = abs(int(svlen)) if re.fullmatch(r"-?[0-9]{1,12}", svlen) else 0
    end = info.get("END", "")
    span = int(end) - start if re.fullmatch(r"[0-9]{1,12}", end) else 0
    if span < 0 or (length and span and alts == 1 and abs(span - length) > 1):
        return kind, f"malformed: END={end} and SVLEN={svlen} do not agree with POS={a.pos}"
    # With several alleles END is that of the longest.
    size = length if length and (alts > 1 or not span) else span
    if not size:
        return kind, "malformed: INFO has neither END nor SVLEN, so the end is not known"
    return kind, WindowEdit(known, contig, start, start + size)


def _parse_letters(a: SvAllele, contig: str, pos: int) -> tuple[str, WindowEdit | str]:
    """REF and ALT without what they share at both ends."""
    ref, alt = a.ref.upper(), a.alt.upper()
    if ref == alt:
        return "", "no_alt: ALT is REF"
    shared = _count_shared(ref, alt)
    ref, alt, start = ref[shared:], alt[shared:], pos + shared
    shared = _count_shared(ref[::-1], alt[::-1])
    ref, alt = ref[: len(ref) - shared], alt[: len(alt) - shared]
    kind = {(True, False): "DEL", (False, True): "INS"}.get((bool(ref), bool(alt)))
    kind = kind or ("INDEL" if len(ref) != len(alt) else "SNV" if len(ref) == 1 else "MNV")
    how = "substitute" if alt else "delete"
    return kind, WindowEdit(how, contig, start, start + len(ref), alt)


def _count_shared(ref: str, alt: str) -> int:
    """Letters that both begin with."""
    return next((i for i, (a, b) in enumerate(zip(ref, alt, strict=False)) if a != b), min(len(ref), len(alt)))


def score_columns(channels: tuple[str, ...]) -> list[str]:
    """Columns behind COLUMNS: of the window, and of the scores of each channel."""
    each = ("rms", "squared", "insulation", "largest", "largest_at")
    prefix = [""] if len(channels) == 1 else [f"{c}:" for c in channels]
    return ["window", "pairs", "shift_bp", *(p + name for p in prefix for name in each)]


def score_cells(compared: MapChange | None, channels: tuple[str, ...]) -> list:
    """Of `score_columns`."""
    if compared is None:
        return [None] * (3 + 5 * len(channels))
    cells: list = [compared.region, compared.scores[channels[0]].pairs, compared.shift]
    for channel in channels:
        score = compared.scores[channel]
        cells += [score.rms, score.squared, score.insulation, score.largest, compared.place(score)]
    return [None if isinstance(c, float) and np.isnan(c) else c for c in cells]
