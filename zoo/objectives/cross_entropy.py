"""Cross-entropy of labels that are there or not, and of one class out of several."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor
from torch.nn import functional

from zoo.errors import ContractError
from zoo.objectives.head_objective import HeadObjective
from zoo.objectives.target_range import TargetRange


class CrossEntropy(HeadObjective):
    """Binary cross-entropy for every task and position, or softmax cross-entropy over classes.

    Without `classes` the target (N, C, ...) holds 0 to 1 and each channel is judged by itself (sigmoid).
    With `classes` it holds ids (N, ...) of integer type and the prediction (N, K, ...) is judged over K
    (softmax); an id below 0 is a missing label.

    head: name of the head.
    classes: names of the classes, None for binary labels.
    positive_weight: weight of a positive binary label against a negative one.
    class_weights: one weight a class, for rare classes; they enter the normalisation.
    smoothing: share of every label that is spread evenly over what it could be, against overconfidence (Szegedy et al.
        2016): a binary label of 1 is learned as 1 - smoothing / 2.  In training alone; the loss that is validated is
        the plain one.
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
        positive_weight: float = 1.0,
        class_weights: Sequence[float] | None = None,
        smoothing: float = 0.0,
    ):
        super().__init__(head=head)
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
        if self.positive_weight != 1:
            weight = weight * (1 + (self.positive_weight - 1) * self.labels(batch).float())
        return weight

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
