"""Cross-entropy of labels that are there or not, and of one class out of several."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, cast

import torch
from torch import Tensor
from torch.nn import functional

from zoo.errors import ConfigError, ContractError
from zoo.objectives.head_objective import HeadObjective
from zoo.objectives.target_range import TargetRange


class CrossEntropy(HeadObjective):
    """Binary cross-entropy for every task and position, or softmax cross-entropy over classes.

    Without `classes` the target (N, C, ...) holds 0 to 1 and each channel is judged by itself (sigmoid).
    With `classes` it holds ids (N, ...) of integer type and the prediction (N, K, ...) is judged over K
    (softmax); an id below 0 is a missing label.

    head: name of the head.
    classes: names of the classes, None for binary labels.
    positive_weight: weight of a positive binary label against a negative one, or "balanced": in every task the
        positive labels then weigh as much together as the negative ones, missing labels counting for neither.
    class_weights: one weight a class, for rare classes; they enter the normalisation.
    smoothing: share of every label that is spread evenly over what it could be, against overconfidence (Szegedy et al.
        2016): a binary label of 1 is learned as 1 - smoothing / 2.  In training alone; the loss that is validated is
        the plain one.
    tasks, task_weights, task_sizes: how much each task counts, as in `zoo.objectives.task_weights.TaskWeights`.
    task_positives: (C,) sum of the weights of the positive labels of every task in the training split.
    """

    part = "cross_entropy"
    target_range = TargetRange(
        "labels from 0 to 1", "objective=squared_error for measured values", low=0, high=1, fractions=True
    )

    def __init__(
        self,
        *,
        head: str = "output",
        classes: Sequence[str] | None = None,
        positive_weight: float | Literal["balanced"] = 1.0,
        class_weights: Sequence[float] | None = None,
        smoothing: float = 0.0,
        tasks: Sequence[str] | None = None,
        task_weights: Literal["size", "uniform", "uncertainty"] = "size",
        task_sizes: Sequence[float] | None = None,
        task_positives: Sequence[float] | None = None,
    ):
        tasks = None if classes else tasks
        by_task, sizes = _positive_weights(positive_weight, len(tasks or ("",)), task_sizes, task_positives)
        super().__init__(head=head, tasks=tasks, task_weights=task_weights, task_sizes=sizes)
        if not 0 <= smoothing < 0.5:
            raise ContractError(f"smoothing is {smoothing}: give a share of 0 or more and below 0.5, such as 0.1")
        self.smoothing = smoothing
        self.classes = tuple(classes) if classes else None
        if self.classes:
            last = len(self.classes) - 1
            self.target_range = TargetRange(
                f"ids of its {last + 1} classes, 0 to {last}", "classes as the data name them", ("class",), 0, last
            )
        self.activation = "softmax" if self.classes else "sigmoid"
        self.positive_weight = positive_weight
        self.register_buffer("positive_weights", by_task, persistent=False)
        if class_weights is not None and len(class_weights) != len(self.classes or ()):
            raise ContractError(
                f"{len(class_weights)} class weights for {len(self.classes or ())} classes: give one for each"
            )
        table = None if class_weights is None else torch.tensor(class_weights, dtype=torch.float32)
        self.register_buffer("class_weights", table, persistent=False)

    def label_weights(self, batch: Mapping[str, Tensor]) -> Tensor:
        """Weight of every label, those of its class included."""
        weight = super().label_weights(batch)
        if self.classes:
            if self.target(batch).is_floating_point():
                raise ContractError(f"target {self.head!r} must hold class ids of integer type, not floats")
            return weight if self.class_weights is None else weight * self.class_weights[self.labels(batch).long()]
        if self.positive_weight == 1:
            return weight
        factor = cast(Tensor, self.positive_weights)
        if self.task_axis is not None:
            factor = factor.reshape(-1, *[1] * (weight.dim() - 2))
        return weight * (1 + (factor - 1) * self.labels(batch).float())

    def label_shape(self, x: Tensor) -> tuple[int, ...]:
        """(N, C, ...) for binary labels, (N, ...) for class ids."""
        if not self.classes:
            return super().label_shape(x)
        if x.dim() < 2 or x.shape[1] != len(self.classes):
            raise ContractError(f"head {self.head!r} gives {tuple(x.shape)} for {len(self.classes)} classes on axis 1")
        return (x.shape[0], *x.shape[2:])

    def losses(self, x: Tensor, y: Tensor) -> Tensor:
        """x: logits (N, C, ...), or (N, K, ...) for class ids y (N, ...)."""
        smoothing = self.smoothing if self.training else 0.0
        if self.classes:
            return functional.cross_entropy(x, y.long(), reduction="none", label_smoothing=smoothing)
        y = y.float() * (1 - smoothing) + smoothing / 2 if smoothing else y.float()
        return functional.binary_cross_entropy_with_logits(x, y, reduction="none")


def _positive_weights(
    positive_weight: float | str, n_tasks: int, sizes: Sequence[float] | None, positives: Sequence[float] | None
) -> tuple[Tensor, Sequence[float] | None]:
    """Weight of the positive labels of every task (C,), and the tasks' sizes when they are weighed by it."""
    if positive_weight == "balanced":
        if sizes is None or positives is None:
            raise ConfigError(
                "positive_weight=balanced needs the labels of the training split, which a run counts: train with it, "
                "or give a number"
            )
        size, positive = (torch.tensor(x, dtype=torch.float64) for x in (sizes, positives))
        one_sided = (positive <= 0) | (positive >= size)
        factor = torch.where(one_sided, 1.0, (size - positive) / positive.clamp(min=1e-300))
    elif isinstance(positive_weight, str) or not positive_weight > 0:
        raise ConfigError(f"positive_weight is {positive_weight!r}: give a number above 0, or balanced")
    else:
        factor = torch.full((n_tasks,), float(positive_weight), dtype=torch.float64)
    if sizes is not None and positives is not None:
        added = (factor - 1) * torch.tensor(positives, dtype=torch.float64)
        sizes = (torch.tensor(sizes, dtype=torch.float64) + added).tolist()
    return factor.float() if n_tasks > 1 else factor.float().reshape(()), sizes
