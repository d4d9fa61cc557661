"""In-silico edits of a window's sequence, and how its bins match those of the reference afterwards.

    reference   A B C D E F | G H        delete C D:   A B E F G H
    window      |-----------|                          |---------|   its left end stays; G H is genomic sequence

An edit that changes the length moves everything right of it.  Contacts of the same stretch of sequence are compared,
wherever it is: `origin` holds for every base of the edited window where it was, and `match_edited_bins` finds for each
bin of the reference the bin that now holds most of it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from zoo.data.codes import encode, reverse_complement
from zoo.data.dinucleotide_shuffle import dinucleotide_shuffle
from zoo.data.genome import Genome
from zoo.data.region import format_region
from zoo.errors import ConfigError, DataError
from zoo_hic.region_prediction import parse_locus

KINDS = ("delete", "mask", "shuffle", "invert", "duplicate", "substitute")

FILLS = ("none", "n", "shuffle")
"""What replaces a deleted interval: the sequence right of it, as many N, or its dinucleotides shuffled."""

SHORTEST_SHUFFLE = 10


@dataclass(frozen=True)
class WindowEdit:
    """One change of [start, end) of a contig, 0-based half-open.

    kind: delete (what lies right moves in), mask (N), shuffle (its dinucleotides), invert (reverse complement in
        place), duplicate (in tandem; what lies right moves out), substitute (by `letters`, of any length).
    """

    kind: str
    contig: str
    start: int
    end: int
    letters: str = ""

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ConfigError(f"edit {self.kind!r} must be one of {', '.join(KINDS)}")
        if not 0 <= self.start <= self.end or (self.start == self.end and not self.letters):
            raise ConfigError(f"edit of {self.contig} [{self.start}, {self.end}) changes nothing: give it a base")
        if self.kind == "shuffle" and self.end - self.start < SHORTEST_SHUFFLE:
            raise ConfigError(
                f"{self} has {self.end - self.start} bp, too few to shuffle: give the new letters, as in "
                f"{format_region(self.contig, self.start, self.end)}=ACGT"
            )

    def __str__(self) -> str:
        place = format_region(self.contig, self.start, max(self.end, self.start + 1))
        letters = self.letters if len(self.letters) <= 20 else f"{len(self.letters):,} bp"
        return f"{self.kind} {place}" + (f"={letters}" if self.kind == "substitute" else "")

    @property
    def length_change(self) -> int:
        """bp by which the sequence gets longer; negative for a deletion."""
        size = self.end - self.start
        return {"delete": -size, "duplicate": size, "substitute": len(self.letters) - size}.get(self.kind, 0)


def parse_edit(kind: str, text: str, genome: Genome, fill: str = "none") -> WindowEdit:
    """An edit from the command line: an interval, counted from 1, and for `mutate` perhaps its letters.

    kind: delete, invert, duplicate, or mutate: `chr4:101-104=ACGT`, or an interval whose dinucleotides are shuffled.
    fill: one of FILLS, for delete.

    Raises ConfigError for anything else, GenomeMismatch for a place that is not on the genome.

    `delete` with "n" or "shuffle" keeps all coordinates.
    """
    place, _, letters = text.partition("=")
    if letters and kind != "mutate":
        raise ConfigError(f"{text!r} gives letters to {kind}: only mutate takes them")
    if fill not in FILLS:
        raise ConfigError(f"what takes the place of a deletion, {fill!r}, must be one of {', '.join(FILLS)}")
    if ":" not in place:
        raise ConfigError(f"{kind} {place!r} gives no interval, as in chr4:1,000,001-1,002,000")
    if letters and not re.fullmatch("[ACGTNacgtn]+", letters):
        raise ConfigError(f"letters {letters[:40]!r} of {kind} must be of ACGTN")
    contig, start, end = parse_locus(place, genome)
    if kind == "mutate":
        return WindowEdit("substitute" if letters else "shuffle", contig, start, end, letters.upper())
    if kind == "delete":
        return WindowEdit({"none": "delete", "n": "mask", "shuffle": "shuffle"}[fill], contig, start, end)
    return WindowEdit(kind, contig, start, end)


@dataclass(frozen=True)
class EditedWindow:
    """codes: (S, L) uint8, one row a draw of what is shuffled.  origin: (L,) int64, where each base is in the contig;
    -1 for one that the reference does not have: an insertion, the second copy of a duplication."""

    codes: np.ndarray
    origin: np.ndarray


def edit_window(
    genome: Genome, start: int, length: int, edits: Sequence[WindowEdit], *, draws: int = 1, seed: int = 0
) -> EditedWindow:
    """The window of `length` bp from `start` on, after all edits, which lie in it and do not overlap.

    start: 0-based, in the contig of the edits.  What a deletion draws in at the right is the genome's own sequence, N
    beyond the contig.
    draws: of what is shuffled; 1 where nothing is.

    Raises DataError for edits of several contigs, ones that overlap, or one that leaves the window.
    """
    edits = sorted(edits, key=lambda e: (e.start, e.end))
    contig = _check(edits, start, length)
    draws = draws if any(e.kind == "shuffle" for e in edits) else 1
    codes: list[np.ndarray] = []
    origin: list[np.ndarray] = []
    at = start

    def add(sequence: np.ndarray, places: np.ndarray) -> None:
        codes.append(np.broadcast_to(sequence, (draws, len(places))))
        origin.append(places)

    for number, edit in enumerate(edits):
        add(genome.fetch(contig, at, edit.start), np.arange(at, edit.start))
        add(*_replacement(edit, genome.fetch(contig, edit.start, edit.end), draws, seed + number))
        at = edit.end
    missing = length - sum(map(len, origin))
    if missing > 0:
        add(genome.fetch(contig, at, at + missing), np.arange(at, at + missing))
    return EditedWindow(np.concatenate(codes, 1)[:, :length], np.concatenate(origin)[:length])


def match_edited_bins(origin: np.ndarray, start: int, bin_size: int) -> np.ndarray:
    """(T,) int64: for each bin of the reference window the bin of the edited one that holds most of it.

    origin: (L,) of `edit_window`, of a window that begins at `start`.  -1 where no bin holds half of it.
    """
    bins = len(origin) // bin_size
    was = origin - start
    here = np.flatnonzero((was >= 0) & (was < bins * bin_size))
    held = np.bincount(was[here] // bin_size * bins + here // bin_size, minlength=bins * bins).reshape(bins, bins)
    return np.where(2 * held.max(1) >= bin_size, held.argmax(1), -1)


def measure_shift(edits: Sequence[WindowEdit], start: int, bin_size: int) -> int:
    """Largest distance in bp between the borders of two bins that are compared; 0 where all borders coincide.

    Behind a deletion of 2,500 bp bins of 1,000 bp are compared with ones that begin 500 bp further on.
    """
    moved, largest = 0, 0
    for edit in sorted(edits, key=lambda e: e.start):
        if edit.kind == "invert" and edit.end - edit.start > 2 * bin_size:
            largest = max(largest, _distance_to_border(edit.start + edit.end - 2 * start + moved, bin_size))
        moved += edit.length_change
        largest = max(largest, _distance_to_border(moved, bin_size))
    return largest


def _replacement(edit: WindowEdit, old: np.ndarray, draws: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """What takes the place of `old`: codes (n,) or (draws, n), and where each base was (n,)."""
    places = np.arange(edit.start, edit.end)
    if edit.kind == "delete":
        return old[:0], places[:0]
    if edit.kind == "mask":
        return np.full(len(old), 4, np.uint8), places
    if edit.kind == "shuffle":
        return dinucleotide_shuffle(old, draws, seed), places
    if edit.kind == "invert":
        return reverse_complement(old), places[::-1]
    if edit.kind == "duplicate":
        return np.concatenate([old, old]), np.concatenate([places, np.full(len(old), -1)])
    letters = encode(edit.letters)
    kept = np.full(len(letters), -1)
    both = min(len(letters), len(places))
    kept[:both] = places[:both]
    return letters, kept


def _check(edits: Sequence[WindowEdit], start: int, length: int) -> str:
    if not edits:
        raise DataError("there is no edit: give one at least")
    if len({e.contig for e in edits}) > 1:
        raise DataError(f"edits {edits[0]} and {edits[-1]} are on two contigs: predict one after the other")
    for before, after in pairwise(edits):
        if after.start < before.end:
            raise DataError(f"{before} and {after} overlap: join them into one")
    for edit in edits:
        if edit.start < start or edit.end > start + length:
            window = format_region(edit.contig, max(start, 0), start + length)
            raise DataError(f"{edit} leaves the window {window}: choose a region around it")
    return edits[0].contig


def _distance_to_border(moved: int, bin_size: int) -> int:
    rest = moved % bin_size
    return min(rest, bin_size - rest)
