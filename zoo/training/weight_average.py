"""The exponential moving average of the weights, by which epochs are judged and which is saved (Polyak 1992).

step -> average += (1 - decay) * (weights - average)      validation: the average in the place of the weights
"""

from __future__ import annotations

from typing import Any

import lightning.pytorch as pl
import torch
from lightning.pytorch.callbacks import Callback
from torch import Tensor


class WeightAverage(Callback):
    """Averages a model's weights over the steps; what is validated, and saved as the best epoch, is the average.

    decay: share of the average that a step keeps, at the most.  At step t it is min(decay, (1 + t) / (10 + t)), so
        that the weights of the beginning are forgotten in a short run too.

    Buffers are not averaged: running statistics of a normalisation are those of the network that is trained.  Every
    process computes the same average, since all take the same steps.
    """

    def __init__(self, decay: float):
        self.decay, self.step = decay, 0
        self.average: list[Tensor] = []

    def on_train_start(self, trainer: pl.Trainer, module: Any) -> None:
        """The average of no step is the weights at hand; that of a run that goes on was loaded."""
        if not self.average:
            self.average = [p.detach().clone() for p in _trained(module)]
        self.average = [a.to(p) for a, p in zip(self.average, _trained(module), strict=True)]

    def on_train_batch_end(self, trainer: pl.Trainer, module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
        """Move the average towards the weights."""
        self.step += 1
        share = 1 - min(self.decay, (1 + self.step) / (10 + self.step))
        torch._foreach_lerp_(self.average, [p.detach() for p in _trained(module)], share)

    def on_validation_start(self, trainer: pl.Trainer, module: Any) -> None:
        """The average takes the place of the weights."""
        self._exchange(module)

    def on_validation_end(self, trainer: pl.Trainer, module: Any) -> None:
        """The weights come back, after the best epoch was saved."""
        self._exchange(module)

    def state_dict(self) -> dict[str, Any]:
        return {"step": self.step, "average": self.average}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.step, self.average = int(state["step"]), list(state["average"])

    def teardown(self, trainer: pl.Trainer, module: Any, stage: str) -> None:
        """Leave the average in the model, for the case that no validation chooses an epoch."""
        with torch.no_grad():
            for p, a in zip(_trained(module), self.average, strict=bool(self.average)):
                p.copy_(a)

    def _exchange(self, module: Any) -> None:
        with torch.no_grad():
            for p, a in zip(_trained(module), self.average, strict=True):
                weights = p.clone()
                p.copy_(a)
                a.copy_(weights)


def _trained(module: Any) -> list[torch.nn.Parameter]:
    return [p for p in module.model.parameters() if p.requires_grad]
