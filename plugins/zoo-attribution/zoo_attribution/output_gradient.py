"""Gradients of one output with respect to a model's inputs, in batches and a memory layout that suit the device."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from zoo.layers.channels_last import in_channels_last
from zoo.prediction.inference import batch_rows, evaluating

if TYPE_CHECKING:
    from zoo.model import Model
    from zoo.outputs import Output


def gradients(model: Model, batch: Mapping[str, Tensor], output: Output) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """The prepared inputs, and the gradient of the output for each that is real-valued: {input: (N, *axes)}."""
    inputs = {k: x.detach() for k, x in model.prepare(batch).items()}
    free = [k for k in model.input_fields if k in inputs and inputs[k].is_floating_point()]
    rows = batch_rows(model.spec.input_length, model.device.type)
    with differentiating(model):
        pieces = zip(*(x.split(rows) for x in inputs.values()), strict=True)
        parts = [gradients_at(model, dict(zip(inputs, piece, strict=True)), output, free) for piece in pieces]
    return inputs, {k: torch.cat(each) for k, each in zip(free, zip(*parts, strict=True), strict=True)}


def gradients_at(model: Model, inputs: Mapping[str, Tensor], output: Output, free: Sequence[str]) -> tuple[Tensor, ...]:
    """Gradients of the output (N,) for the inputs `free`, inside `differentiating`."""
    leaves = {k: inputs[k].detach().clone().requires_grad_() for k in free}
    scalar = scalar_output(model, {**inputs, **leaves}, output)
    return torch.autograd.grad(scalar.sum(), list(leaves.values()), allow_unused=True, materialize_grads=True)


def scalar_output(model: Model, inputs: Mapping[str, Tensor], output: Output) -> Tensor:
    """The output of prepared inputs: (N,)."""
    return output.scalar(model(inputs) if output.raw else model.predict(inputs))


@contextmanager
def differentiating(model: nn.Module) -> Iterator[None]:
    """Eval mode, weights without gradients, gradients of inputs on; all as before outside."""
    weights = [p for p in model.parameters() if p.requires_grad]
    on_cpu = model.device.type == "cpu"
    try:
        for p in weights:
            p.requires_grad_(False)
        # cuDNN refuses to differentiate recurrent layers in eval mode.
        recurrent = any(isinstance(module, nn.RNNBase) for module in model.modules())
        with (
            evaluating(model),
            torch.inference_mode(False),
            torch.enable_grad(),
            torch.backends.cudnn.flags(enabled=torch.backends.cudnn.enabled and not recurrent),
            in_channels_last(model, on_cpu),
        ):
            yield
    finally:
        for p in weights:
            p.requires_grad_(True)
