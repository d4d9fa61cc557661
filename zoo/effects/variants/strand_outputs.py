"""The function of a model's inputs that scores are made of: outputs, and profiles behind them, of either strand."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from zoo.model import Model
    from zoo.outputs import Output


def strand_outputs(
    model: Model, output: Output, profiles: Output | None, turned: bool
) -> Callable[[Mapping[str, Tensor]], Tensor]:
    """{key: (N, ...)} -> (N, K): the outputs, then each profile's positions; of the other strand where `turned`.

    The model is held weakly.
    """
    alive = weakref.ref(model)

    def run(inputs: Mapping[str, Tensor]) -> Tensor:
        prediction = _read(alive(), inputs, turned, output.raw)
        parts = [output.select(prediction)]
        if profiles is not None:
            if profiles.raw != output.raw:
                prediction = _read(alive(), inputs, turned, profiles.raw)
            parts += [t[0].of(prediction) for t in profiles.terms]
        return torch.cat(parts, 1)

    return run


def _read(model: Model, inputs: Mapping[str, Tensor], turned: bool, raw: bool) -> dict[str, Tensor]:
    """The model's prediction; of the other strand, turned back, where asked."""
    run: Callable = model if raw else model.predict
    if not turned:
        return run(inputs)
    return {head: model.spec.outputs[head][0].flip(x) for head, x in run(model.flip(inputs)).items()}
