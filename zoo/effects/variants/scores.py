"""What is made of the outputs for two alleles: pure functions (reference, alternate) -> numbers.

    difference           alternate - reference
    log2_fold_change     log2((alternate + 1e-6) / (reference + 1e-6)), for outputs that are not negative
    jensen_shannon       how far two profiles' shapes are apart, 0 to 1
    gain_loss            the largest rise and fall of a profile, and where they are (as SpliceAI reports them)

A plugin adds one with `registry.add("score", "mine", "zoo_mine.scores:mine")`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from zoo.errors import ConfigError

PSEUDO = 1e-6


@dataclass(frozen=True)
class Score:
    """A function of two alleles' outputs, and what a table must say of it.

    takes: "number" for outputs (N, C); "profile" for one output by position (N, T), aligned through the
        reference's coordinates, with NaN where an allele has no such position.
    columns: endings of its columns; "" for the one that bears the output's name alone.
    unit, direction: in words.
    """

    function: Callable[..., Tensor]
    takes: Literal["number", "profile"]
    columns: tuple[str, ...]
    unit: str
    direction: str = "alternate against reference"

    def __call__(self, reference: Tensor, alternate: Tensor) -> Tensor:
        """reference, alternate: (N, ...) of one output -> (N, number of columns)."""
        return self.function(reference, alternate)


def score(takes: Literal["number", "profile"], columns: tuple[str, ...], unit: str) -> Callable[[Callable], Score]:
    """Make a `Score` of a function (reference, alternate) -> (N, number of columns)."""
    return lambda function: _named(Score(function, takes, columns, unit), function)


def _named(made: Score, function: Callable) -> Score:
    object.__setattr__(made, "__doc__", function.__doc__)
    return made


@score("number", ("",), "the output's unit")
def difference(reference: Tensor, alternate: Tensor) -> Tensor:
    """(N,) twice -> (N, 1).

    >>> difference(torch.tensor([0.25]), torch.tensor([0.75])).tolist()
    [[0.5]]
    """
    return (alternate - reference)[:, None]


@score("number", ("log2fc",), f"log2, with {PSEUDO:g} added to both")
def log2_fold_change(reference: Tensor, alternate: Tensor) -> Tensor:
    """(N,) twice -> (N, 1); NaN where an output is negative.

    >>> log2_fold_change(torch.tensor([1.0]), torch.tensor([4.0])).round(decimals=3).tolist()
    [[2.0]]
    """
    return torch.log2((alternate + PSEUDO) / (reference + PSEUDO))[:, None]


@score("profile", ("jsd",), "square root of bits, 0 to 1")
def jensen_shannon(reference: Tensor, alternate: Tensor) -> Tensor:
    """Jensen-Shannon distance (Lin 1991), base 2, of two profiles (N, T) made to sum to 1 -> (N, 1).

    Positions that one allele lacks are left out; a profile with a negative number, or of zeros, gives NaN.

    >>> jensen_shannon(torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 1.0]])).tolist()
    [[1.0]]
    """
    both = ~(reference.isnan() | alternate.isnan())
    p, q = (torch.where(both, x, 0.0).double() for x in (reference, alternate))
    wrong = (p < 0).any(1) | (q < 0).any(1)
    p, q = p / p.sum(1, keepdim=True), q / q.sum(1, keepdim=True)
    m = (p + q) / 2
    divergence = (torch.special.xlogy(p, p / m).nan_to_num(0) + torch.special.xlogy(q, q / m).nan_to_num(0)).sum(1) / 2
    distance = (divergence / torch.log(torch.tensor(2.0))).clamp(0, 1).sqrt()
    return torch.where(wrong | p.isnan().any(1) | q.isnan().any(1), torch.nan, distance).to(reference.dtype)[:, None]


@score(
    "profile",
    ("gain", "gain_at", "loss", "loss_at"),
    "the output's unit; positions in bins from the middle of the profile",
)
def gain_loss(reference: Tensor, alternate: Tensor) -> Tensor:
    """The largest rise and fall of a profile (N, T) and the positions of both, counted from the middle -> (N, 4).

    After SpliceAI (Jaganathan et al. 2019): both are positive numbers, and the position is that of the change.

    >>> gain_loss(torch.tensor([[0.0, 0.5, 0.0]]), torch.tensor([[0.75, 0.25, 0.0]])).tolist()
    [[0.75, -1.0, 0.25, 0.0]]
    """
    change = alternate - reference
    middle = change.shape[1] // 2
    columns = []
    for sign in (1, -1):
        best, at = (sign * change).nan_to_num(nan=-torch.inf).max(1)
        columns += [best.clamp(min=0), (at - middle).to(change.dtype)]
    return torch.stack(columns, 1)


def merge(outputs: Sequence[Tensor], numbers: int) -> Tensor:
    """(A, K) of several shifts or anchors -> their mean (A, K).

    numbers: of the first so many columns, all must be finite; behind them are profiles, whose positions one may lack.
    """
    stacked = torch.stack(list(outputs))
    mean = stacked.nanmean(0)
    mean[:, :numbers] = mean[:, :numbers].masked_fill(stacked[..., :numbers].isnan().any(0), torch.nan)
    return mean


def finite_pairs(pairs: Sequence[tuple[Tensor, Tensor]]) -> np.ndarray:
    """(A,) bool: are the outputs for both alleles finite?

    pairs: as of `Scorer.pairs`, where the alternate allele's profile is NaN at positions that it lacks.
    """
    each = [torch.isfinite(reference).all(1) & ~torch.isinf(alternate).any(1) for reference, alternate in pairs]
    return torch.stack(each).all(0).cpu().numpy()


def get_scores(names: list[str] | tuple[str, ...]) -> dict[str, Score]:
    """Registered scores by name; raises UnknownComponent with a suggestion."""
    from zoo.registry import registry

    scores = {}
    for name in names:
        made = registry().get("score", name)
        if not isinstance(made, Score):
            raise ConfigError(
                f"score {name!r} is no zoo.effects.variants.scores.Score: make it with the decorator `score`"
            )
        scores[name] = made
    return scores
