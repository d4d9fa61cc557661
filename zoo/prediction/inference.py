"""How a model is run when it is not trained: how many rows at a time, and without leaving a trace on it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch
    from torch import nn


def batch_rows(length: int, device: str = "cpu") -> int:
    """Rows a batch for windows of `length` bp.

    On a CPU the activations of a batch should stay in the caches: about 8 kb a batch was fastest for
    a 64-channel dilated network (4 rows of 2,114 bp, 3 times batch 64).
    """
    budget = 8_192 if device == "cpu" else 1_048_576
    return max(1, min(1024, budget // length))


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Eval mode inside, every module's own mode again outside, on errors too."""
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for module, mode in modes:
            module.training = mode


@contextmanager
def inferring(model: nn.Module, device: torch.device | None = None) -> Iterator[None]:
    """Eval mode, no gradients, and on a CPU the memory layout that convolves fastest; all undone outside.

    device: of the model, for a module that does not say it itself.
    """
    import torch

    from zoo.layers.channels_last import in_channels_last

    on_cpu = (device or model.device).type == "cpu"
    with evaluating(model), torch.inference_mode(), in_channels_last(model, on_cpu):
        yield
