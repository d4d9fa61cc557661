"""The effect of edits on a predicted map: a difference map and its scores.

    reference ──> log(O/E) R ──┐
                               ├── E[match(i), match(j)] - R[i, j] ──> scores
    edited    ──> log(O/E) E ──┘

Pairs of the same sequence are compared, wherever they lie after the edits (`edits.match_edited_bins`).  Both maps are
relative to the expected contacts at their own distance: that a deletion brings two loci nearer is no change by itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from zoo.data.genome import Genome
from zoo.data.region import format_region
from zoo.errors import ConfigError
from zoo_hic.effects.edits import WindowEdit, edit_window, match_edited_bins, measure_shift
from zoo_hic.predictor import Predictor
from zoo_hic.region_prediction import place_window

AROUND = 10
"""Bins on each side of an edit whose contacts with each other are its insulation."""

GAPS = 0.1
"""A window with a larger share of N is worth a note."""


@dataclass(frozen=True)
class Disruption:
    """Scores of one difference map, over known pairs i <= j.

    rms: root of the mean squared difference.
    squared: sum of squared differences, the SCD of Akita's scripts (Fudenberg et al. 2020,
        doi:10.1038/s41592-020-0958-x); it grows with the number of pairs, and so only compares maps of one shape.
    pairs: how many.
    insulation: mean difference over pairs that span all edits, with a bin of the 10 left of them and one of the 10
        right of them; above 0 where the edited sequence insulates less.
    largest: the difference of the pair that changes most; first, second: the bins of it.
    """

    rms: float
    squared: float
    pairs: int
    insulation: float
    largest: float
    first: int
    second: int


@dataclass(frozen=True)
class MapChange:
    """A window before and after its edits; maps are {channel: (T, T) float32}.

    contig, contig_size, start, bin_size: of the window, in bp; of the reference's bins.
    reference: before.  edited: after, by the edited window's own bins.
    moved: after, each pair at the reference's bins.  difference: moved - reference, NaN where one is not known.
    match: (T,) the edited bin of each bin of the reference, -1 where there is none.
    shift: bp between the borders of bins that are compared, at most (`edits.measure_shift`).
    scores: {channel: Disruption}.  draws: sequences whose maps were averaged.  notes: for the user.
    """

    contig: str
    contig_size: int
    start: int
    bin_size: int
    edits: tuple[WindowEdit, ...]
    reference: Mapping[str, np.ndarray]
    edited: Mapping[str, np.ndarray]
    moved: Mapping[str, np.ndarray]
    difference: Mapping[str, np.ndarray]
    match: np.ndarray
    shift: int
    scores: Mapping[str, Disruption]
    draws: int = 1
    notes: tuple[str, ...] = ()

    @property
    def region(self) -> str:
        """The window, as chr:start-end."""
        return format_region(
            self.contig, self.start, min(self.start + len(self.match) * self.bin_size, self.contig_size)
        )

    def place(self, score: Disruption) -> str:
        """Where the pair that changes most is: two bins."""
        at = [self.start + k * self.bin_size for k in (score.first, score.second)]
        return " ".join(format_region(self.contig, a, a + self.bin_size) for a in at) if score.pairs else "NA"


def predict_effect(
    predictor: Predictor,
    genome: Genome,
    edits: Sequence[WindowEdit],
    *,
    region: tuple[int, int] | None = None,
    draws: int = 8,
    seed: int = 0,
    progress: bool = False,
) -> MapChange:
    """Predict a window with and without all the edits.

    region: [start, end) in the edits' contig that has to be in the middle of the window; the edits themselves where it
        is not given.
    draws: sequences for what is shuffled, whose maps are averaged.  seed: of the shuffles.

    Where an edit changes the length, the edited window's right end holds sequence that the reference's window lacks;
    a network that reads all of its window responds to that too.  A network whose mean log(O/E) is not 0 at each
    distance gives a difference for pairs that come nearer.  The null of `score_null` includes both effects.

    Raises ConfigError where region or edits do not fit into a window, DataError as `edit_window` does.
    """
    contig = genome.resolve(edits[0].contig)
    low, high = region or (min(e.start for e in edits), max(e.end for e in edits))
    width, window, size = predictor.bin_size, predictor.bins, genome.contigs[contig]
    first, last = low // width, max(-(-high // width), low // width + 1)
    if last - first > window:
        raise ConfigError(
            f"region {format_region(contig, low, high)} has {last - first:,} bins, a window {window:,} "
            f"({predictor.length:,} bp): an edit needs a region of at most that"
        )
    start = place_window(first, last, window, -(-size // width)) * width
    reference = genome.fetch(contig, start, start + predictor.length)
    changed = edit_window(genome, start, predictor.length, edits, draws=draws, seed=seed)
    maps = predictor.maps(np.concatenate([reference[None], changed.codes]), progress=progress)
    before, after = maps[0], maps[1:].mean(0)
    # The reverse complement of a palindrome is itself.
    same = bool((changed.codes == reference).all())
    match = np.arange(window) if same else match_edited_bins(changed.origin, start, width)
    moved = after[:, match][:, :, match]
    moved[:, match < 0] = np.nan
    moved[:, :, match < 0] = np.nan
    difference = moved - before
    shift = 0 if same else measure_shift(edits, start, width)
    span = (min(e.start for e in edits) - start, max(e.end for e in edits) - start)
    bins = span[0] // width, max(-(-span[1] // width), span[0] // width + 1)
    named = [dict(zip(predictor.channels, squares, strict=True)) for squares in (before, after, moved, difference)]
    return MapChange(
        contig,
        size,
        start,
        width,
        tuple(edits),
        *named,
        match,
        shift,
        {name: disruption(square, bins) for name, square in named[3].items()},
        len(changed.codes),
        _notes(predictor, reference, same, shift, start, size),
    )


def disruption(difference: np.ndarray, edited: tuple[int, int]) -> Disruption:
    """Scores of a difference map (T, T), NaN where unknown; edited: the bins [first, last) that the edits touch."""
    row, column = np.triu_indices(len(difference))
    value = difference[row, column].astype(np.float64)
    known = np.isfinite(value)
    if not known.any():
        return Disruption(np.nan, np.nan, 0, np.nan, np.nan, -1, -1)
    row, column, value = row[known], column[known], value[known]
    spanning = (row >= edited[0] - AROUND) & (row < edited[0]) & (column >= edited[1]) & (column < edited[1] + AROUND)
    most = int(np.abs(value).argmax())
    squared = float((value**2).sum())
    return Disruption(
        float(np.sqrt(squared / len(value))),
        squared,
        len(value),
        float(value[spanning].mean()) if spanning.any() else np.nan,
        float(value[most]),
        int(row[most]),
        int(column[most]),
    )


def _notes(predictor: Predictor, reference, same: bool, shift: int, start: int, size: int) -> tuple[str, ...]:
    notes = list(predictor.notes)
    if start + predictor.length > size:
        notes.append(f"{start + predictor.length - size:,} bp of the window lie beyond the contig and read as N")
    share = float((reference > 3).mean())
    if share > GAPS:
        notes.append(f"{share:.0%} of the window is N")
    if shift:
        notes.append(
            f"the edit moves sequence by no whole number of bins: bins that are compared are {shift:,} bp apart at "
            "most; --fill n or --fill shuffle keeps deletions in place"
        )
    if same:
        notes.append("the edits change no base")
    return tuple(notes)
