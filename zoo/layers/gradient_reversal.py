"""Gradient reversal: the identity forward, the negative gradient backward (Ganin and Lempitsky 2015)."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class GradientReversal(nn.Module):
    """x -> x, with d/dx multiplied by -strength: what lies before learns the opposite of what lies behind."""

    def __init__(self, strength: float = 1.0):
        super().__init__()
        self.strength = strength

    def forward(self, x: Tensor) -> Tensor:
        """x: any shape, returned as it is."""
        return _Reverse.apply(x, self.strength)


class _Reverse(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x: Tensor, strength: float) -> Tensor:
        ctx.strength = strength
        return x.view_as(x)

    @staticmethod
    def backward(ctx, gradient: Tensor) -> tuple[Tensor, None]:
        return -ctx.strength * gradient, None
