"""Gaussian likelihood of measured values whose noise differs from label to label, as replicates say.

prediction, labels, variance of each label's mean over replicates -> negative log-likelihood, under mask and weights
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from zoo.errors import ConfigError, ContractError
from zoo.objectives.head_objective import HeadObjective

_LEAST = 1e-4
"""Share of the labels' variance that the residual variance keeps at least, so that no label counts without limit."""


class Heteroscedastic(HeadObjective):
    """Negative log-likelihood of Gaussian noise: its variance is that of the label plus what the model cannot explain.

    The batch may hold `variance/<head>`, broadcastable to the target: the variance of a label as its replicates show
    it (of their mean), in squared units of the label; NaN where nobody knows.  With it the loss of a label is

        (prediction - label)^2 / (2 v) + log(v) / 2,  v = variance of the label + residual variance

    so that a well measured label counts more than a noisy one, but not beyond what the model can explain at all.
    Labels without a variance share a second learned one in place of both.  Both are one number a task, learned beside
    the model and not published (Nix and Weigend 1994 learn the variance from the input; here the replicates state it).
    The validated loss has them too: epochs are compared by likelihood.

    head: name of the head.
    sd: standard deviation of each task's training labels, from where the learned variances start; 1 by default.
    tasks, task_weights, task_sizes: how much each task counts, as in `zoo.objectives.task_weights.TaskWeights`.
    """

    part = "heteroscedastic"
    activation = "identity"
    variance_scale = 0.0  # the likelihood has a variance of its own, and may fall below 0
    label_variance: Tensor

    def __init__(
        self,
        *,
        head: str = "output",
        sd: Sequence[float] | None = None,
        tasks: Sequence[str] | None = None,
        task_weights: Literal["size", "uniform"] = "size",
        task_sizes: Sequence[float] | None = None,
    ):
        if task_weights == "uncertainty":
            raise ConfigError("heteroscedastic learns a variance of every task anyway: set task_weights=size")
        super().__init__(head=head, tasks=tasks, task_weights=task_weights, task_sizes=task_sizes)
        n = len(tasks or ("",))
        scale = [1.0] * n if sd is None else [float(x) for x in sd]
        if len(scale) != n or not all(x > 0 and math.isfinite(x) for x in scale):
            raise ConfigError(f"sd {scale} of heteroscedastic must be one number above 0 for each of {n} tasks")
        self.register_buffer("label_variance", torch.tensor(scale).square(), persistent=False)
        self.log_residual = nn.Parameter(torch.zeros(n))  # in units of the labels' variance, as is the next
        self.log_unknown = nn.Parameter(torch.zeros(n))

    def forward(
        self, prediction: Mapping[str, Tensor], batch: Mapping[str, Tensor], embedding: Tensor
    ) -> dict[str, tuple[Tensor, Tensor]]:
        """prediction {head: (N, C, ...)}, batch, embedding -> {part: (sum (), weight ())}."""
        weight, x = self.label_weights(batch), self.prediction(prediction)
        self.require_shape(x, weight)
        variance = self.variance(batch, x)
        loss = self.losses(x, self.labels(batch)) / variance + 0.5 * torch.log(variance)
        return {self.part: ((loss * weight).sum(), weight.sum())}

    def losses(self, x: Tensor, y: Tensor) -> Tensor:
        """x, y: (N, C, ...) of one shape -> half of the squared errors, before they are divided by a variance."""
        return 0.5 * (x - y.float()).square()

    def variance(self, batch: Mapping[str, Tensor], like: Tensor) -> Tensor:
        """The noise's variance of every label, shaped like a prediction (N, C, ...)."""
        residual, unknown = (self._by_task(x, like) for x in (self.log_residual, self.log_unknown))
        stated = batch.get(f"variance/{self.head}")
        if stated is None:
            return unknown.expand_as(like)
        stated = stated.float().reshape(stated.shape + (1,) * (like.dim() - stated.dim()))
        if bool((stated < 0).any()):
            raise ContractError(
                f"variance/{self.head} holds {float(stated.nan_to_num(nan=0.0).min()):g}: a variance is 0 or more, "
                "NaN where it is unknown"
            )
        known = stated.isfinite()
        return torch.where(known, stated.nan_to_num(nan=0.0, posinf=0.0) + residual, unknown).expand_as(like)

    def _by_task(self, log_variance: Tensor, like: Tensor) -> Tensor:
        """(C,) of a learned number -> variances that are broadcast along a prediction's tasks."""
        variance = self.label_variance * (log_variance.exp() + _LEAST)
        if self.task_axis is None:
            return variance.reshape(())
        return variance.reshape([-1 if i == self.task_axis else 1 for i in range(like.dim())])
