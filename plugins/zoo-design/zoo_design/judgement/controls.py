"""What designs stand beside: natural sequences, as many random edits of the same starts, shuffles of the designs.

designs, natural sequences -> Controls
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from zoo.data.codes import decode, encode
from zoo.data.dinucleotide_shuffle import dinucleotide_shuffle

if TYPE_CHECKING:
    from zoo_design.design import Design

MOST_NATURAL = 2_000
"""Natural sequences that a judge looks at; of more, so many are drawn."""

EDITED, SHUFFLED = 5, 2
"""Random edits, and shuffles, of every design."""


@dataclass(frozen=True)
class Controls:
    """natural: those that a design should beat, as a library that was measured.  training: what a model of the search
    has learned from, to find copies; the natural ones where it is not known.  names: of the training sequences.
    seed: of everything random.
    """

    natural: tuple[str, ...] = ()
    training: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    seed: int = 0

    @classmethod
    def of(
        cls,
        natural: Sequence[str] = (),
        training: Sequence[str] | None = None,
        names: Sequence[str] | None = None,
        seed: int = 0,
    ) -> Controls:
        """In upper case; training falls back to natural."""
        upper = tuple(s.upper() for s in natural)
        known = upper if training is None else tuple(s.upper() for s in training)
        return cls(upper, known, tuple(names or [str(i + 1) for i in range(len(known))]), seed)

    def drawn_natural(self) -> list[str]:
        """At most MOST_NATURAL of the natural ones, each once, drawn with the seed."""
        distinct = list(dict.fromkeys(self.natural))
        if len(distinct) <= MOST_NATURAL:
            return distinct
        rows = np.random.default_rng(self.seed).choice(len(distinct), MOST_NATURAL, replace=False)
        return [distinct[i] for i in np.sort(rows)]


def random_edits(design: Design, n: int, seed: int) -> list[str]:
    """n sequences with as many substitutions of the design's start as the design has, at places that are not protected.

    A design of another length than its start, whose edits are no substitutions, gets substitutions too: as many as
    letters were inserted, deleted or replaced.
    """
    codes = encode(design.start)
    free = np.ones(len(codes), bool)
    for start, end, _ in design.protected:
        free[start:end] = False
    places = np.flatnonzero(free & (codes < 4))
    rng = np.random.default_rng([seed, len(codes), n, *codes[:64].tolist()])
    count = min(len(places), number_of_edits(design))
    edited = np.repeat(codes[None], n, 0)
    for row in edited:
        at = rng.choice(places, count, replace=False)
        row[at] = (row[at] + rng.integers(1, 4, count)) % 4
    return [decode(row) for row in edited]


def number_of_edits(design: Design) -> int:
    """Letters in which a design differs from its start."""
    if len(design.start) == len(design.sequence):
        return sum(a != b for a, b in zip(design.start.upper(), design.sequence.upper(), strict=True))
    from zoo_design.judgement.sequence_distance import edit_distances

    return int(edit_distances([design.start.upper()], [design.sequence.upper()])[0, 0])


def shuffles(design: Design, n: int, seed: int) -> list[str]:
    """n sequences with exactly the dinucleotides of the design: what is left of its value is one of composition."""
    return [decode(row) for row in dinucleotide_shuffle(encode(design.sequence), n, seed)]
