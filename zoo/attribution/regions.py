"""Attributions of regions of a genome, or of ready-made sequences: every row that goes in comes out again.

region, intervals or sequences -> Windows (what can be explained, and why the rest cannot) -> AttributedRegions

attribute("ctcf-motif-cnn", "peaks.bed", fasta="hg19.fa", output="CTCF:raw").write("contributions.bw")
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.attribution.overlaps import shared_bases
from zoo.attribution.result import Attributed
from zoo.data.genome import Genome
from zoo.data.region import format_region
from zoo.data.window_placement import place_windows, region_window
from zoo.errors import ConfigError, DataError
from zoo.hub.loader import as_model
from zoo.outputs import Output

if TYPE_CHECKING:
    from zoo.data.intervals import Intervals
    from zoo.data.sequences import Sequences
    from zoo.interfaces import Interpreter
    from zoo.model import Model

__all__ = [
    "AttributedRegions",
    "Rows",
    "Windows",
    "attribute",
    "attribute_windows",
    "interval_windows",
    "names_region",
    "one_window",
    "sequence_windows",
]

MAX_N = 0.5


@dataclass(frozen=True)
class Rows:
    """The n rows of an input.

    columns: their names.  cells: of each row, as the file has them; a malformed row may have fewer or more.
    status: (n,) ok, or why the row is not explained: malformed, contig_unknown, out_of_bounds, wrong_length,
        too_many_n, not_finite.
    """

    columns: Sequence[str]
    cells: Sequence[Sequence[Any]]
    status: np.ndarray

    def __len__(self) -> int:
        """n."""
        return len(self.status)

    def counts(self) -> str:
        """How many rows have which status, in words."""
        return ", ".join(f"{n:,} {status}" for status, n in Counter(self.status).most_common()) or "none"

    def padded(self) -> Iterator[list[Any]]:
        """The cells of each row, made as many as there are columns."""
        for cells in self.cells:
            yield [*cells[: len(self.columns)], *[None] * (len(self.columns) - len(cells))]


@dataclass(frozen=True)
class Windows:
    """What can be explained of an input.

    codes: (N, L) uint8 of the rows that are ok, in their order.
    names: (N,) of them; where the window lies, for a row without a name.
    chrom, start: (N,) where the windows begin, 0-based; None for sequences.  contigs: bp of each, in order.
    shown: the columns of a window that were asked for, 0-based half-open.
    """

    codes: np.ndarray
    names: Sequence[str]
    rows: Rows
    shown: tuple[int, int]
    chrom: Sequence[str] | None = None
    start: np.ndarray | None = None
    contigs: Mapping[str, int] = field(default_factory=dict)
    comments: Mapping[str, str] = field(default_factory=dict)

    def __len__(self) -> int:
        """N."""
        return len(self.codes)


@dataclass(frozen=True, kw_only=True)
class AttributedRegions(Attributed):
    """`Attributed` of the N rows of an input that are ok, with all n rows of it.

    rows: all rows.
    shown: the columns of a window that were asked for, 0-based half-open; a track and a picture leave out the rest,
        which was needed to fill the model's input.
    """

    rows: Rows
    shown: tuple[int, int]


def attribute(
    model: Model | str,
    regions: str | Path | tuple[str, int, int] | Intervals | None = None,
    *,
    fasta: str | Path | Sequence[str | Path] | Genome | None = None,
    sequences: str | Path | Iterable[str] | Sequences | None = None,
    interpreter: Interpreter | str | Mapping[str, Any] = "ism",
    output: str | Output | None = None,
    max_n: float = MAX_N,
    on_error: str = "raise",
    progress: bool = False,
) -> AttributedRegions:
    """Explain one output of a model at every row of `regions`, or of `sequences`.

    model: a model, or whatever `zoo.load` takes: a name, a run's folder, a source.
    regions: chr20:1,001-1,200 (1-based, both ends belong to it), (chrom, start, end) 0-based half-open, or a BED-like
        file or its Intervals.  A row of a file is explained in a window of the model's input length around its
        summit or middle; a region lies in the middle of one, and what of that lies beyond the contig reads as N.
    fasta: the genome of the regions: a FASTA file, several, or a Genome.
    sequences: in place of both, sequences as long as the model's input: a FASTA file, or letters.
    interpreter: an interpreter; its name; or name and arguments, as in a configuration.
    output: one number an example, as zoo.outputs says; it may be left out where the model has only one.
    max_n: a window with a larger part of N is not explained.
    on_error: "raise" stops at the first malformed line, "skip" marks it.
    progress: show a bar on stderr, if that is a terminal.

    Raises ConfigError and DataError for what cannot be asked or read, and DataError where no row can be explained.
    """
    model = as_model(model)
    length = model.spec.input_length
    if sequences is not None:
        if regions is not None or fasta is not None:
            raise ConfigError("sequences stand alone: leave out regions and fasta")
        windows = sequence_windows(sequences, length, max_n=max_n)
    elif regions is None or fasta is None:
        raise ConfigError("nothing to explain: give regions and their fasta, or sequences")
    else:
        genome = Genome.of(fasta)
        if isinstance(regions, tuple) or names_region(regions):
            windows = one_window(regions, genome, length, max_n=max_n)
        else:
            windows = interval_windows(regions, genome, length, max_n=max_n, on_error=on_error)
    found = attribute_windows(model, windows, interpreter=interpreter, output=output, progress=progress)
    if not len(found):
        raise DataError(f"no row could be explained: {found.rows.counts()}")
    return found


def attribute_windows(
    model: Model,
    windows: Windows,
    *,
    interpreter: Interpreter | str | Mapping[str, Any] = "ism",
    output: str | Output | None = None,
    progress: bool = False,
) -> AttributedRegions:
    """Explain `windows`; a row whose numbers are not finite becomes not_finite.

    Where no row is left, so is no sequence: N is 0, and kind is "" if nothing was run.
    """
    from zoo.attribution.attribute import attribute_codes, build_interpreter
    from zoo.prediction.predict import origin

    selected = Output.one(output, model.spec)
    built = build_interpreter(interpreter)
    if not len(windows):
        return _nothing(windows, selected, built[1], {**origin(model, selected), **windows.comments})
    found = attribute_codes(
        model,
        windows.codes,
        interpreter=interpreter,
        output=selected,
        names=windows.names,
        progress=progress,
        chrom=windows.chrom,
        start=windows.start,
        contigs=windows.contigs,
        comments=windows.comments,
    )
    status = windows.rows.status.copy()
    finite = _finite(found)
    if not finite.all():
        status[np.flatnonzero(status == "ok")[~finite]] = "not_finite"
        found = _select(found, finite)
    comments = dict(found.comments)
    if found.chrom is not None:
        comments["overlap"] = f"{_shared(found, *windows.shown):,} bases lie in several windows; bigWig has their mean"
    given = {f.name: getattr(found, f.name) for f in fields(found)} | {"comments": comments}
    return AttributedRegions(**given, rows=replace(windows.rows, status=status), shown=windows.shown)


def names_region(text: str | Path) -> bool:
    """Whether a text is a region, chr20:1,001-1,200, and no file."""
    return ":" in str(text) and not Path(text).is_file()


def one_window(region: str | tuple[str, int, int], genome: Genome, length: int, *, max_n: float = MAX_N) -> Windows:
    """A region in the middle of a window; errors as of zoo.data.window_placement.region_window."""
    window = region_window(region, genome, length)
    start, end = window.start + window.first, window.start + window.last
    rows = Rows(["chrom", "start", "end"], [[window.chrom, start, end]], np.array(["ok"], object))
    placed = {
        "names": [format_region(window.chrom, start, end)],
        "chrom": [window.chrom],
        "start": np.array([window.start], np.int64),
    }
    shown = window.first, window.last
    return _enough_known(window.codes[None], placed, rows, max_n, shown, dict(genome.contigs), window.comments)


def interval_windows(
    intervals: str | Path | Intervals, genome: Genome, length: int, *, max_n: float = MAX_N, on_error: str = "raise"
) -> Windows:
    """A window around the summit, or the middle, of each interval.  on_error: as of read_intervals."""
    from zoo.data.intervals import Intervals, read_intervals

    if not isinstance(intervals, Intervals):
        if not Path(intervals).exists():
            raise DataError(f"{str(intervals)!r} is neither a file of intervals nor a region, as in chr20:1,001-1,200")
        intervals = read_intervals(intervals, on_error=on_error)
    found = place_windows(intervals, genome, length)
    ok = np.flatnonzero(found.status == "ok")
    contigs = list(genome.contigs)
    chrom, start = [contigs[i] for i in found.contig[ok]], found.start[ok]
    given = zip(intervals.name[ok], chrom, start.tolist(), strict=True)
    names = [str(name) if name != "." else format_region(c, s, s + length) for name, c, s in given]
    placed = {"names": names, "chrom": chrom, "start": start}
    comments = {
        "genome": genome.name or "",
        "aliases": ", ".join(f"{given} is {own}" for given, own in genome.aliases.items()) or "none",
        "window": f"{length} bp around the summit, or the middle where the file has none",
        **{f"note_{i}": note for i, note in enumerate(intervals.notes, 1)},
    }
    rows = Rows(intervals.columns, intervals.raw, found.status)
    codes = genome.windows(found.contig[ok], found.start[ok], length)
    return _enough_known(codes, placed, rows, max_n, (0, length), dict(genome.contigs), comments)


def sequence_windows(
    sequences: str | Path | Iterable[str] | Sequences, length: int, *, max_n: float = MAX_N
) -> Windows:
    """Ready-made sequences, which must be of `length` bp: a FASTA file, letters, or as they were read."""
    from zoo.data.sequences import Sequences, read_sequences

    if isinstance(sequences, str | Path):
        sequences = read_sequences(sequences)
    elif not isinstance(sequences, Sequences):
        sequences = Sequences.from_letters(sequences)
    sizes = sequences.lengths
    status = np.where(sizes == length, "ok", "wrong_length").astype(object)
    ok = np.flatnonzero(status == "ok")
    cells = [[header, int(size)] for header, size in zip(sequences.headers, sizes, strict=True)]
    rows = Rows(["name", "length"], cells, status)
    codes = sequences.batch(ok) if len(ok) else np.zeros((0, length), np.uint8)
    placed = {"names": [sequences.headers[i] for i in ok]}
    return _enough_known(codes, placed, rows, max_n, (0, length), {}, {"window": f"sequences of {length} bp"})


def _enough_known(codes, placed, rows: Rows, max_n: float, shown, contigs, comments) -> Windows:
    """Windows without those that are too much N."""
    known = (codes == 4).mean(axis=1) <= max_n
    if not known.all():
        status, keep = rows.status.copy(), np.flatnonzero(known)
        status[np.flatnonzero(status == "ok")[~known]] = "too_many_n"
        rows, codes = replace(rows, status=status), codes[keep]
        placed = {k: v[keep] if isinstance(v, np.ndarray) else [v[i] for i in keep] for k, v in placed.items()}
    return Windows(codes, rows=rows, shown=shown, contigs=contigs, comments=comments, **placed)


def _finite(found: Attributed) -> np.ndarray:
    """(N,) bool."""
    finite = np.isfinite(found.predictions)
    finite &= np.array([np.isfinite(values).all() for values in found.values], bool)
    return finite if found.delta is None else finite & np.isfinite(found.delta)


def _select(found: Attributed, keep: np.ndarray) -> Attributed:
    """The sequences of a boolean mask."""
    arrays = {k: getattr(found, k) for k in ("codes", "values", "predictions", "delta", "start")}
    lists = {k: getattr(found, k) for k in ("names", "chrom")}
    return replace(
        found,
        **{k: None if v is None else v[keep] for k, v in arrays.items()},
        **{k: None if v is None else [x for x, kept in zip(v, keep, strict=True) if kept] for k, v in lists.items()},
    )


def _shared(found: Attributed, first: int, last: int) -> int:
    contig = np.unique(np.array(found.chrom, str), return_inverse=True)[1]
    return shared_bases(contig, found.start + first, last - first)


def _nothing(windows: Windows, output: Output, interpreter: dict[str, Any], comments: dict[str, str]):
    length = windows.codes.shape[1]
    return AttributedRegions(
        windows.codes,
        np.zeros((0, 4, length), np.float32),
        "",
        np.zeros(0, np.float32),
        output.names[0],
        interpreter,
        [],
        chrom=windows.chrom,
        start=windows.start,
        contigs=windows.contigs,
        comments=comments,
        rows=windows.rows,
        shown=windows.shown,
    )
