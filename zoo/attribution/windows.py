"""The windows in which rows are explained, and a status for each row that has none.

region      -> one_window            one window, with the region in its middle
intervals   -> interval_windows      a window around each summit or middle
sequences   -> sequence_windows      the sequences that are as long as the model's input
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from zoo.attribution.result import InputRows
from zoo.data.region import format_region
from zoo.data.window_placement import place_windows, region_window
from zoo.errors import DataError
from zoo.files.pipes import is_pipe

if TYPE_CHECKING:
    from zoo.data.genome import Genome
    from zoo.data.intervals import Intervals
    from zoo.data.sequences import Sequences
    from zoo.prediction.further_inputs import FurtherInputs, Inputs

MAX_N = 0.5


@dataclass(frozen=True)
class Windows:
    """What can be explained of an input.

    codes: (N, L) uint8 of the rows that are ok, in their order.
    names: (N,) of them; where the window lies, for a row without a name.
    rows: all rows of the input.
    chrom, start: (N,) where the windows begin, 0-based; None for sequences.  contigs: bp of each, in order.
    shown: the columns of a window that were asked for, 0-based half-open.
    """

    codes: np.ndarray
    names: Sequence[str]
    rows: InputRows
    shown: tuple[int, int]
    chrom: Sequence[str] | None = None
    start: np.ndarray | None = None
    contigs: Mapping[str, int] = field(default_factory=dict)
    comments: Mapping[str, str] = field(default_factory=dict)

    def __len__(self) -> int:
        """N."""
        return len(self.codes)

    def inputs(self, further: FurtherInputs | None) -> Inputs:
        """What a model reads beside the N sequences."""
        if further is None:
            return {}
        if self.chrom is None or self.start is None:
            return further.sequences(len(self))
        return further.windows(np.array(self.chrom), self.start)


def names_region(text: str | Path) -> bool:
    """Whether a text is a region, chr20:1,001-1,200, and no file."""
    return ":" in str(text) and not Path(text).is_file()


def one_window(region: str | tuple[str, int, int], genome: Genome, length: int, *, max_n: float = MAX_N) -> Windows:
    """A region in the middle of a window; errors as of zoo.data.window_placement.region_window."""
    window = region_window(region, genome, length)
    start, end = window.start + window.first, window.start + window.last
    rows = InputRows(["chrom", "start", "end"], [[window.chrom, start, end]], np.array(["ok"], object))
    placed = {
        "names": [format_region(window.chrom, start, end)],
        "chrom": [window.chrom],
        "start": np.array([window.start], np.int64),
    }
    shown = window.first, window.last
    return _enough_known(window.codes[None], placed, rows, max_n, shown, dict(genome.contigs), window.comments)


def interval_windows(
    intervals: str | Path | Intervals, genome: Genome, length: int, *, max_n: float = MAX_N, on_error: str = "skip"
) -> Windows:
    """A window around the summit, or the middle, of each interval.  on_error: as of read_intervals."""
    from zoo.data.intervals import Intervals, read_intervals

    if not isinstance(intervals, Intervals):
        if not (is_pipe(intervals) or Path(intervals).exists()):
            raise DataError(f"{str(intervals)!r} is neither a file of intervals nor a region, as in chr20:1,001-1,200")
        intervals = read_intervals(intervals, on_error=on_error)
    placement = place_windows(intervals, genome, length)
    ok = np.flatnonzero(placement.status == "ok")
    contigs = list(genome.contigs)
    chrom, start = [contigs[i] for i in placement.contig[ok]], placement.start[ok]
    places = zip(intervals.name[ok], chrom, start.tolist(), strict=True)
    names = [str(name) if name != "." else format_region(c, s, s + length) for name, c, s in places]
    placed = {"names": names, "chrom": chrom, "start": start}
    comments = {
        "genome": genome.name or "",
        "aliases": ", ".join(f"{alias} is {name}" for alias, name in genome.aliases.items()) or "none",
        "window": f"{length} bp around the summit, or the middle where the file has none",
        **{f"note_{i}": note for i, note in enumerate(intervals.notes, 1)},
    }
    rows = InputRows(intervals.columns, intervals.raw, placement.status)
    codes = genome.windows(placement.contig[ok], start, length)
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
    rows = InputRows(["name", "length"], cells, status)
    codes = sequences.batch(ok) if len(ok) else np.zeros((0, length), np.uint8)
    placed = {"names": [sequences.headers[i] for i in ok]}
    return _enough_known(codes, placed, rows, max_n, (0, length), {}, {"window": f"sequences of {length} bp"})


def _enough_known(codes, placed, rows: InputRows, max_n: float, shown, contigs, comments) -> Windows:
    """Windows without those that are too much N."""
    known = (codes == 4).mean(axis=1) <= max_n
    if not known.all():
        status, keep = rows.status.copy(), np.flatnonzero(known)
        status[np.flatnonzero(status == "ok")[~known]] = "too_many_n"
        rows, codes = replace(rows, status=status), codes[keep]
        placed = {k: v[keep] if isinstance(v, np.ndarray) else [v[i] for i in keep] for k, v in placed.items()}
    return Windows(codes, rows=rows, shown=shown, contigs=contigs, comments=comments, **placed)
