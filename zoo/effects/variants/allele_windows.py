"""Windows of reference and alternate alleles, of the model's length, and how their positions correspond.

The rule for every variant, in its normal spelling (left-aligned, trimmed):

    the first base of the spelling lies at position L // 2 of the reference window; an indel's is its anchor base
    left anchor: the left rim of the window stays; an insertion pushes bases out at the right, a deletion draws some in
    right anchor: the right rim stays, and the left flank gives way
    both: the outputs of the two are averaged (the default for insertions and deletions; for others they are the same)

What a model reads beside the sequence is that of the reference window, whatever the anchor: a track was measured on the
reference's coordinates and stays there, so that behind an insertion of n bases it is n bases off the sequence.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from zoo.data.codes import encode
from zoo.data.edits import Edits

if TYPE_CHECKING:
    from zoo.data.genome import Genome
    from zoo.variants.variants import Variants

Anchor = Literal["left", "right", "both"]
ANCHORS = ("both", "left", "right")
N = 4


Edit = tuple[int, int, str]
"""First base that is replaced, bases replaced, letters put there; positions count from the window's first base."""
Reference = tuple[int, int, str]
"""Window, position in it, letters: what a record's REF has where the genome has an ambiguity code, and the model N."""


@dataclass(frozen=True)
class AlleleWindows:
    """A variants, or sets of variants, against R reference windows.

    codes: (R, L + flank) uint8 of the reference windows, `flank` bases more at the right.
    before: (R, flank) uint8, the bases to their left.
    edits: of the A variants on those windows, of the left anchor.
    contig, start: (R,) id of the contig of each window, and its 0-based position there.
    """

    codes: np.ndarray
    before: np.ndarray
    edits: Edits
    contig: np.ndarray
    start: np.ndarray
    length: int

    @classmethod
    def of(
        cls,
        genome: Genome,
        contig: np.ndarray,
        start: np.ndarray,
        sets: Sequence[Sequence[Edit]],
        row: np.ndarray,
        length: int,
        references: Iterable[Reference] = (),
    ) -> AlleleWindows:
        """Windows (R,) of `length` bp that begin at `start`, with the edits of A variants; row: (A,) window of each.

        references: letters of the windows that are not the genome's.
        Replacements that keep the length are cut at the window's right rim; a deletion may reach over it.
        """
        edits = Edits.sets([[_within(e, length) for e in edits] for edits in sets], rows=row)
        change = np.abs(np.diff(edits.alternate_first) - edits.reference_length)
        total = np.concatenate([[0], np.cumsum(change)])
        moved = int((total[edits.first[1:]] - total[edits.first[:-1]]).max(initial=0))
        flank = max(moved, int((edits.position + edits.reference_length).max(initial=0)) - length)
        long = genome.windows(contig, start - flank, length + 2 * flank)
        for window, position, letters in references:
            own = long[window, flank + position : flank + position + len(letters)]
            own[:] = encode(letters)[: len(own)]
        return cls(long[:, flank:], long[:, :flank], edits, np.asarray(contig), start, length)

    @property
    def reference(self) -> np.ndarray:
        """(R, L) uint8."""
        return self.codes[:, : self.length]

    @property
    def moves(self) -> np.ndarray:
        """(A,) bool: variants that move a flank, or bases between two of their edits."""
        change = np.diff(self.edits.alternate_first) != self.edits.reference_length
        total = np.concatenate([[0], np.cumsum(change)])
        return total[self.edits.first[1:]] > total[self.edits.first[:-1]]

    def alternate(self, chosen: np.ndarray, anchor: Literal["left", "right"]) -> np.ndarray:
        """(len(chosen), L) uint8: the windows of these variants' alternate alleles.

        Where a deletion reaches over the right rim, the window of the right anchor ends before it.
        """
        edits = self.edits[chosen]
        if anchor == "left":
            return edits.apply(self.codes, self.length)
        whole = np.concatenate([self.before, self.reference], 1)
        flank = self.before.shape[1]
        replaced = np.minimum(edits.reference_length, self.length - edits.position)
        moved = replace(edits, position=edits.position + flank, reference_length=replaced)
        long = moved.apply(whole, whole.shape[1] + max(0, int(moved.shift.max(initial=0))))
        last = whole.shape[1] + moved.shift
        return long[np.arange(len(long))[:, None], (last - self.length)[:, None] + np.arange(self.length)]

    def alternate_positions(self, chosen: np.ndarray, anchor: Literal["left", "right"]) -> np.ndarray:
        """(len(chosen), L) int64: where each base of the alternate window stands in the reference window, -1 for none.

        A base that was put in place of another has its place; what an insertion adds beyond has none.
        """
        edits, length, flank = self.edits[chosen], self.length, self.before.shape[1]
        begin, end = (0, length + flank) if anchor == "left" else (-flank, length)
        out = np.empty((len(edits), length), np.int64)
        for m in range(len(edits)):
            at, pieces = begin, []
            for e in range(edits.first[m], edits.first[m + 1]):
                position, old = int(edits.position[e]), int(edits.reference_length[e])
                new = int(edits.alternate_first[e + 1] - edits.alternate_first[e])
                kept = min(old, new)
                pieces += [np.arange(at, position), np.arange(position, position + kept), np.full(new - kept, -1)]
                at = position + old
            whole = np.concatenate([*pieces, np.arange(at, end)])
            out[m] = whole[:length] if anchor == "left" else whole[len(whole) - length :]
        out[(out < 0) | (out >= length)] = -1
        return out


def place_windows(position: np.ndarray, length: int, step: int = 0) -> np.ndarray:
    """(A,) first bases of the windows of variants at `position`.

    step: 0 for a window in whose middle each variant lies; otherwise variants of one stretch of `step` bp share the
        window around the middle of the stretch.
    """
    middle = position if step == 0 else position // step * step + step // 2
    return middle - length // 2


def cut(
    variants: Variants, rows: np.ndarray, genome: Genome, length: int, shift: int = 0, step: int = 0
) -> AlleleWindows:
    """The windows of variants `rows` (A,), which are in their normal spelling and on known contigs.

    shift: bp by which every window is moved to the right.  step: of `place_windows`.
    """
    position = variants.norm_pos[rows]
    start = place_windows(position, length, step) + shift
    own = np.array([has_own_reference(variants, r) for r in rows], np.bool_)
    keys = variants.contig[rows], start, np.where(own, rows + 1, 0)  # whose REF is not the genome's shares no window
    windows, row = np.unique(np.stack(keys), axis=1, return_inverse=True)
    row = row.reshape(-1)
    offset = (position - start).tolist()
    alleles = zip(offset, variants.norm_ref[rows], variants.norm_alt[rows], strict=True)
    sets = [[edit_of(*allele)] for allele in alleles]
    references = [(int(row[i]), offset[i], variants.norm_ref[rows[i]]) for i in np.flatnonzero(own).tolist()]
    return AlleleWindows.of(genome, windows[0], windows[1], sets, row, length, references)


def has_own_reference(variants: Variants, row: int) -> bool:
    """Whether REF has letters where the genome has ambiguity codes, which a model reads as N."""
    return "ref_ambiguous" in variants.notes[row]


def edit_of(position: int, reference: str, alternate: str) -> Edit:
    """What alleles whose first base is at `position` change, without the bases that they share at the left."""
    shared, replaced, letters = split_alleles(reference, alternate)
    return position + shared, replaced, letters


def _within(edit: Edit, length: int) -> Edit:
    position, replaced, letters = edit
    if replaced == len(letters) and position + replaced > length:
        return position, length - position, letters[: length - position]
    return edit


def split_alleles(reference: str, alternate: str) -> tuple[int, int, str]:
    """Bases that the alleles share at the left, bases replaced, letters put there."""
    shared = 0
    while shared < min(len(reference), len(alternate)) and reference[shared] == alternate[shared]:
        shared += 1
    return shared, len(reference) - shared, alternate[shared:]
