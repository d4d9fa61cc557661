"""`Design`: one designed sequence, from its start over every edit to the constraints that it keeps.

start (L letters) -> Edit, Edit, ... -> sequence (L letters), with the objective after every step
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Edit:
    """One accepted substitution.

    position: 0-based in the sequence.  reference, alternate: letters before and after.
    step: of the search, from 1; 0 for an edit that repaired a start.
    gain: objective after the step less that before it; edits of one step share it.
    """

    position: int
    reference: str
    alternate: str
    step: int
    gain: float


@dataclass(frozen=True)
class Design:
    """A designed sequence, and how it came about.

    start, sequence: letters of one length.  start_value, value: the objective of both.
    edits: in the order in which they were accepted.
    trajectory: the objective after each step; [0] is that of the start.
    constraints: (the constraint in words, whether DNA Chisel finds it kept) of the final sequence.
    status: ok, or why the record has no design; such a record keeps its start as its sequence.
    protected: (start, end, name), 0-based half-open: what no edit may touch.
    """

    name: str
    start: str
    sequence: str
    start_value: float
    value: float
    edits: tuple[Edit, ...]
    trajectory: tuple[float, ...]
    constraints: tuple[tuple[str, bool], ...]
    status: str = "ok"
    protected: tuple[tuple[int, int, str], ...] = ()

    @property
    def obeys(self) -> bool:
        """Whether every constraint is kept."""
        return all(kept for _, kept in self.constraints)
