"""`TargetRange`: the labels that an objective can learn from, and a sentence for those that it cannot."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class TargetRange:
    """What an objective states of the target it is fitted to; training holds every label against it before it starts.

    labels: what it takes, in words.
    instead: what to set for other labels.
    values: kinds of target that it is for, as in `Field.values`.
    low, high: the smallest and the largest label, None for no limit.
    whole: it is meant for whole numbers; others are told of and not refused.
    fractions: labels strictly between 0 and 1 are told of: they are learned as probabilities.
    """

    labels: str
    instead: str
    values: tuple[str, ...] = ("real", "count", "binary")
    low: float | None = None
    high: float | None = None
    whole: bool = False
    fractions: bool = False

    def allows(self, values: str, smallest: float, largest: float) -> bool:
        """Whether a target of this kind, whose labels lie between the two, can be learned.

        >>> TargetRange("labels from 0 to 1", "objective=squared_error", low=0, high=1).allows("real", -0.5, 0.5)
        False
        """
        above = self.low is None or smallest >= self.low
        below = self.high is None or largest <= self.high
        return values in self.values and above and below


REAL = TargetRange("numbers", "objective=cross_entropy for class ids")
"""Any finite number."""
