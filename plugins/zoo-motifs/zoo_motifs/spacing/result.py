"""What a spacing experiment measures: effects by arrangement, gap and background -> synergy, interval, peak, rows.

Arrangements are named relative to the first motif, read along its own strand: the second lies downstream of it or
upstream, on the same strand or on the opposite one.  Each can be written into a sequence in two ways, which are
reverse complements of one another:

    arrangement            first on +                  first on -
    downstream, same       first-second ++             second-first --
    downstream, opposite   first-second +-             second-first -+
    upstream, same         second-first ++             first-second --
    upstream, opposite     second-first +-             first-second -+

`order` is the one from left to right, `orientation` the strand of the first and then that of the second motif.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

COLUMNS = (
    "first", "second", "arrangement", "order", "orientation", "gap",
    "effect_pair", "effect_first", "effect_second", "synergy", "low", "high", "n",
)  # fmt: skip


@dataclass(frozen=True)
class Arrangement:
    """One of the eight ways to write two motifs; see the table above.

    first_left: the first motif is the left one.
    first, second: strands, + or -.
    """

    first_left: bool
    first: str
    second: str

    @property
    def order(self) -> str:
        """first-second or second-first, from left to right."""
        return "first-second" if self.first_left else "second-first"

    @property
    def orientation(self) -> str:
        """The strand of the first motif, then that of the second."""
        return self.first + self.second

    @property
    def name(self) -> str:
        """Where the second motif is as seen from the first, such as "downstream, opposite"."""
        side = "downstream" if self.first_left == (self.first == "+") else "upstream"
        return f"{side}, {'same' if self.first == self.second else 'opposite'}"


ARRANGEMENTS = tuple(Arrangement(left, a, b) for left in (True, False) for a in "+-" for b in "+-")


@dataclass(frozen=True)
class Spacing:
    """What a pair of motifs does in B backgrounds, G gaps and the eight ARRANGEMENTS.

    first, second: names of the motifs.
    gaps: (G,) bp between the two.
    pair, singles: effects against the bare background: (8, G, B) of both motifs, (2, 8, G, B) of the first and of
        the second alone, each where it stands in the pair.
    output: name of the output.
    background: its mean over the bare backgrounds.
    comments: provenance, for the files.
    """

    first: str
    second: str
    gaps: np.ndarray
    pair: np.ndarray
    singles: np.ndarray
    output: str
    background: float
    comments: Mapping[str, Any] = field(default_factory=dict)

    @property
    def n(self) -> int:
        """Number of backgrounds."""
        return self.pair.shape[2]

    def synergy(self) -> np.ndarray:
        """(8, G, B): effect of the pair less the effects of the two."""
        return self.pair - self.singles.sum(0)

    def intervals(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Mean synergy over the backgrounds and the ends of its 95 % interval (Student's t), each (8, G).

        The ends are NaN for one background.
        """
        from scipy.stats import t

        values = self.synergy()
        mean = values.mean(2)
        if self.n == 1:
            return mean, np.full_like(mean, np.nan), np.full_like(mean, np.nan)
        half = t.ppf(0.975, self.n - 1) * values.std(2, ddof=1) / np.sqrt(self.n)
        return mean, mean - half, mean + half

    def rows(self) -> Iterator[tuple[Any, ...]]:
        """A row of COLUMNS for each arrangement and gap; effects and synergy are means over the n backgrounds."""
        effects = [x.mean(2) for x in (self.pair, *self.singles)]
        intervals = self.intervals()
        for i, a in enumerate(ARRANGEMENTS):
            for j, gap in enumerate(self.gaps.tolist()):
                numbers = [float(x[i, j]) for x in (*effects, *intervals)]
                yield self.first, self.second, a.name, a.order, a.orientation, gap, *numbers, self.n

    def peak(self) -> tuple[Arrangement, int]:
        """Arrangement and gap of the largest absolute mean synergy."""
        mean = np.abs(self.intervals()[0])
        i, j = np.unravel_index(mean.argmax(), mean.shape)
        return ARRANGEMENTS[i], int(self.gaps[j])

    def sentence(self) -> str:
        """Names the peak, and what is usual elsewhere.

        The interval is that of one arrangement and gap; the largest of many is large by chance too.
        """
        mean, low, high = self.intervals()
        arrangement, gap = self.peak()
        at = ARRANGEMENTS.index(arrangement), int(np.flatnonzero(self.gaps == gap)[0])
        side, strand = arrangement.name.split(", ")
        interval = f"95 % {low[at]:.3g} to {high[at]:.3g}, " if self.n > 1 else ""
        return (
            f"{self.first} and {self.second}: largest synergy {mean[at]:+.3g} ({interval}n = {self.n}) with "
            f"{self.second} {gap} bp {side} of {self.first} on the {strand} strand ({arrangement.order}, "
            f"{arrangement.orientation}); median absolute synergy of all {mean.size} arrangements and gaps "
            f"{np.median(np.abs(mean)):.2g}"
        )

    def header(self) -> dict[str, str]:
        """The comments, and what the columns mean."""
        return {
            **{key: str(value) for key, value in self.comments.items()},
            "arrangement": "the second motif as seen from the first, along the first's strand",
            "order": "left to right as written",
            "orientation": "strand of the first, then of the second, as written",
            "gap": "bp between the two motifs",
            "effect": f"{self.output} with the motif - {self.output} of the bare background, mean of n backgrounds",
            "synergy": "effect_pair - effect_first - effect_second",
            "interval": "95 %, Student's t over backgrounds, of one row; not corrected for the number of rows",
            "background_output": f"{self.background:.7g}",
        }
