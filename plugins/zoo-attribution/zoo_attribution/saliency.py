"""The gradient at the sequence itself: saliency, and input x gradient."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from torch import Tensor

from zoo.interfaces import Attribution, Interpreter
from zoo_attribution.output_gradient import gradients

if TYPE_CHECKING:
    from zoo.model import Model
    from zoo.outputs import Output


class Saliency(Interpreter):
    """The gradient for all four bases (Simonyan et al. 2013): hypothetical.

    It is what the output would do at first; where the model saturates, that is nothing.

    center: subtract the mean over the four bases: no substitution moves along it (Majdandzic et al. 2023).
    """

    def __init__(self, *, center: bool = True):
        self.center = center

    def attribute(self, model: Model, batch: Mapping[str, Tensor], output: Output) -> Attribution:
        """batch as the model takes it -> {input: (N, *axes)} for every real-valued input."""
        _, found = gradients(model, batch, output)
        return Attribution(_center(found, self.center), "hypothetical", centered=self.center)


class InputXGradient(Interpreter):
    """The gradient at the bases that are there (Shrikumar et al. 2016): contributions.

    center: subtract the mean over the four bases from the gradient first.  Without it the scores hold a part that
        no substitution can show, and cannot be compared with effects.
    """

    def __init__(self, *, center: bool = True):
        self.center = center

    def attribute(self, model: Model, batch: Mapping[str, Tensor], output: Output) -> Attribution:
        """batch as the model takes it -> {input: (N, *axes)} for every real-valued input."""
        inputs, found = gradients(model, batch, output)
        values = {k: g * inputs[k] for k, g in _center(found, self.center).items()}
        return Attribution(values, "contribution", centered=self.center)


def _center(found: Mapping[str, Tensor], wanted: bool) -> dict[str, Tensor]:
    return {k: g - g.mean(1, keepdim=True) if wanted and k == "one_hot" else g for k, g in found.items()}
