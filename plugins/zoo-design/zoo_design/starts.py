"""Sequences to begin a design with: FASTA, GenBank with its features as parts, letters, or random ones.

"starts.fasta", "plasmid.gb", "ACGT...", "random:20" -> Start, Start, ...
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from zoo.data.codes import decode
from zoo.data.sequences import read_sequences
from zoo.errors import ConfigError, DataError

GENBANK = (".gb", ".gbk", ".genbank")
MOST = 100_000
"""Random starts, at most."""

_LARGEST = 256 << 20
_PLACE = re.compile(r"(?P<first>[\d,]+)(?:-(?P<last>[\d,]+))?")


@dataclass(frozen=True)
class Part:
    """A feature: [start, end) in 0-based positions, strand 1 or -1, and its label."""

    start: int
    end: int
    name: str
    strand: int = 1


@dataclass(frozen=True)
class Start:
    """A sequence to begin with.  status: ok, or why no design can begin there."""

    name: str
    sequence: str
    parts: tuple[Part, ...] = ()
    status: str = "ok"


def read_starts(text: str, length: int, seed: int = 0) -> list[Start]:
    """Records of a file, one sequence of letters, or `random:N` of `length` bp.

    Raises DataError for a file that is none, ConfigError for another text.
    """
    if match := re.fullmatch(r"random:(\d{1,9})", text):
        return _random(int(match[1]), length, seed)
    path = Path(text)
    if len(text) < 1024 and path.is_file():
        if path.stat().st_size > _LARGEST:
            raise DataError(f"{text} has {path.stat().st_size:,} bytes, of {_LARGEST:,} at most: cut it into parts")
        starts = _genbank(path) if path.name.lower().endswith(GENBANK) else _fasta(path)
        return [_letters_known(start) for start in _named_apart(starts)]
    if re.fullmatch(r"[ACGTUNacgtun]+", text):
        return [_letters_known(Start("design", text.upper().replace("U", "T")))]
    if re.fullmatch(r"[A-Za-z]{8,}", text):
        wrong = sorted(set(text.upper()) - set("ACGTUN"))
        raise DataError(f"the start holds the letters {', '.join(wrong)}: use A, C, G and T, or name a file")
    raise ConfigError(f"start {text[:60]!r} is no file, no sequence and not random:N: check the name")


def place(
    starts: Sequence[Start], length: int, region: str | None = None, left: str = "", right: str = ""
) -> list[Start]:
    """Starts of the model's length: cut to `region`, flanks put at their sides as protected parts.

    region: first-last, from 1, both ends belong to it.  Records that do not fit keep their letters and get the status
    too_short, too_long or off_region.

    Raises DataError where none of them fits.
    """
    placed = [_place(start, length, region, left, right) for start in starts]
    fitting = [start for start in placed if start.status not in ("too_short", "too_long", "off_region")]
    if not fitting:
        raise _none_fits(placed[0], starts[0], length, region, len(left) + len(right))
    return placed


def parse_place(text: str) -> tuple[int, int] | None:
    """'10-30', from 1, both ends belong to it, to (9, 30); None for a text that is no place.

    >>> parse_place("10-30"), parse_place("7"), parse_place("promoter")
    ((9, 30), (6, 7), None)
    """
    match = _PLACE.fullmatch(text.strip())
    if not match:
        return None
    first = int(match["first"].replace(",", "") or 0)
    last = int((match["last"] or match["first"]).replace(",", "") or 0)
    if first < 1 or first > last:
        raise ConfigError(f"positions {text!r} count from 1, the first before the last: write them as in 10-30")
    return first - 1, last


def _place(start: Start, length: int, region: str | None, left: str, right: str) -> Start:
    if region is not None:
        bounds = parse_place(region)
        if bounds is None:
            raise ConfigError(f"region {region!r} does not read first-last, as in 101-265")
        if bounds[1] > len(start.sequence):
            return replace(start, status="off_region")
        start = _cut(start, *bounds)
    if left or right:
        shift, end = len(left), len(left) + len(start.sequence)
        parts = [replace(p, start=p.start + shift, end=p.end + shift) for p in start.parts]
        flanks = [Part(0, shift, "left_flank"), Part(end, end + len(right), "right_flank")]
        flanks = [part for part in flanks if part.end > part.start]
        start = replace(start, sequence=left + start.sequence + right, parts=(*flanks, *parts))
    size = len(start.sequence)
    if size != length:
        return replace(start, status="too_short" if size < length else "too_long")
    return start


def _cut(start: Start, first: int, last: int) -> Start:
    parts = tuple(
        replace(p, start=p.start - first, end=p.end - first) for p in start.parts if first <= p.start and p.end <= last
    )
    return replace(start, sequence=start.sequence[first:last], parts=parts)


def _none_fits(placed: Start, start: Start, length: int, region: str | None, flanks: int) -> DataError:
    if placed.status == "off_region":
        return DataError(
            f"region {region} ends behind {start.name!r}, which has {len(start.sequence):,} bp: name another"
        )
    size = len(placed.sequence)
    what = f"start {start.name!r} has {size:,} bp{' with its flanks' if flanks else ''} but the model reads {length:,}"
    if size < length:
        return DataError(f"{what}: put it into its construct with --left-flank and --right-flank, {length - size:,} bp")
    return DataError(f"{what}: choose the part to design with --region first-last, {length:,} bp long")


def _letters_known(start: Start) -> Start:
    return start if set(start.sequence) <= set("ACGT") else replace(start, status="non_acgt")


def _fasta(path: Path) -> list[Start]:
    sequences = read_sequences(path)
    names = [(header.split() or [f"record{i + 1}"])[0] for i, header in enumerate(sequences.headers)]
    return [Start(name, decode(sequences[i])) for i, name in enumerate(names)]


def _genbank(path: Path) -> list[Start]:
    import warnings

    from Bio import SeqIO
    from Bio.Seq import UndefinedSequenceError

    try:
        with warnings.catch_warnings(), path.open(encoding="utf-8", errors="replace") as file:
            warnings.simplefilter("ignore")
            records = list(SeqIO.parse(file, "genbank"))
        letters = [str(record.seq).upper().replace("U", "T") for record in records]
    except UndefinedSequenceError as error:
        raise DataError(f"{path} has a record without letters: save it with its sequence") from error
    except Exception as error:  # The parser has no exception of its own.
        raise DataError(f"{path} cannot be read as GenBank ({error}): save it again, or give FASTA") from error
    if not records:
        raise DataError(f"{path} holds no GenBank record: does it begin with LOCUS?")
    return [
        Start(record.name or f"record{i + 1}", sequence, _parts(record.features))
        for i, (record, sequence) in enumerate(zip(records, letters, strict=True))
    ]


def _parts(features: Sequence) -> tuple[Part, ...]:
    """One part for every stretch of every feature but `source`."""
    parts = []
    for feature in features:
        if feature.type == "source" or feature.location is None:
            continue
        named = [feature.qualifiers[key][0] for key in ("label", "gene", "standard_name") if key in feature.qualifiers]
        name = str((named or [feature.type])[0])
        for span in feature.location.parts:
            parts.append(Part(int(span.start), int(span.end), name, -1 if span.strand == -1 else 1))
    return tuple(parts)


def _random(n: int, length: int, seed: int) -> list[Start]:
    if not 1 <= n <= MOST:
        raise ConfigError(f"random:{n} must be 1 to {MOST:,} sequences")
    codes = np.random.default_rng(seed).integers(0, 4, (n, length), dtype=np.uint8)
    return [Start(f"random{i + 1}", decode(row)) for i, row in enumerate(codes)]


def _named_apart(starts: list[Start]) -> list[Start]:
    """A name that stands several times gets a number behind it."""
    often, seen, names = Counter(start.name for start in starts), Counter(), []
    for start in starts:
        seen[start.name] += 1
        names.append(start.name if often[start.name] == 1 else f"{start.name}_{seen[start.name]}")
    return [replace(start, name=name) for start, name in zip(starts, names, strict=True)]


def read_flank(text: str) -> str:
    """Letters, or the one record of a FASTA file, in upper case; DataError for letters beyond A, C, G and T."""
    if not text:
        return ""
    if not re.fullmatch(r"[A-Za-z]+", text) or Path(text).is_file():
        records = _fasta(Path(text))
        if len(records) != 1:
            raise DataError(f"{text} holds {len(records):,} records, and a flank is one: cut the file")
        text = records[0].sequence
    if wrong := sorted(set(text.upper()) - set("ACGT")):
        raise DataError(f"the flank holds the letters {', '.join(wrong)}: give A, C, G and T alone")
    return text.upper()
