"""How much each task of a head counts beside the others: by its labels, all alike, or as training finds out.

losses (N, C, ...), sizes of the tasks (C,) -> weights of the labels, and for `uncertainty` the losses divided by a
learned variance
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from zoo.errors import ConfigError, did_you_mean

TASK_WEIGHTS = ("size", "uniform", "uncertainty")


class TaskWeights(nn.Module):
    """Factors of the labels of C tasks, whose mean over all labels of the training split is 1.

    how: size, where every label counts alike, so that a task with ten times the labels counts ten times as much;
        uniform, where every task counts alike, its labels 1 / (their sum of weights) each; or uncertainty, which is
        uniform with a learned variance exp(s) a task (Kendall, Gal and Cipolla 2018): a loss l becomes
        `scale * exp(-s) * l + s / 2`, so that a task whose loss stays high, counts less.
    sizes: (C,) sum of the label weights of every task in the training split, None for one task or equal ones.  A task
        of size 0 has no labels to weigh.
    scale: 1 of a classification, 0.5 of a squared error, whose `exp(s)` is then the noise's variance; 0 where no
        variance can be learned since the loss may fall below 0.
    """

    factors: Tensor

    def __init__(self, how: str, n_tasks: int, sizes: Sequence[float] | None = None, scale: float = 1.0):
        super().__init__()
        if how not in TASK_WEIGHTS:
            raise ConfigError(f"no task_weights {how!r}" + did_you_mean(str(how), TASK_WEIGHTS))
        if how == "uncertainty" and not scale:
            raise ConfigError(
                "task_weights=uncertainty needs a loss of 0 or more, which a Poisson likelihood is not: "
                "set task_weights=uniform"
            )
        if sizes is not None and (len(sizes) != n_tasks or any(not (x >= 0) or math.isinf(x) for x in sizes)):
            raise ConfigError(f"{len(sizes)} task_sizes for {n_tasks} tasks: give one number of 0 or more for each")
        self.how, self.scale = how, scale
        self.register_buffer("factors", _factors(how, n_tasks, sizes), persistent=False)
        self.log_variance = nn.Parameter(torch.zeros(n_tasks)) if how == "uncertainty" else None

    def weigh(self, weight: Tensor, axis: int | None) -> Tensor:
        """Label weights times the factor of their task, which `axis` counts; None where all are of one task."""
        return weight if self.how == "size" else weight * _along(self.factors, weight, axis)

    def forward(self, losses: Tensor, axis: int | None) -> Tensor:
        """Losses by label, in training divided by the learned variance of their task."""
        if self.log_variance is None or not self.training:
            return losses
        s = _along(self.log_variance, losses, axis)
        return self.scale * torch.exp(-s) * losses + s / 2


def _factors(how: str, n_tasks: int, sizes: Sequence[float] | None) -> Tensor:
    """(C,) mean size / size."""
    size = torch.ones(n_tasks, dtype=torch.float64) if sizes is None else torch.tensor(sizes, dtype=torch.float64)
    with_labels = size > 0
    if how == "size" or not with_labels.any():
        return torch.ones(n_tasks)
    mean = size[with_labels].mean()
    return torch.where(with_labels, mean / size.clamp(min=1e-300), 1.0).float()


def _along(values: Tensor, like: Tensor, axis: int | None) -> Tensor:
    """(C,) shaped so that it is broadcast along one axis of a tensor."""
    if axis is None:
        return values.reshape(())
    return values.reshape([-1 if i == axis else 1 for i in range(like.dim())])
