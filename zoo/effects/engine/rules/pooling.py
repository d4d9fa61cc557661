"""Maxima over windows of positions, and reductions over all of them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from zoo.effects.engine.layout import Layout, axes
from zoo.effects.engine.rules.convolution import avg_pool1d, is_signal, one, slide, slide_back
from zoo.effects.engine.rules.operation import Operation, RecordedCall, Value, operation
from zoo.effects.engine.rules.pointwise import Apply, DenseLinear
from zoo.effects.engine.windows import Span


@dataclass(eq=False)
class MaxPool(Operation):
    """The maximum of `size` positions, every `stride`."""

    size: int = 1
    stride: int = 1
    padding: int = 0

    def windows(self, span: Span) -> Span:
        return slide(span, self.size, self.stride, self.padding)

    def needs(self, first: int, last: int) -> list[tuple[int, int]]:
        return [slide_back(first, last, self.size, self.stride, self.padding)]

    def run(self, batch, x: Tensor) -> Tensor:
        (value,) = self.inputs
        pool = self.size, self.stride, self.padding, value.layout.length
        where = batch.windows[value.index]
        return batch.backend.max_pool(x, where, batch.rows(value), batch.base(value), batch.windows[self.index], pool)


@dataclass(eq=False)
class Total(Operation):
    """A sum over all positions, and over the other axes in `dims`, times `factor`."""

    dims: tuple[int, ...] = ()
    keepdim: bool = False
    factor: float = 1.0

    def run(self, batch, x: Tensor) -> Tensor:
        (value,) = self.inputs
        sums = batch.backend.segment_sum(x, batch.windows[value.index]) * self.factor
        return value.layout.with_length(1).from_rows(sums).sum(self.dims, keepdim=self.keepdim)


@dataclass(eq=False)
class Maximum(Operation):
    """The maximum over all positions."""

    keepdim: bool = False
    pair: bool = False

    def run(self, batch, x: Tensor) -> Tensor | tuple:
        (value,) = self.inputs
        sides = batch.reference.sides(value.index, batch.backend)
        best = batch.backend.maximum(x, batch.windows[value.index], batch.rows(value), batch.row, sides)
        natural = value.layout.with_length(1).from_rows(best)
        natural = natural if self.keepdim else natural.squeeze(value.layout.position)
        return (natural,) if self.pair else natural


@operation("max_pool1d")
def max_pool1d(
    call: RecordedCall,
    input: Value,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Operation | None:
    if not is_signal(input) or one(dilation) != 1 or return_indices:
        return None
    size = one(kernel_size)
    stride = size if stride is None or stride == () else one(stride)
    return MaxPool((input,), (input,), Layout(call.shape, 0, 2), size=size, stride=stride, padding=one(padding))


@operation("adaptive_avg_pool1d", "adaptive_max_pool1d")
def adaptive(call: RecordedCall, input: Value, output_size: Any, return_indices: bool = False) -> Operation | None:
    bins = one(output_size)
    if not is_signal(input) or return_indices or input.layout.length % bins:
        return None
    size = input.layout.length // bins
    if call.name == "adaptive_max_pool1d":
        if bins == 1:
            return Maximum((input,), (input,), keepdim=True)
        return max_pool1d(call, input, size)
    if bins == 1:
        return Total((input,), dims=(2,), keepdim=True, factor=1 / size)
    return avg_pool1d(call, input, size)


@operation("sum", "mean")
def total(
    call: RecordedCall, x: Value, dim: Any = None, keepdim: bool = False, *, dtype: Any = None
) -> Operation | None:
    if dtype is not None:
        return None
    mean = call.name == "mean"
    dims = axes(dim, len(x.shape))
    if x.batch in dims:
        return None
    if x.dense:
        return DenseLinear((x,), function=lambda d: (d.mean if mean else d.sum)(dims, keepdim=keepdim))
    if x.layout.flat:
        return None
    if x.layout.position not in dims:
        return _over_features(call, x, dims, keepdim, mean)
    size = math.prod(x.shape[axis] for axis in dims)
    return Total((x,), dims=dims, keepdim=keepdim, factor=1 / size if mean else 1.0)


@operation("amax")
def amax(call: RecordedCall, x: Value, dim: Any = (), keepdim: bool = False) -> Operation | None:
    dims = axes(dim, len(x.shape))
    if x.dense:
        return None if x.batch in dims else Apply((x,), (x,), function=lambda v: v.amax(dims, keepdim=keepdim))
    if x.layout.flat or dims != (x.layout.position,):
        return None
    return Maximum((x,), (x,), keepdim=keepdim)


@operation("logsumexp")
def logsumexp(call: RecordedCall, input: Value, dim: Any, keepdim: bool = False) -> Operation | None:
    dims = axes(dim, len(input.shape))
    if not input.dense or input.batch in dims:
        return None
    return Apply((input,), (input,), function=lambda v: v.logsumexp(dims, keepdim=keepdim))


@operation("max")
def largest(call: RecordedCall, x: Value, dim: int | None = None, keepdim: bool = False) -> Operation | None:
    """max(dim) gives values and indices; the rule is for models that use the values alone."""
    if dim is None or isinstance(dim, Value) or not x.local or axes(dim, len(x.shape)) != (x.layout.position,):
        return None
    return Maximum((x,), (x,), keepdim=keepdim, pair=True)


def _over_features(call: RecordedCall, x: Value, dims: tuple[int, ...], keepdim: bool, mean: bool) -> Operation:
    layout = x.layout
    features = tuple(1 + layout.feature_of(axis) for axis in dims)
    gone = 0 if keepdim else sum(axis < layout.position for axis in dims)
    result = Layout(call.shape, call.batch, layout.position - gone)
    return _Features((x,), layout=result, dims=features, mean=mean)


@dataclass(eq=False)
class _Features(Operation):
    """A sum or mean over features."""

    dims: tuple[int, ...] = ()
    mean: bool = False

    def run(self, batch, x: Tensor) -> Tensor:
        each = x.reshape(len(x), *self.inputs[0].layout.features)
        return (each.mean(self.dims) if self.mean else each.sum(self.dims)).reshape(len(x), -1)
