"""Matrix products, normalisation by stored statistics, and what works on the features of one position."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from zoo.effects.engine.layout import Layout, expand_rows
from zoo.effects.engine.rules.operation import Operation, RecordedCall, Value, operation
from zoo.effects.engine.rules.pointwise import Apply, DenseLinear, Scale


@dataclass(eq=False)
class Product(Operation):
    """The last feature axis times a matrix (in, out), position by position."""

    matrix: Tensor = field(kw_only=True)

    def run(self, batch, x: Tensor) -> Tensor:
        return (expand_rows(x, self.inputs[0].layout) @ self.matrix).reshape(len(x), -1)


@dataclass(eq=False)
class Flattened(Operation):
    """A linear layer over all positions and features at once: only the columns of changed positions count.

    matrix: (T * F, out), positions before features.
    """

    matrix: Tensor = field(kw_only=True)

    def run(self, batch, x: Tensor) -> Tensor:
        windows = batch.windows[self.inputs[0].index]
        width = x.shape[1]
        out = x.new_zeros(len(batch), self.matrix.shape[1])
        changes = np.flatnonzero((np.diff(windows.low) != 0) | (np.diff(windows.high) != 0)) + 1
        for a, b in pairwise([0, *changes.tolist(), len(batch)]):
            low, high = int(windows.low[a]), int(windows.high[a])
            if high > low:
                rows = x[int(windows.first[a]) : int(windows.first[b])].view(b - a, -1)
                torch.mm(rows, self.matrix[low * width : high * width], out=out[a:b])
        return out


@operation("linear")
def linear(call: RecordedCall, input: Value, weight: Tensor, bias: Tensor | None = None) -> Operation | None:
    if isinstance(weight, Value) or isinstance(bias, Value):
        return None
    if input.dense:
        return DenseLinear((input,), function=lambda d: functional.linear(d, weight), work=weight.numel())
    if input.layout.flat:
        layout = input.layout
        shaped = weight.view(len(weight), *layout.shape[1:]).movedim(layout.position, 1)
        matrix = shaped.reshape(len(weight), -1).T.contiguous()
        return Flattened((input,), work=weight.numel() / layout.length, matrix=matrix)
    return _product(call, input, weight.T)


@operation("matmul", "mm")
def matmul(call: RecordedCall, a: Any, b: Any) -> Operation | None:
    if not isinstance(a, Value) or not isinstance(b, Tensor) or b.dim() != 2:
        return None
    if a.dense:
        return DenseLinear((a,), function=lambda d: d @ b, work=b.numel())
    return None if a.layout.flat else _product(call, a, b)


def _product(call: RecordedCall, x: Value, matrix: Tensor) -> Operation | None:
    last = len(x.shape) - 1
    if last in (x.layout.batch, x.layout.position):
        return None
    layout = Layout(call.shape, call.batch, x.layout.position)
    work = matrix.numel() * x.layout.width / matrix.shape[0]
    return Product((x,), layout=layout, work=work, matrix=matrix.contiguous())


@operation("batch_norm")
def batch_norm(
    call: RecordedCall,
    input: Value,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Operation | None:
    if training or running_var is None or any(isinstance(x, Value) for x in (running_mean, running_var, weight, bias)):
        return None
    factor = torch.rsqrt(running_var + eps)
    factor = factor if weight is None else factor * weight
    if input.dense:
        shape = (1, -1, *[1] * (len(input.shape) - 2))
        return DenseLinear((input,), function=lambda d: d * factor.view(shape))
    if input.layout.flat or (input.layout.batch, input.layout.position) != (0, 2) or len(input.shape) != 3:
        return None
    return Scale((input,), layout=input.layout, factor=factor)


@operation("layer_norm")
def layer_norm(call: RecordedCall, input: Value, normalized_shape: Any, weight=None, bias=None, eps: float = 1e-5):
    rank, over = len(input.shape), len(normalized_shape)
    if isinstance(weight, Value) or isinstance(bias, Value):
        return None
    return _rowwise(
        call, input, range(rank - over, rank), lambda v: functional.layer_norm(v, normalized_shape, weight, bias, eps)
    )


@operation("softmax", "log_softmax")
def softmax(
    call: RecordedCall, input: Value, dim: int | None = None, *arguments: Any, dtype: Any = None, **keywords: Any
):
    if dim is None or dtype is not None:
        return None
    function: Callable = getattr(torch, call.name)
    axis = dim % len(input.shape)
    at = axis if input.dense else 1 + input.layout.feature_of(axis)
    return _rowwise(call, input, [axis], lambda v: function(v, at))


def _rowwise(call: RecordedCall, x: Value, dims, function: Callable[[Tensor], Tensor]) -> Operation | None:
    """A function of the features at each position."""
    if x.dense:
        return None if x.batch in dims else Apply((x,), (x,), function=function)
    if x.layout.flat or x.layout.position in dims or x.layout.batch in dims:
        return None
    return Apply((x,), (x,), x.layout, function=function)
