"""Calls whose backward pass propagates multipliers in place of gradients.

x stands for the value at the sequence and r for that at the reference, which alone is differentiated.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from zoo_attribution.rescale.kernels import relu_multipliers

CLOSE = 1e-6
"""Differences below this are too small to divide by; the derivative is taken instead."""


class _Slope(torch.autograd.Function):
    """A function of r, the first argument, that keeps its slope."""

    @staticmethod
    @once_differentiable
    def backward(ctx, gradient: Tensor):
        """Gradient of y (B, ...) to that of r."""
        return gradient * ctx.saved_tensors[0], *[None] * (len(ctx.needs_input_grad) - 1)


class ReLU(_Slope):
    """Slope between the points r and x."""

    @staticmethod
    def forward(ctx, r: Tensor, x: Tensor, row: Tensor) -> Tensor:
        """r (B, ...), x (E, ...) of one memory layout, row (B,)."""
        result = relu_multipliers(r, x, row)
        if result is None:
            x = x[row]
            y, difference = torch.relu(r), x - r
            slope = (torch.relu(x) - y) / difference
            result = y, torch.where(difference == 0, (r > 0).to(r), slope)
        ctx.save_for_backward(result[1])
        return result[0]


class Elementwise(_Slope):
    """Slope between the points r and x of any function of one number."""

    @staticmethod
    def forward(ctx, r: Tensor, x: Tensor, y_at_x: Tensor, run: Callable[[Tensor], Tensor]) -> Tensor:
        """r, x, y_at_x (B, ...)."""
        y = run(r)
        difference = x - r
        close = difference.abs() < CLOSE
        slope = (y_at_x - y) / torch.where(close, 1, difference)
        if close.any():
            with torch.enable_grad():
                leaf = r.detach().requires_grad_()
                (derivative,) = torch.autograd.grad(run(leaf).sum(), leaf)
            slope = torch.where(close, derivative, slope)
        ctx.save_for_backward(slope)
        return y


class Maximum(torch.autograd.Function):
    """The largest of some positions: the excess of one side is assigned to the position of its own maximum."""

    @staticmethod
    def forward(ctx, r: Tensor, x: Tensor, axis: int, pool: Callable[[Tensor], tuple[Tensor, Tensor]]) -> Tensor:
        """r, x (B, ...); pool: values, and indices of positions along `axis`, of the same rank as its argument."""
        y, at = pool(r)
        y_at_x, at_x = pool(x)
        larger = torch.maximum(y, y_at_x)
        up = _share(larger - y, y_at_x - r.gather(axis, at_x))
        down = _share(y_at_x - larger, x.gather(axis, at) - y)
        ctx.save_for_backward(at, at_x, up, down)
        ctx.axis, ctx.shape = axis, r.shape
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx, gradient: Tensor):
        """Gradient of the maxima to that of r (B, ...)."""
        at, at_x, up, down = ctx.saved_tensors
        into = gradient.new_zeros(ctx.shape)
        into.scatter_add_(ctx.axis, at_x, gradient * up)
        into.scatter_add_(ctx.axis, at, gradient * down)
        return into, None, None, None


class PathMean(torch.autograd.Function):
    """The mean gradient on the straight path from r to x, at Gauss-Legendre points."""

    @staticmethod
    def forward(ctx, run: Callable[..., Any], points: int, x: Sequence[Tensor], *r: Tensor):
        """r, x: what the call depends on, (B, ...) each; run: the call, to a tensor or to several."""
        y = run(*r)
        ctx.run, ctx.points, ctx.x, ctx.several = run, points, x, not isinstance(y, Tensor)
        ctx.save_for_backward(*r)
        ctx.set_materialize_grads(False)
        if not ctx.several:
            return y.clone()
        y = tuple(v if v is None else v.clone() for v in y)
        ctx.mark_non_differentiable(*(v for v in y if v is not None and not v.is_floating_point()))
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx, *gradients: Tensor | None):
        """Gradients of the results to those of r."""
        r = ctx.saved_tensors
        sums: list[Tensor] = [torch.zeros_like(v) for v in r]
        for along, weight in _gauss_legendre(ctx.points):
            with torch.enable_grad():
                here = [torch.lerp(a, b, along).requires_grad_() for a, b in zip(r, ctx.x, strict=True)]
                y = ctx.run(*here)
                pairs = zip(y if ctx.several else (y,), gradients, strict=True)
                reached = [(v, g) for v, g in pairs if g is not None and v is not None and v.requires_grad]
                if not reached:
                    continue
                values, upstream = zip(*reached, strict=True)
                parts = torch.autograd.grad(values, here, upstream, allow_unused=True, materialize_grads=True)
            for total, part in zip(sums, parts, strict=True):
                total.add_(part, alpha=weight)
        return None, None, None, *sums


def _share(part: Tensor, whole: Tensor) -> Tensor:
    """part / whole, 0 where there is no part; |part| is never more than |whole|."""
    return torch.where(part == 0, 0, part / torch.where(part == 0, 1, whole))


@cache
def _gauss_legendre(points: int) -> list[tuple[float, float]]:
    """Places on [0, 1] and their weights."""
    nodes, weights = np.polynomial.legendre.leggauss(points)
    return list(zip(((nodes + 1) / 2).tolist(), (weights / 2).tolist(), strict=True))
