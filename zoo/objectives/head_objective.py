"""What every term that compares one head with its target shares: masks, weights and sums."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from zoo.errors import ContractError
from zoo.interfaces import Objective
from zoo.objectives.target_range import REAL, TargetRange
from zoo.objectives.task_weights import TaskWeights


class HeadObjective(Objective):
    """A loss for every element of one head's prediction, summed under a mask.

    The batch holds `target/<head>`, and optionally `weight/<head>`, broadcastable to it.  A label that is
    NaN (or a class id below 0) has weight 0, whatever the batch's weight says.

    head: name of the head, which is the target's name too.
    tasks, task_weights, task_sizes: names of the channels, and how they are weighed: `TaskWeights`.  The validated loss
        has the same weights, without learned variances.
    """

    part: str
    """Key of the term among the parts."""

    target_range: TargetRange | None = REAL
    """Labels that it can learn from."""

    variance_scale: float = 1.0
    """Factor of a loss that is divided by a learned variance: `TaskWeights.scale`."""

    def __init__(
        self,
        *,
        head: str = "output",
        tasks: Sequence[str] | None = None,
        task_weights: str = "size",
        task_sizes: Sequence[float] | None = None,
    ):
        super().__init__()
        self.head = head
        self.task_axis = 1 if tasks else None
        self.task_weights = TaskWeights(task_weights, len(tasks or ("",)), task_sizes, self.variance_scale)

    def weights(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """{part: ()}: the sum of the weights of all labels that are there."""
        return {self.part: self.label_weights(batch).sum()}

    def forward(
        self, prediction: Mapping[str, Tensor], batch: Mapping[str, Tensor], embedding: Tensor
    ) -> dict[str, tuple[Tensor, Tensor]]:
        """prediction {head: (N, ...)}, batch, embedding -> {part: (sum (), weight ())}."""
        weight = self.label_weights(batch)
        x = self.prediction(prediction)
        self.require_shape(x, weight)
        loss = self.task_weights(self.losses(x, self.labels(batch)), self.task_axis)
        return {self.part: ((loss * weight).sum(), weight.sum())}

    @abstractmethod
    def losses(self, x: Tensor, y: Tensor) -> Tensor:
        """x: prediction (N, ...) float32, y: labels without NaN -> a loss for every label, shaped like y."""

    def prediction(self, prediction: Mapping[str, Tensor]) -> Tensor:
        """This head's prediction in float32, so that sums do not round under mixed precision."""
        if self.head not in prediction:
            raise ContractError(f"the model has no head {self.head!r}; it has {', '.join(prediction)}")
        return prediction[self.head].float()

    def target(self, batch: Mapping[str, Tensor]) -> Tensor:
        """The batch's labels as they came."""
        key = f"target/{self.head}"
        if key not in batch:
            raise ContractError(f"the batch has no {key!r}; it has {', '.join(sorted(batch))}")
        return batch[key]

    def labels(self, batch: Mapping[str, Tensor]) -> Tensor:
        """Labels with 0 where they are missing, so that no NaN reaches a gradient."""
        y = self.target(batch)
        return torch.nan_to_num(y.float(), nan=0.0) if y.is_floating_point() else y.clamp(min=0)

    def label_weights(self, batch: Mapping[str, Tensor]) -> Tensor:
        """Weight of every label, shaped like the target, that of its task included."""
        y = self.target(batch)
        there = (~y.isnan() if y.is_floating_point() else y >= 0).float()
        stated = batch.get(f"weight/{self.head}")
        if stated is not None:
            there = there * stated.float().reshape(stated.shape + (1,) * (there.dim() - stated.dim()))
        return self.task_weights.weigh(there, self.task_axis)

    def label_shape(self, x: Tensor) -> tuple[int, ...]:
        """Shape of the labels that a prediction of this shape is compared with."""
        return tuple(x.shape)

    def require_shape(self, x: Tensor, labels: Tensor) -> None:
        """ContractError where prediction and labels do not fit."""
        if self.label_shape(x) != tuple(labels.shape):
            raise ContractError(
                f"head {self.head!r} predicts {self.label_shape(x)} but its target is {tuple(labels.shape)}: "
                "give head and data source the same tasks, bin_size and crop"
            )
