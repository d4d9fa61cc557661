"""Poisson likelihood of counts, with the shape of a profile apart from its total if wanted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

from zoo.errors import ConfigError
from zoo.objectives.head_objective import HeadObjective
from zoo.objectives.target_range import TargetRange


class Poisson(HeadObjective):
    """Negative Poisson log-likelihood, without the constant of the labels.

    head: name of the head; its prediction is the log of the expected count (link log), or becomes the
        expected count by softplus.
    link: log or softplus.
    shape_weight: None judges every position by itself.  A number splits a profile (N, C, T) in two parts:
        `total`, the Poisson likelihood of the sum over positions, and `shape`, this many times the
        multinomial likelihood of where the counts lie; both are per example and track.  A weight above 1
        trains the shape harder than the total (Linder et al. 2025, Borzoi, use 5).
    tasks, task_weights, task_sizes: how much each task counts, as in `zoo.objectives.task_weights.TaskWeights`; no
        variance is learned, since the likelihood has no floor.
    """

    part = "poisson"
    variance_scale = 0.0
    target_range = TargetRange("counts of 0 or more", "objective=squared_error for measured values", low=0, whole=True)

    def __init__(
        self,
        *,
        head: str = "output",
        link: Literal["log", "softplus"] = "log",
        shape_weight: float | None = None,
        tasks: Sequence[str] | None = None,
        task_weights: Literal["size", "uniform"] = "size",
        task_sizes: Sequence[float] | None = None,
    ):
        super().__init__(head=head, tasks=tasks, task_weights=task_weights, task_sizes=task_sizes)
        if link not in ("log", "softplus"):
            raise ConfigError(f"link {link!r} of poisson must be log or softplus")
        self.link, self.shape_weight = link, shape_weight
        self.activation = "exp" if link == "log" else "softplus"

    def losses(self, x: Tensor, y: Tensor) -> Tensor:
        """x: predictions before the link, y: counts, of one shape."""
        rate, log_rate = self._rate(x)
        return rate - y.float() * log_rate

    def weights(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """{part: ()}: one part, or total and shape."""
        if self.shape_weight is None:
            return super().weights(batch)
        weight = self.label_weights(batch).amax(2).sum()
        return {"total": weight, "shape": weight}

    def forward(
        self, prediction: Mapping[str, Tensor], batch: Mapping[str, Tensor], embedding: Tensor
    ) -> dict[str, tuple[Tensor, Tensor]]:
        """prediction {head: (N, C, T)}, batch, embedding -> {part: (sum (), weight ())}."""
        if self.shape_weight is None:
            return super().forward(prediction, batch, embedding)
        weight, y, x = self.label_weights(batch), self.labels(batch).float(), self.prediction(prediction)
        self.require_shape(x, weight)
        if x.dim() != 3:
            raise ConfigError(f"shape_weight needs a profile (N, C, T), but head {self.head!r} gives {tuple(x.shape)}")
        there = weight > 0
        rate, log_rate = self._rate(x)
        y = y * there
        total = (rate * there).sum(2)
        log_total = log_rate.masked_fill(~there, -torch.inf).logsumexp(2) if there.any() else total
        log_total = torch.where(there.any(2), log_total, 0.0)
        counts = total - y.sum(2) * log_total
        shape = -(y * (log_rate - log_total.unsqueeze(2))).sum(2)
        weight = weight.amax(2)  # the largest of a track's positions, 0 where all are missing
        return {
            "total": ((counts * weight).sum(), weight.sum()),
            "shape": (self.shape_weight * (shape * weight).sum(), weight.sum()),
        }

    def _rate(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Expected count and its log."""
        if self.link == "log":
            return torch.exp(x), x
        rate = functional.softplus(x)
        return rate, torch.log(rate.clamp(min=torch.finfo(rate.dtype).tiny))
