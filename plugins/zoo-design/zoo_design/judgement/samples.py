"""The sequences that every judge values, and the values that it gives them.

designs, controls -> Samples -> Values by a judge
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from zoo_design.judgement.controls import EDITED, SHUFFLED, Controls, random_edits, shuffles

if TYPE_CHECKING:
    from zoo_design.design import Design
    from zoo_design.judgement.judges import Judge


@dataclass(frozen=True)
class Samples:
    """sequences, starts: (N,) of the designs.  natural: (M,).  edited, shuffled: EDITED and SHUFFLED of each design.

    good: (N,) whether a design has status ok and meets every constraint.  counts: (N,) whether it is the first of these
    with its sequence, and so one that the verdict rests on.  groups: (N,) number of its start.
    """

    designs: list[Design]
    sequences: list[str]
    starts: list[str]
    natural: list[str]
    edited: list[str]
    shuffled: list[str]
    good: np.ndarray
    counts: np.ndarray
    groups: np.ndarray

    @classmethod
    def of(cls, designs: list[Design], controls: Controls) -> Samples:
        """Random edits and shuffles of a design depend on its place and the seed of the controls."""
        sequences, starts = [d.sequence.upper() for d in designs], [d.start.upper() for d in designs]
        good = [d.status == "ok" and d.obeys for d in designs]
        where: dict[str, int] = {}
        counts = [g and where.setdefault(s, i) == i for i, (s, g) in enumerate(zip(sequences, good, strict=True))]
        return cls(
            designs,
            sequences,
            starts,
            controls.drawn_natural(),
            [s for i, d in enumerate(designs) for s in random_edits(d, EDITED, controls.seed + i)],
            [s for i, d in enumerate(designs) for s in shuffles(d, SHUFFLED, controls.seed + i)],
            np.array(good, bool),
            np.array(counts, bool),
            np.unique(starts, return_inverse=True)[1] if designs else np.zeros(0, np.int64),
        )

    def controls(self) -> list[str]:
        """By which a judge's behaviour is compared with that of the search's objective."""
        return [*self.starts, *self.edited, *self.natural]


@dataclass(frozen=True)
class Values:
    """By one judge: (N,) of designs and starts, (M,) of natural ones, (N * EDITED,), (N * SHUFFLED,).

    members, natural_members: (members, N) and (members, M) by every network of an ensemble.
    """

    designs: np.ndarray
    starts: np.ndarray
    natural: np.ndarray
    edited: np.ndarray
    shuffled: np.ndarray
    members: np.ndarray
    natural_members: np.ndarray

    @classmethod
    def of(cls, judge: Judge, samples: Samples) -> Values:
        """Everything that the judge is asked for."""
        several = len(judge.members) > 1
        designs, natural = judge.values(samples.sequences), judge.values(samples.natural)
        return cls(
            designs,
            judge.values(samples.starts),
            natural,
            judge.values(samples.edited),
            judge.values(samples.shuffled),
            judge.member_values(samples.sequences) if several else designs[None],
            judge.member_values(samples.natural) if several else natural[None],
        )

    def controls(self) -> np.ndarray:
        """Of `Samples.controls`."""
        return np.concatenate([self.starts, self.edited, self.natural])

    def random(self) -> np.ndarray:
        """(N,) mean over the random edits of each design."""
        return self.edited.reshape(-1, EDITED).mean(1)

    def composition(self) -> np.ndarray:
        """(N,) mean over the shuffles of each design."""
        return self.shuffled.reshape(-1, SHUFFLED).mean(1)


def disagreement(values: Sequence[Values]) -> tuple[np.ndarray, np.ndarray]:
    """(N,) of the designs and (M,) of the natural ones: the standard deviation over all networks of all judges.

    Each network's values are taken in units of its own mean and standard deviation over the natural ones.  NaN where
    there is one network or no natural sequence.
    """
    designs, natural = [], []
    for own in values:
        for design, nature in zip(own.members, own.natural_members, strict=True):
            known = nature[np.isfinite(nature)]
            mean, sd = (known.mean(), known.std() or np.nan) if len(known) else (np.nan, np.nan)
            designs.append((design - mean) / sd)
            natural.append((nature - mean) / sd)
    if len(designs) < 2:
        return np.full(len(designs[0]), np.nan), np.full(len(natural[0]), np.nan)
    return np.stack(designs).std(0, ddof=1), np.stack(natural).std(0, ddof=1)
