"""The gradient of an output with respect to the inputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from zoo.inference import evaluating
from zoo.interfaces import Attribution, Interpreter

if TYPE_CHECKING:
    from zoo.model import Model
    from zoo.outputs import Output

__all__ = ["Gradient"]


class Gradient(Interpreter):
    """Saliency (Simonyan et al. 2013), by default times the input.

    times_input: True gives contributions of the bases that are there; False gives the gradient for all
        four bases, which is hypothetical.
    center: subtract the mean over the four bases from the gradient of the sequence: the component off the
        simplex of one-hot columns is noise (Majdandzic et al. 2023).
    """

    def __init__(self, *, times_input: bool = True, center: bool = True):
        self.times_input, self.center = times_input, center

    def attribute(self, model: Model, batch: Mapping[str, Tensor], output: Output) -> Attribution:
        """batch as the model takes it -> {input: (N, *axes)} for every real-valued input."""
        with evaluating(model), torch.enable_grad(), torch.backends.cudnn.flags(enabled=False):
            inputs = {k: x.detach() for k, x in model.prepare(batch).items()}
            free = [k for k in model.input_fields if k in inputs and inputs[k].is_floating_point()]
            for key in free:
                inputs[key] = inputs[key].clone().requires_grad_()
            scalar = output.scalar(model(inputs) if output.raw else model.predict(inputs))
            gradients = torch.autograd.grad(
                scalar.sum(), [inputs[k] for k in free], allow_unused=True, materialize_grads=True
            )
        values = {k: self._score(k, inputs[k].detach(), g) for k, g in zip(free, gradients, strict=True)}
        return Attribution(values, "contribution" if self.times_input else "hypothetical")

    def _score(self, key: str, x: Tensor, gradient: Tensor) -> Tensor:
        if key == "one_hot" and self.center:
            gradient = gradient - gradient.mean(1, keepdim=True)
        return gradient * x if self.times_input else gradient
