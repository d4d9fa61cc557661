"""`predict_region`: log(O/E) of a region of any size, from windows of a model's length.

        region   |--------------|                one window around it, or
        windows  |------|  |------|              several that overlap: each pair of bins is their mean, weighted by
                    |------|                     how far it lies from the window's ends

Bins are those of the whole contig, [i * bin_size, (i + 1) * bin_size), as in a .cool file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from zoo.data.genome import Genome
from zoo.data.region import format_region, parse_region
from zoo.errors import ConfigError, GenomeMismatch
from zoo_hic.predictor import MOSTLY_N, Predictor
from zoo_hic.windows import average_windows, window_starts

MOST_BINS = 6_000
"""Most bins of a region: 144 MB a channel."""


@dataclass(frozen=True)
class PredictedRegion:
    """A square of a contig's map.

    contig: the genome's name.  contig_size: bp.  first: its first bin.  bin_size: bp.
    squares: {channel: (T, T) float32}, natural log(O/E), symmetric, NaN where unknown.
    notes: for the user.
    """

    contig: str
    contig_size: int
    first: int
    bin_size: int
    squares: Mapping[str, np.ndarray]
    notes: tuple[str, ...] = ()

    @property
    def bins(self) -> int:
        """T."""
        return len(next(iter(self.squares.values())))

    @property
    def start(self) -> int:
        """First bp, 0-based."""
        return self.first * self.bin_size

    @property
    def end(self) -> int:
        """One past the last bp; within the contig."""
        return min((self.first + self.bins) * self.bin_size, self.contig_size)

    @property
    def region(self) -> str:
        """As chr:start-end."""
        return format_region(self.contig, self.start, self.end)


def predict_region(
    predictor: Predictor, genome: Genome, contig: str, start: int, end: int, *, progress: bool = False
) -> PredictedRegion:
    """The map of all bins that overlap [start, end) of a contig, by name or alias.

    A region of at most a window's length is in the middle of one window, which is moved inwards where it would leave
    the contig; a longer one is covered by windows a quarter of their length apart, and pairs further apart than three
    quarters of a window are NaN, since not all of them are in one window.

    Raises ConfigError for a region of more than 6,000 bins, GenomeMismatch for one that is not on the contig.
    """
    contig, size = _within(genome, contig, start, end)
    width, window = predictor.bin_size, predictor.bins
    first, last = start // width, -(-end // width)
    total = -(-size // width)
    if last - first > MOST_BINS:
        raise ConfigError(
            f"region {format_region(contig, start, end)} has {last - first:,} bins of {width:,} bp, at most "
            f"{MOST_BINS:,}: split it into parts"
        )
    notes = list(predictor.notes)
    hang = predictor.overhang
    single = last - first <= window and not hang
    step = max(1, window // 4)
    if single:
        starts = [place_window(first, last, window, total)]
    else:
        before, after = hang * (first == 0), hang * (last == total)
        starts = window_starts(first - before, last + after, window, step)
    if single and starts[0] != (first + last - window) // 2:
        notes.append(_note_shift(contig, starts[0], window, width, size))
    codes = np.stack([genome.fetch(contig, s * width, (s + window) * width) for s in starts])
    notes += _count_gaps(codes, starts, first, last, width, size)
    maps = predictor.maps(codes, progress=progress)
    if single:
        here = slice(first - starts[0], last - starts[0])
        mean = maps[0][:, here, here]
    else:
        mean = average_windows(maps, [s - first for s in starts], last - first, step)
        note = f"{len(starts)} windows are averaged"
        if last - first > window:
            note += f"; pairs more than {(window - step) * width:,} bp apart are unknown"
        notes.append(note)
    if predictor.near or predictor.far is not None:
        far = "" if predictor.far is None else f" or more than {predictor.far * width:,} bp"
        notes.append(f"pairs less than {predictor.near * width:,} bp{far} apart were not in training: unknown")
    squares = {name: np.ascontiguousarray(square) for name, square in zip(predictor.channels, mean, strict=True)}
    return PredictedRegion(contig, size, first, width, squares, tuple(notes))


def parse_locus(text: str, genome: Genome) -> tuple[str, int, int]:
    """(contig, start, end), 0-based half-open, of `chr4:1,000,001-2,000,000` (from 1, both ends in it) or a contig.

    Raises ConfigError for a text that is neither, GenomeMismatch for one that is not on the genome.
    """
    if text in genome.contigs or ":" not in text:
        contig = genome.resolve(text)
        return contig, 0, genome.contigs[contig]
    contig, start, end = parse_region(text)
    return _within(genome, contig, start, end)[0], start, end


def place_window(first: int, last: int, window: int, bins: int) -> int:
    """First bin of a window of `window` bins around bins [first, last), moved inwards on a contig of `bins`.

    On a contig that is shorter than a window it is 0, and the rest of the window lies beyond the end.

    >>> place_window(10, 20, 16, 100), place_window(0, 4, 16, 100), place_window(98, 100, 16, 100)
    (7, 0, 84)
    """
    return min(max((first + last - window) // 2, 0), max(bins - window, 0))


def _within(genome: Genome, contig: str, start: int, end: int) -> tuple[str, int]:
    contig = genome.resolve(contig)
    size = genome.contigs[contig]
    if not 0 <= start < end:
        raise ConfigError(f"region ({contig!r}, {start}, {end}) must hold a base: use 0 <= start < end")
    if end > size:
        raise GenomeMismatch(
            f"region {format_region(contig, start, end)} leaves contig {contig!r} of genome {genome.name!r}, which "
            f"ends at {size:,}: end it there, or check the assembly"
        )
    return contig, size


def _note_shift(contig: str, start: int, window: int, width: int, size: int) -> str:
    if window * width > size:
        return (
            f"contig {contig} has {size:,} bp, the model reads {window * width:,}: "
            f"{window * width - size:,} bp beyond its end read as N"
        )
    end = min((start + window) * width, size)
    return f"the window is moved inwards, to {format_region(contig, start * width, end)}, so as not to leave the contig"


def _count_gaps(codes: np.ndarray, starts: list[int], first: int, last: int, width: int, size: int) -> list[str]:
    """A note on the bins of the region that are mostly N."""
    gone = set()
    for window, start in zip(codes, starts, strict=True):
        share = (window.reshape(-1, width) > 3).mean(1)
        gone |= {start + int(i) for i in np.flatnonzero(share > MOSTLY_N)}
    n = sum(first <= i < last for i in gone)
    return [f"{n:,} of {last - first:,} bins are more than half N: unknown"] if n else []
