"""Reading a track's file: bigWig, bedGraph, BED or fragments, plain or gzip, to runs by contig of the genome.

file -> kind, by its first bytes and its name -> (contig, Runs) in the order of the genome

    bigWig, bedGraph   values; a bin's is the mean over its bases, of which those without a value count as 0
    BED                intervals; a bin's value is their mean coverage
    fragments          10x-like chrom, start, end, barcode, count; a bin's value is its number of cut sites, the first
                       and the last base of each fragment, once whatever its count of duplicates
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from zoo.data.aliases import find
from zoo.data.signals.runs import Runs
from zoo.errors import ConfigError, DataError, GenomeMismatch, did_you_mean, need
from zoo.files.compressed import is_gzip, read_lines
from zoo.files.pipes import refuse_pipe
from zoo.terminal.progress import counting

FORMATS = ("bigwig", "bedgraph", "bed", "fragments")
_ENDINGS = {
    "bigwig": (".bw", ".bigwig"),
    "fragments": (".frag", ".frag.tsv", "fragments.tsv", ".fragments", "fragments.bed"),
    "bedgraph": (".bdg", ".bg", ".bedgraph", ".bedgr"),
    "bed": (".bed", ".narrowpeak", ".broadpeak"),
}
_MAGIC = (b"\x26\xfc\x8f\x88", b"\x88\x8f\xfc\x26")
_BAR = 100_000_000
_EVERY = 1 << 16


@dataclass
class Counted:
    """What a reader left out: values that are no finite number, and records on contigs that the genome lacks."""

    not_finite: int = 0
    elsewhere: dict[str, int] = field(default_factory=dict)


def format_of(path: Path, name: str | None = None) -> str:
    """One of FORMATS, from the first bytes of a file and its name, unless `name` says it.

    Raises ConfigError for a name that says nothing, DataError for a file that cannot be read.
    """
    if name is not None:
        if name.lower() not in FORMATS:
            raise ConfigError(f"track format {name!r} is unknown{did_you_mean(name, FORMATS)}")
        return name.lower()
    refuse_pipe(path, "a track")
    try:
        with path.open("rb") as file:
            if file.read(4) in _MAGIC:
                return "bigwig"
    except FileNotFoundError as error:
        raise DataError(f"track {path} does not exist: check the path") from error
    except OSError as error:
        raise DataError(f"track {path} cannot be read ({error.strerror}): name a file that can") from error
    lower = path.name.lower().removesuffix(".gz").removesuffix(".bgz")
    for kind, endings in _ENDINGS.items():
        if lower.endswith(endings):
            return kind
    raise ConfigError(
        f"track {path} does not say by its name what it is: call it .bw, .bedGraph, .bed or .frag (also with .gz)"
    )


def read_runs(path: Path, kind: str, contigs: Mapping[str, int], counted: Counted) -> Iterator[tuple[int, Runs]]:
    """(number of the contig in `contigs`, its runs), ascending, for a file of one of FORMATS.

    contigs: bp of each, by the genome's names; other names of the file are resolved by zoo.data.aliases.
    counted: filled with what was left out.

    Raises DataError for a file that breaks its format, GenomeMismatch where it is of another assembly.
    """
    reader = _read_bigwig if kind == "bigwig" else _read_text
    yield from reader(path, kind, contigs, counted)


class _Contigs:
    """Names of a file to numbers of the genome's contigs, -1 for those that it lacks."""

    def __init__(self, path: Path, contigs: Mapping[str, int]):
        self.path, self.contigs = path, contigs
        self.names, self.lengths = list(contigs), list(contigs.values())
        self.number: dict[str, int] = {}
        self.name_of: dict[int, str] = {}

    def __getitem__(self, name: str) -> int:
        if name not in self.number:
            own = name if name in self.contigs else find(name, self.contigs)
            number = -1 if own is None else self.names.index(own)
            if number in self.name_of:
                other = self.name_of[number]
                raise DataError(f"{self.path} calls one contig both {other!r} and {name!r}: rename one of them")
            if number >= 0:
                self.name_of[number] = name
            self.number[name] = number
        return self.number[name]

    def check(self) -> None:
        """GenomeMismatch where the file has contigs and the genome none of them."""
        if self.number and not self.name_of:
            theirs, ours = ", ".join(list(self.number)[:3]), ", ".join(self.names[:3])
            raise GenomeMismatch(
                f"{self.path} has values on {theirs} and none on the genome's contigs ({ours}): "
                "give the genome that the track was made on"
            )


def _read_bigwig(path: Path, kind: str, contigs: Mapping[str, int], counted: Counted) -> Iterator[tuple[int, Runs]]:
    need("bigWig", "pybigtools")
    import pybigtools

    known = _Contigs(path, contigs)
    try:
        track = pybigtools.open(str(path))
        lengths = track.chroms()
    except Exception as error:  # pybigtools raises its own BBIReadError, OSError and ValueError
        raise DataError(f"{path} cannot be read as bigWig ({error}): fetch or write it again") from error
    for name, length in lengths.items():
        number = known[name]
        if number >= 0 and length != known.lengths[number]:
            raise GenomeMismatch(
                f"{path} is of another assembly: its contig {name} has {length:,} bp, the genome's "
                f"{known.names[number]} has {known.lengths[number]:,}: give the genome that the track was made on"
            )
        if number < 0:
            counted.elsewhere[name] = counted.elsewhere.get(name, 0) + 1
    known.check()
    total = sum(known.lengths[n] for n in known.name_of)
    with counting(total, label=f"reading {path.name}", unit="bp", enabled=total > _BAR) as advance:
        for number in sorted(known.name_of):
            name = known.name_of[number]
            try:
                records = np.fromiter(track.records(name), np.dtype([("s", "<i8"), ("e", "<i8"), ("v", "<f8")]))
            except Exception as error:
                raise DataError(f"{path} is damaged at contig {name} ({error}): fetch it again") from error
            yield number, _valued(path, name, records["s"], records["e"], records["v"], counted)
            advance(known.lengths[number])


def _read_text(path: Path, kind: str, contigs: Mapping[str, int], counted: Counted) -> Iterator[tuple[int, Runs]]:
    known = _Contigs(path, contigs)
    columns = _text_columns(path, kind, known, counted)
    known.check()
    for number in sorted(columns):
        starts, ends, values = (np.frombuffer(c, c.typecode) if len(c) else np.empty(0) for c in columns[number])
        if kind == "bedgraph":
            order = np.argsort(starts, kind="stable")
            name = known.name_of[number]
            yield number, _valued(path, name, starts[order], ends[order], values[order], counted)
        elif kind == "fragments":
            yield number, Runs.counts(np.concatenate([starts, ends - 1]))
        else:
            yield number, Runs.coverage(starts, ends)


def _text_columns(path: Path, kind: str, known: _Contigs, counted: Counted) -> dict[int, tuple[array, array, array]]:
    """{contig: (starts, ends, values)} of all lines; values are a bedGraph's alone."""
    columns: dict[int, tuple[array, array, array]] = {}
    least = 4 if kind == "bedgraph" else 3
    size = path.stat().st_size * (4 if is_gzip(path) else 1)
    seen = 0
    with counting(size, label=f"reading {path.name}", unit="bytes", enabled=size > _BAR) as advance:
        for number, line in read_lines(path):
            seen += len(line) + 1
            if number % _EVERY == 0:
                advance(seen)
                seen = 0
            if not line.strip() or line.startswith(("#", "track", "browser")):
                continue
            cells = line.split("\t") if "\t" in line else line.split()
            if len(cells) < least:
                raise DataError(f"{path} line {number} has {len(cells)} columns, {kind} has at least {least}: mend it")
            contig = known[cells[0]]
            if contig < 0:
                counted.elsewhere[cells[0]] = counted.elsewhere.get(cells[0], 0) + 1
                continue
            start, end = _interval(path, number, cells, known, contig)
            if contig not in columns:
                columns[contig] = array("q"), array("q"), array("d")
            starts, ends, values = columns[contig]
            if kind == "bedgraph":
                values.append(_value(path, number, cells[3]))
            elif kind == "fragments" and end == start:
                raise DataError(f"{path} line {number}: a fragment of 0 bp has no cut sites: take the line out")
            starts.append(start)
            ends.append(end)
    return columns


def _interval(path: Path, number: int, cells: list[str], known: _Contigs, contig: int) -> tuple[int, int]:
    try:
        start, end = int(cells[1]), int(cells[2])
    except ValueError:
        raise DataError(
            f"{path} line {number}: {cells[1][:24]!r} and {cells[2][:24]!r} are no start and end: write whole numbers"
        ) from None
    if not 0 <= start <= end:
        raise DataError(f"{path} line {number}: start {start} must be 0 or more and not after end {end}: mend it")
    if end > known.lengths[contig]:
        raise GenomeMismatch(
            f"{path} line {number}: end {end:,} is past the end of {known.names[contig]}, which has "
            f"{known.lengths[contig]:,} bp: give the genome that the track was made on"
        )
    return start, end


def _value(path: Path, number: int, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise DataError(f"{path} line {number}: value {text[:24]!r} is no number: mend it") from None


def _valued(path: Path, name: str, starts, ends, values, counted: Counted) -> Runs:
    """Runs of values as a file has them, sorted by start; what is not finite is counted and becomes 0."""
    if len(starts) and (starts[1:] < ends[:-1]).any():
        at = int(np.flatnonzero(starts[1:] < ends[:-1])[0]) + 1
        raise DataError(
            f"{path} has two values for {name}:{starts[at]:,} (0-based): write one value a base, or name it as BED"
        )
    with np.errstate(over="ignore"):
        values = values.astype(np.float32)
    finite = np.isfinite(values)
    counted.not_finite += int((ends - starts)[~finite].sum())
    return Runs.of(starts, ends, np.where(finite, values, np.float32(0)))
