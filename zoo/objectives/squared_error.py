"""Squared error of real values: scalars, profiles and maps."""

from __future__ import annotations

from torch import Tensor

from zoo.objectives.head_objective import HeadObjective


class SquaredError(HeadObjective):
    """(prediction - label)^2 for every element of a head.

    head: name of the head.
    """

    part = "squared_error"
    activation = "identity"

    def __init__(self, *, head: str = "output"):
        super().__init__(head=head)

    def losses(self, x: Tensor, y: Tensor) -> Tensor:
        """x, y: (N, ...) of one shape."""
        return (x - y.float()).square()
