"""`HaplotypeScorer`: what the variants of a chromosome copy do together, and each among the others.

For every allele that a haplotype carries, in the window that `Scorer` takes for it, with all the variants that the
haplotype has in that window:

    single       f(the allele alone) against f(reference), the score of the allele without phase
    in_context   f(haplotype) against f(haplotype without the allele)
    joint        f(haplotype) against f(reference)
    sum          the sum of the single effects of all its variants in the window
    epistasis    joint - sum
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch

from zoo.effects.variants.allele_windows import AlleleWindows, Edit, has_own_reference, place_windows
from zoo.effects.variants.haplotype_variants import HaplotypeVariants, InWindow
from zoo.effects.variants.rows import Scored
from zoo.effects.variants.scorer import Scorer
from zoo.effects.variants.scores import finite_pairs

if TYPE_CHECKING:
    from zoo.variants.carried_alleles import CarriedAlleles

CONTEXT = ("variants", "nearest")
EFFECTS = ("single", "in_context", "joint", "sum", "epistasis")
TOGETHER = 128
"""Windows that are measured at once."""


class HaplotypeScorer(Scorer):
    """Scores of alleles among the others of their haplotype; arguments as of `Scorer`."""

    @property
    def columns(self) -> list[str]:
        """<score>.<effect>, then how many variants the haplotype has in the window, and bp to the nearest other."""
        return [*(f"{name}.{effect}" for name in super().columns for effect in EFFECTS), *CONTEXT]

    @property
    def comments(self) -> dict[str, str]:
        """What a table must say of the scores."""
        return {
            **super().comments,
            "single": "the allele alone; in_context: haplotype with it - without it; joint: the whole haplotype",
            "epistasis": "joint - the sum of the single effects of all variants in the window",
        }

    def __call__(self, variants: CarriedAlleles, profiles: bool = False) -> Scored:
        """Scores of the alleles that come out, in their order."""
        rows = np.flatnonzero(variants.shows)
        status, notes = variants.status.copy(), variants.notes.copy()
        values = np.full((len(variants), len(self.columns)), np.nan, np.float32)
        haplotypes = HaplotypeVariants(variants)
        start = place_windows(variants.norm_pos, self.length, self.share)
        size = np.zeros(len(rows), np.int64)
        placed = variants.contig[rows] >= 0
        size[placed] = self.genome.lengths(variants.contig[rows[placed]])
        low, high = start[rows] + min(self.shifts), start[rows] + max(self.shifts) + self.length
        scorable = status[rows] == "ok"
        status[rows[scorable & ((low < 0) | (high > size))]] = "out_of_bounds"
        windows: dict[int, InWindow] = {}
        for row in rows[status[rows] == "ok"].tolist():
            window = haplotypes.window(row, int(start[row]), int(start[row]) + self.length)
            status[row] = window.status
            if window.status == "ok":
                windows[row] = window
                notes[row] = ";".join(filter(None, (notes[row], window.notes)))
        chosen = list(windows)
        for first in range(0, len(chosen), TOGETHER):
            some = chosen[first : first + TOGETHER]
            self._measure(variants, haplotypes, start, {r: windows[r] for r in some}, values, status)
        return Scored(values[rows], status[rows], notes=notes[rows])

    def _measure(self, variants, haplotypes, start, windows: dict[int, InWindow], values, status) -> None:
        """Scores of some windows, put into values and status."""
        rows = np.array(list(windows))
        sets, row = [], []
        for number, (r, window) in enumerate(windows.items()):
            mutants = _mutants(window, haplotypes.normal(r))
            sets += mutants
            row += [number] * len(mutants)
        row = np.array(row)
        own = [(i, r) for i, r in enumerate(rows.tolist()) if has_own_reference(variants, r)]
        references = [(i, int(variants.norm_pos[r] - start[r]), variants.norm_ref[r]) for i, r in own]
        cuts = [self._cut(variants.contig[rows], start[rows], shift, sets, row, references) for shift in self.shifts]
        reasons = self.refused(cuts, variants.contig[rows][row])
        status[rows[row[reasons != ""]]] = reasons[reasons != ""]
        kept = np.flatnonzero(reasons == "")
        if not len(kept):
            return
        pairs = self.pairs(cuts, kept)
        at = 0
        for number in np.unique(row[kept]):
            window = windows[int(rows[number])]
            n = len(window.rows) + 2
            own = [tuple(x[at : at + n] for x in pair) for pair in pairs]
            effects = np.concatenate([self._effects(*pair, window.own) for pair in own])
            if not (np.isfinite(effects).all() and finite_pairs(own).all()):
                status[rows[number]] = "not_finite"
                effects = np.where(np.isfinite(effects), effects, np.nan)
            values[rows[number]] = [*effects, len(window.rows), self._nearest(variants, window)]
            at += n

    def _cut(self, contig, start, shift, sets: Sequence[Sequence[Edit]], row, references) -> AlleleWindows:
        start = start + shift
        edits = [
            [(p - int(start[r]), old, new) for p, old, new in edits if 0 <= p - start[r] < self.length]
            for edits, r in zip(sets, row.tolist(), strict=True)
        ]
        own = [(i, at - shift, letters) for i, at, letters in references]
        return AlleleWindows.of(self.genome, contig, start, edits, row, self.length, own)

    def _effects(self, reference: torch.Tensor, alternate: torch.Tensor, own: int) -> np.ndarray:
        """reference, alternate: (2 + variants, K) outputs -> the effects of every score, in the order of columns.

        The mutants are those of `_mutants`; own: the place of the allele among the variants.
        """
        alone = self.scored(reference[2:], alternate[2:]).double()
        joint = self.scored(reference[:1], alternate[:1]).double()[0]
        in_context = self.scored(alternate[1:2], alternate[:1]).double()[0]
        total = alone.sum(0)
        each = torch.stack([alone[own], in_context, joint, total, joint - total], 1)
        return each.flatten().cpu().numpy()

    def _nearest(self, variants, window: InWindow) -> float:
        position = variants.norm_pos[window.rows]
        others = np.delete(np.abs(position - position[window.own]), window.own)
        return float(others.min()) if len(others) else np.nan


def _mutants(window: InWindow, normal: Edit) -> list[list[Edit]]:
    """The haplotype, the haplotype without the allele, then each of its variants alone."""
    without = [e for i, e in enumerate(window.edits) if i != window.own]
    alone = [[normal] if i == window.own else [e] for i, e in enumerate(window.edits)]
    return [window.edits, without, *alone]
