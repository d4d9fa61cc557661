"""All substitutions of some sequences with their effects, and the best of them that keep every constraint.

codes (B, L) -> effects (B, L, 4), -inf where nothing may change -> the first that obey, in the order of their scores
"""

from __future__ import annotations

import numpy as np

from zoo.data.edits import Edits
from zoo_design.constraints.rules import Rules
from zoo_design.objective import References

FIRST = 4
"""Candidates of a sequence that are checked at once in the first round; then four times as many, and so on."""


def substitution_effects(references: References, codes: np.ndarray, free: np.ndarray) -> np.ndarray:
    """(B, L, 4) float64: what every substitution adds to the objective.

    codes, free: (B, L) bool of the positions that may change.  -inf for the base that is there, for other positions,
    and where the model gives no number.
    """
    scores = np.full((*codes.shape, 4), -np.inf)
    row, position = np.nonzero(free)
    row, position = np.repeat(row, 3), np.repeat(position, 3)
    base = (codes[row, position] + np.tile(np.arange(1, 4), len(row) // 3)) % 4
    effects = references.effects(Edits.single(row, position, base))
    scores[row, position, base] = np.where(np.isfinite(effects), effects, -np.inf)
    return scores


def best_substitutions(
    scores: np.ndarray, codes: np.ndarray, start: np.ndarray, rules: Rules, number: int = 1
) -> list[list[tuple[int, int]]]:
    """For every sequence, the (position, base) of the highest scores that keep every constraint, the best first.

    scores (B, L, 4); codes (B, L); start (B,) the start of each.  Of equal scores the first position, then the first
    base comes first.  Fewer than `number` where no more obey.
    """
    chosen: list[list[tuple[int, int]]] = [[] for _ in codes]
    flat = scores.reshape(len(codes), -1)
    open_rows = np.arange(len(codes))
    first, size = 0, max(FIRST, number)
    while len(open_rows):
        ranked = _ranks(flat[open_rows], first, size)
        r, j = np.nonzero(np.take_along_axis(flat[open_rows], ranked, 1) > -np.inf)
        row, cell = open_rows[r], ranked[r, j]
        mutants = codes[row].copy()
        mutants[np.arange(len(row)), cell // 4] = cell % 4
        kept = rules.keeps(mutants, start[row])
        for one, at in zip(row[kept].tolist(), cell[kept].tolist(), strict=True):
            if len(chosen[one]) < number:
                chosen[one].append((at // 4, at % 4))
        complete = np.bincount(r, minlength=len(open_rows)) < ranked.shape[1]
        short = np.array([len(chosen[one]) < number for one in open_rows.tolist()])
        open_rows = open_rows[short & ~complete]
        first, size = first + size, 4 * size
        if first >= flat.shape[1]:
            break
    return chosen


def _ranks(scores: np.ndarray, first: int, size: int) -> np.ndarray:
    """Columns of the scores ranked first to first + size, the highest first; equal ones by column."""
    return np.argsort(-scores, axis=1, kind="stable")[:, first : first + size]


def best_of(
    effects: np.ndarray, owner: np.ndarray | list[int], mutants: np.ndarray, rows: np.ndarray, rules: Rules
) -> list[int | None]:
    """For every sequence the mutant of the largest effect that keeps every constraint; None where none does.

    effects, owner (M,): of each mutant, and the sequence that it is of; mutants (M, L).  rows (B,): start of each.
    """
    owner = np.asarray(owner, np.int64)
    chosen: list[int | None] = [None] * len(rows)
    kept = rules.keeps(mutants, rows[owner]) & np.isfinite(effects)
    for one in np.flatnonzero(kept)[np.argsort(-effects[kept], kind="stable")].tolist():
        if chosen[owner[one]] is None:
            chosen[owner[one]] = one
    return chosen
