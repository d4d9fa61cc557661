"""`Rules`: all constraints on all starts; DNA Chisel judges every design, a quick equal check serves the search.

constraints, starts -> keeps (N,) bool, judge -> ((word, kept), ...), repair -> letters
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np

from zoo.data.codes import encode
from zoo.errors import ConfigError
from zoo_design.constraints.constraint import Constraint, spans
from zoo_design.constraints.start_bases import Protect
from zoo_design.starts import Start

FLANKS = ("left_flank", "right_flank")


class Rules:
    """starts: of one length, of A, C, G and T.

    Raises ConfigError for a constraint that names what a start does not have, or cannot be meant for its length.
    """

    def __init__(self, constraints: Sequence[Constraint], starts: Sequence[Start]):
        self.starts = list(starts)
        flanks = [name for name in FLANKS if any(part.name == name for start in starts for part in start.parts)]
        self.constraints = [*constraints, *(Protect(f"protect={name}", name) for name in flanks)]
        length = len(self.starts[0].sequence) if self.starts else 0
        for constraint in self.constraints:
            constraint.check(length)
            for start in self.starts:
                constraint.specifications(start)
        self.protected = [self._protected(start) for start in self.starts]
        self.free = np.ones((len(self.starts), length), bool)
        for row, places in enumerate(self.protected):
            for a, b, _ in places:
                self.free[row, a:b] = False

    def keeps(self, codes: np.ndarray, row: np.ndarray) -> np.ndarray:
        """codes (N, L) uint8, row (N,) the start of each -> (N,) bool: all constraints are kept."""
        kept = np.ones(len(codes), bool)
        for constraint in self.constraints:
            at = np.flatnonzero(kept)
            if len(at):
                kept[at] = constraint.keeps(codes[at], row[at], self.starts)
        return kept

    def judge(self, sequence: str, row: int) -> tuple[tuple[str, bool], ...]:
        """What DNA Chisel finds: (word, kept) of every constraint."""
        from dnachisel import DnaOptimizationProblem

        problem = DnaOptimizationProblem(sequence, logger=None)
        results = []
        for constraint in self.constraints:
            made = constraint.specifications(self.starts[row])
            evaluations = [one.initialized_on_problem(problem, role="constraint").evaluate(problem) for one in made]
            results.append((constraint.word, all(bool(one.passes) for one in evaluations)))
        return tuple(results)

    def repair(self, row: int, seed: int) -> str | None:
        """The start, changed by DNA Chisel until it keeps all constraints; None where it finds no way."""
        from dnachisel import DnaOptimizationProblem, NoSolutionError

        start = self.starts[row]
        made = [one for constraint in self.constraints for one in constraint.specifications(start)]
        with _seeded(seed):
            try:
                problem = DnaOptimizationProblem(start.sequence, constraints=made, logger=None)
                problem.resolve_constraints()
            except NoSolutionError:
                return None
        sequence = problem.sequence
        return sequence if self.keeps(encode(sequence)[None], np.array([row]))[0] else None

    def impossible(self, row: int) -> str | None:
        """In one sentence, a constraint that no design of this start can keep; None where nothing says so."""
        start, fixed = self.starts[row], ~self.free[row]
        if fixed.all():
            return f"all bases of {start.name!r} are protected, so that nothing is left to design: protect fewer"
        for constraint in self.constraints:
            if reason := constraint.impossible(start, fixed):
                return reason
        return None

    def _protected(self, start: Start) -> tuple[tuple[int, int, str], ...]:
        places = []
        for constraint in self.constraints:
            if isinstance(constraint, Protect):
                places += [(a, b, constraint.place) for a, b, _ in spans(constraint.place, start)]
        return tuple(sorted(places))


def require_possible(rules: Rules) -> list[str | None]:
    """Why each start can have no design, None where it may; ConfigError, with the sentence, where none can."""
    reasons = [rules.impossible(row) for row in range(len(rules.starts))]
    if reasons and all(reasons):
        raise ConfigError(f"the constraints cannot be kept: {reasons[0]}")
    return reasons


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """DNA Chisel draws from the generators of numpy and Python; they are set, and given back as they were."""
    before = np.random.get_state(), random.getstate()  # noqa: NPY002
    np.random.seed(seed % 2**32)  # noqa: NPY002
    random.seed(seed)
    try:
        yield
    finally:
        np.random.set_state(before[0])  # noqa: NPY002
        random.setstate(before[1])
