"""Motifs put into a sequence, each in the place and strand where the objective is highest.

CTCF            a motif of JASPAR by name, as its consensus, anywhere
TGACTCA@20-60   letters, somewhere within the bases 20 to 60 (from 1, the last one included)
CTCF@40:-       to begin at base 40, on the other strand
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from zoo.data.codes import decode, encode, reverse_complement
from zoo.data.edits import Edits
from zoo.errors import ConfigError
from zoo_design.constraints.constraint import Constraint
from zoo_design.constraints.rules import Rules
from zoo_design.constraints.sites import Avoid, Homopolymer
from zoo_design.objective import Objective
from zoo_design.search.moves import best_of
from zoo_design.search.path import Path
from zoo_design.search.settings import Settings
from zoo_design.starts import Start, parse_place

_WORD = re.compile(r"(?P<motif>[^@]+?)(?:@(?P<place>[\d,]+(?:-[\d,]+)?))?(?::(?P<strand>[+-]))?")


@dataclass(frozen=True)
class Insertion:
    """letters: A, C, G, T, of the + strand first; both strands are tried where both are there.

    first, last: where it may begin, 0-based, both included; last None for the last place that holds it.
    """

    word: str
    letters: tuple[str, ...]
    first: int = 0
    last: int | None = None

    @classmethod
    def parse(cls, word: str, length: int) -> Insertion:
        """Raises ConfigError for a word that is none, or a motif that does not fit; DataError for an unknown motif."""
        match = _WORD.fullmatch(word.strip())
        if not match:
            raise ConfigError(f"insertion {word!r} does not read motif@place, as in CTCF, CTCF@40 or TGACTCA@20-60")
        name = match["motif"].strip()
        letters = name.upper() if set(name.upper()) <= set("ACGT") else _consensus(name)
        first, last = 0, length - len(letters)
        if match["place"]:
            bounds = parse_place(match["place"])
            assert bounds is not None
            first = bounds[0]
            last = bounds[1] - len(letters) if "-" in match["place"] else first
        if not 0 <= first <= last <= length - len(letters):
            raise ConfigError(
                f"insertion {word!r}: {len(letters)} bp do not fit there in {length:,} bp: choose a wider place"
            )
        other = decode(reverse_complement(encode(letters)))
        strands = {"+": (letters,), "-": (other,)}.get(match["strand"] or "", (letters, other))
        return cls(word, tuple(dict.fromkeys(strands)), first, last)


def _consensus(name: str) -> str:
    from zoo.data.motifs import get_motif

    return get_motif(name).consensus


def require_insertable(insertions: list[Insertion], constraints: list[Constraint]) -> None:
    """ConfigError for a motif that itself holds what a constraint forbids."""
    for insertion in insertions:
        codes = encode(insertion.letters[0])[None]
        for constraint in constraints:
            if isinstance(constraint, Avoid | Homopolymer) and not constraint.keeps(
                codes, np.zeros(1, np.int64), [Start("motif", insertion.letters[0])]
            ):
                raise ConfigError(
                    f"insertion {insertion.word!r} ({insertion.letters[0]}) itself breaks {constraint.word}: "
                    "leave out one of them"
                )


def insert_motifs(
    objective: Objective,
    rules: Rules,
    rows: np.ndarray,
    paths: list[Path],
    settings: Settings,
    *,
    advance: Callable[[int], object] = lambda n: None,
) -> list[Path]:
    """Every motif in the order of the words, one a step; a start without a place for it stays as it is in that step.

    Later motifs leave earlier ones alone.  Arguments as of `evolution.evolve`.
    """
    insertions = [Insertion.parse(word, objective.length) for word in settings.insertions]
    require_insertable(insertions, rules.constraints)
    free = rules.free[rows].copy()
    for insertion in insertions:
        codes = np.stack([path.codes for path in paths])
        references = objective.references(codes)
        paths = [path.measured(value) for path, value in zip(paths, references.values, strict=True)]
        row, position, letters = _places(insertion, free)
        chosen: list[int | None] = [None] * len(paths)
        effects = np.zeros(len(row))
        if len(row):
            width = len(insertion.letters[0])
            edits = Edits.sets([[(p, width, text)] for p, text in zip(position, letters, strict=True)], row)
            effects = references.effects(edits)
            chosen = best_of(effects, row, edits.apply(codes), rows, rules)
        for i, one in enumerate(chosen):
            if one is None:
                paths[i] = paths[i].stay()
                continue
            paths[i] = paths[i].insert(position[one], letters[one], paths[i].value + effects[one])
            free[i, position[one] : position[one] + len(letters[one])] = False
        advance(len(paths))
    values = objective.values(np.stack([path.codes for path in paths]))
    return [path.measured(value) for path, value in zip(paths, values, strict=True)]


def _places(insertion: Insertion, free: np.ndarray) -> tuple[list[int], list[int], list[str]]:
    """Start, first base and letters of every way to insert a motif into bases that may change."""
    width = len(insertion.letters[0])
    last = free.shape[1] - width if insertion.last is None else insertion.last
    ways = [
        (row, position, letters)
        for row in range(len(free))
        for position in range(insertion.first, last + 1)
        if free[row, position : position + width].all()
        for letters in insertion.letters
    ]
    return [w[0] for w in ways], [w[1] for w in ways], [w[2] for w in ways]
