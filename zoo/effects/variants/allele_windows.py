"""Windows of reference and alternate alleles, of the model's length, and how their positions correspond.

The rule for every variant, in its normal spelling (left-aligned, trimmed):

    the first base of the spelling lies at position L // 2 of the reference window; an indel's is its anchor base
    left anchor: the left rim of the window stays; an insertion pushes bases out at the right, a deletion draws some in
    right anchor: the right rim stays, and the left flank gives way
    both: the outputs of the two are averaged (the default for insertions and deletions; for others they are the same)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from zoo.data.edits import Edits

if TYPE_CHECKING:
    from zoo.data.genome import Genome
    from zoo.variants.variants import Variants

__all__ = ["ANCHORS", "AlleleWindows", "Anchor", "cut", "split_alleles"]

Anchor = Literal["left", "right", "both"]
ANCHORS = ("both", "left", "right")
N = 4


@dataclass(frozen=True)
class AlleleWindows:
    """A variants against R reference windows.

    codes: (R, L + flank) uint8 of the reference windows, `flank` bases more at the right.
    before: (R, flank) uint8, the bases to their left.
    edits: of the A variants on those windows, of the left anchor.
    start: (R,) 0-based position of each window in its contig.
    """

    codes: np.ndarray
    before: np.ndarray
    edits: Edits
    start: np.ndarray
    length: int

    @property
    def reference(self) -> np.ndarray:
        """(R, L) uint8."""
        return self.codes[:, : self.length]

    def alternate(self, chosen: np.ndarray, anchor: Literal["left", "right"]) -> np.ndarray:
        """(len(chosen), L) uint8: the windows of these variants' alternate alleles."""
        edits = self.edits[chosen]
        if anchor == "left":
            return edits.apply(self.codes, self.length)
        whole = np.concatenate([self.before, self.reference], 1)
        flank, shift = self.before.shape[1], edits.shift
        moved = Edits(
            edits.row,
            edits.first,
            edits.position + flank,
            edits.reference_length,
            edits.alternate,
            edits.alternate_first,
        )
        longest = whole.shape[1] + max(0, int(shift.max(initial=0)))
        long = moved.apply(whole, longest)
        last = whole.shape[1] + shift
        return long[np.arange(len(long))[:, None], (last - self.length)[:, None] + np.arange(self.length)]

    def alternate_positions(self, chosen: np.ndarray, anchor: Literal["left", "right"]) -> np.ndarray:
        """(len(chosen), L) int64: where each base of the alternate window stands in the reference window, -1 for none.

        A base that was put in place of another has its place; what an insertion adds beyond has none.
        """
        edits, length = self.edits[chosen], self.length
        place = np.arange(length)
        out = np.empty((len(edits), length), np.int64)
        for m in range(len(edits)):
            e = edits.first[m]
            at, old = int(edits.position[e]), int(edits.reference_length[e])
            new = int(edits.alternate_first[e + 1] - edits.alternate_first[e])
            i = place + (new - old if anchor == "right" else 0)
            out[m] = np.where(i < at + min(old, new), i, np.where(i < at + new, -1, i - new + old))
        out[(out < 0) | (out >= length)] = -1
        return out


def cut(
    variants: Variants, rows: np.ndarray, genome: Genome, length: int, shift: int = 0, step: int = 0
) -> AlleleWindows:
    """The windows of variants `rows` (A,), which are in their normal spelling and on known contigs.

    shift: bp by which every window is moved to the right.
    step: 0 for a window in whose middle each variant lies; otherwise variants of one stretch of `step` bp share the
        window around the middle of the stretch.
    """
    position = variants.norm_pos[rows]
    middle = position if step == 0 else position // step * step + step // 2
    start = middle - length // 2 + shift
    windows, row = np.unique(np.stack([variants.contig[rows], start]), axis=1, return_inverse=True)
    row = row.reshape(-1)
    pieces = [split_alleles(r, a) for r, a in zip(variants.norm_ref[rows], variants.norm_alt[rows], strict=True)]
    offset = position - windows[1][row]
    edits = Edits.sets(
        [[(int(o) + skip, old, new)] for o, (skip, old, new) in zip(offset, pieces, strict=True)], rows=row
    )
    flank = int(np.abs(edits.shift).max(initial=0))
    long = genome.windows(windows[0], windows[1] - flank, length + 2 * flank)
    return AlleleWindows(long[:, flank:], long[:, :flank], edits, windows[1], length)


def split_alleles(reference: str, alternate: str) -> tuple[int, int, str]:
    """Bases that the alleles share at the left, bases replaced, letters put there."""
    shared = 0
    while shared < min(len(reference), len(alternate)) and reference[shared] == alternate[shared]:
        shared += 1
    return shared, len(reference) - shared, alternate[shared:]
