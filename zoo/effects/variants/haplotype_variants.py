"""Which of a haplotype's variants are applied in a window, by phase and by overlap, and as which edits.

CarriedAlleles -> window -> phase set -> overlap (rules of zoo.variants.haplotypes) -> edits, of the window
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from zoo.effects.variants.allele_windows import Edit, edit_of
from zoo.variants.carried_alleles import MISSING, CarriedAlleles
from zoo.variants.genotype_text import HAPLOID, HOMOZYGOUS, NO_SET

NOT_APPLIED = ("symbolic", "no_alt", "malformed", MISSING)
"""Statuses of neighbours about which the notes say nothing."""


@dataclass(frozen=True)
class InWindow:
    """What a window holds of the haplotype of one allele.

    status: ok, or why the allele is not applied: unphased, phase_set (phased, but not with the rest of the window),
    overlap.
    rows: of the variants applied.  edits: theirs, in the coordinates of the contig.  own: the allele's place in both.
    notes: what a user should know.
    """

    status: str
    rows: list[int]
    edits: list[Edit]
    own: int
    notes: str


class HaplotypeVariants:
    """The rows of `CarriedAlleles` as what a window of any of them holds."""

    def __init__(self, alleles: CarriedAlleles):
        self.alleles = alleles
        self.position, self.end = alleles.place.tolist(), alleles.end.tolist()
        self.furthest = np.maximum.accumulate(alleles.end)
        self.nearest = alleles.nearest
        self.phase, self.haplotype = alleles.phase.tolist(), alleles.haplotype.tolist()
        self.ok = alleles.ok.tolist()
        self._written: dict[int, Edit] = {}

    def normal(self, row: int) -> Edit:
        """The edit of a variant's normal spelling; positions of the contig."""
        a = self.alleles
        return edit_of(int(a.norm_pos[row]), a.norm_ref[row], a.norm_alt[row])

    def written(self, row: int) -> Edit:
        """The edit of a variant where the file has it: without shared bases at the right, then at the left."""
        if row not in self._written:
            ref, alt = self.alleles.ref[row].upper(), self.alleles.alt[row].upper()
            keep = 1 if ref[0] == alt[0] else 0
            while min(len(ref), len(alt)) > keep and ref[-1] == alt[-1]:
                ref, alt = ref[:-1], alt[:-1]
            self._written[row] = edit_of(self.position[row], ref, alt)
        return self._written[row]

    def window(self, row: int, start: int, end: int) -> InWindow:
        """What the window [start, end) holds beside the allele `row`, which lies in it."""
        near = self._near(start, end)
        alone = self.alleles.haploid_from[row] <= start and end <= self.alleles.haploid_to[row]
        chosen = self._phase_set(near, start, end)

        def known(r: int) -> bool:
            return self.phase[r] in (HOMOZYGOUS, chosen) or bool(self.phase[r] == HAPLOID and alone)

        if not known(row):
            return InWindow("phase_set" if self.phase[row] >= NO_SET else "unphased", [], [], 0, "")
        own = [r for r in near if self.haplotype[r] == self.haplotype[row] and self.ok[r] and known(r)]
        applied = self._without_overlap(own)
        if row not in applied:
            return InWindow("overlap", [], [], 0, "")
        edits = self._edits(applied)
        inside = [i for i, e in enumerate(edits) if start <= e[0] < end or applied[i] == row]
        rows = [applied[i] for i in inside]
        within = [r for r in near if start <= self.position[r] < end]
        notes = self._notes([r for r in within if self.ok[r] and not known(r)], within, self.haplotype[row])
        return InWindow("ok", rows, [edits[i] for i in inside], rows.index(row), notes)

    def _near(self, start: int, end: int) -> range:
        """Rows that bear on a window, from where a run of overlapping records begins."""
        low = int(np.searchsorted(self.furthest, start, "right"))
        while 0 < low < len(self.position) and self.furthest[low - 1] > self.position[low]:
            low -= 1
        near = np.flatnonzero(self.nearest[low:] < end)
        return range(low, low + int(near[-1]) + 1 if len(near) else low)

    def _phase_set(self, near: range, start: int, end: int) -> int | None:
        """The phase set with most alleles in the window, of equals the one that begins first."""
        sets = [r for r in near if self.phase[r] >= NO_SET and self.ok[r] and start < self.end[r]]
        sets = [self.phase[r] for r in sets if self.nearest[r] < end]
        return Counter(sets).most_common(1)[0][0] if sets else None

    def _without_overlap(self, rows: list[int]) -> list[int]:
        applied, frozen, grew = [], -1, False
        for r in rows:
            position = self.position[r]
            if position <= frozen and (position < frozen or grew or not self._is_anchored(r)):
                continue
            applied.append(r)
            frozen, grew = self.end[r] - 1, len(self.alleles.alt[r]) > len(self.alleles.ref[r])
        return applied

    def _is_anchored(self, row: int) -> bool:
        """Whether it is a pure insertion or deletion that keeps its first base."""
        _, replaced, letters = self.written(row)
        alike = self.alleles.ref[row][0].upper() == self.alleles.alt[row][0].upper()
        return alike and (replaced == 0) != (len(letters) == 0)

    def _edits(self, rows: list[int]) -> list[Edit]:
        """The normal spelling of each, or where it was written if others of the rows lie between the two."""
        written = [self.written(r) for r in rows]
        edits = []
        for i, r in enumerate(rows):
            normal, own = self.normal(r), written[i]
            low, high = min(normal[0], own[0]), max(own[0] + own[1], normal[0] + normal[1])
            near = [*written[max(0, i - 1) : i], *written[i + 1 : i + 2]]
            clear = normal[0] == own[0] or not any(e[0] <= high and e[0] + e[1] >= low for e in near)
            edits.append(normal if clear else own)
        return edits

    def _notes(self, unknown: list[int], within: list[int], haplotype: int) -> str:
        a = self.alleles
        unphased = {(int(a.record[r]), int(a.allele[r])) for r in unknown}
        missing = sum(a.status[r] == MISSING for r in within)
        others = [r for r in within if self.haplotype[r] == haplotype and a.status[r] not in ("ok", *NOT_APPLIED)]
        notes = [f"{len(unphased)} unphased left at the reference"] if unphased else []
        notes += [f"{missing} missing read as reference"] if missing else []
        notes += [f"{len(others)} {a.status[others[0]]} left at the reference"] if others else []
        return ";".join(notes)
