"""Squared error of real values: scalars, profiles and maps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from torch import Tensor

from zoo.objectives.head_objective import HeadObjective


class SquaredError(HeadObjective):
    """(prediction - label)^2 for every element of a head.

    head: name of the head.
    tasks, task_weights, task_sizes: how much each task counts, as in `zoo.objectives.task_weights.TaskWeights`.
    """

    part = "squared_error"
    activation = "identity"
    variance_scale = 0.5  # so that the learned variance is that of Gaussian noise

    def __init__(
        self,
        *,
        head: str = "output",
        tasks: Sequence[str] | None = None,
        task_weights: Literal["size", "uniform", "uncertainty"] = "size",
        task_sizes: Sequence[float] | None = None,
    ):
        super().__init__(head=head, tasks=tasks, task_weights=task_weights, task_sizes=task_sizes)

    def losses(self, x: Tensor, y: Tensor) -> Tensor:
        """x, y: (N, ...) of one shape."""
        return (x - y.float()).square()
