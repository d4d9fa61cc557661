"""Convolutions along the sequence, and what else slides: average pooling of any stride."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from zoo.effects.engine.layout import Layout
from zoo.effects.engine.rules.operation import Operation, RecordedCall, Value, operation
from zoo.effects.engine.rules.pointwise import DenseLinear
from zoo.effects.engine.windows import Span, hull


@dataclass(eq=False)
class Convolve(Operation):
    """A convolution of stride 1, then, where fused, a relu and a residual sum.

    The difference goes through every tap by one matrix product (rows, C) x (C, K * O); no zero is multiplied
    and no reference is read, since a convolution is linear.

    weight: (C, K * O), tap by tap.  shifts: (K,) position p reaches p + shifts[k].
    relu: the value whose reference the activation meets.  With a residual it is the second input.
    """

    weight: Tensor = field(kw_only=True)
    shifts: tuple[int, ...] = ()
    relu: Value | None = None

    def windows(self, *spans: Span) -> Span:
        low, high = spans[0]
        reached = low + min(self.shifts), np.where(high > low, high + max(self.shifts), low + min(self.shifts))
        return hull(reached, *spans[1:])

    def needs(self, first: int, last: int) -> list[tuple[int, int]]:
        own = first - max(self.shifts), last - min(self.shifts)
        return [own, *[(first, last)] * (len(self.inputs) - 1)]

    def floats(self, rows: list, out: Any) -> Any:
        return rows[0] * (self.weight.shape[0] + self.weight.shape[1]) + 2 * out * self.layout.width

    def run(self, batch, x: Tensor, rest: Tensor | None = None) -> Tensor:
        out = batch.windows[self.index]
        relu = None if self.relu is None else (batch.rows(self.relu), batch.base(self.relu))
        added = None if rest is None else (rest, batch.windows[self.inputs[1].index])
        windows = batch.windows[self.inputs[0].index]
        return batch.backend.convolve(x, self.weight, self.shifts, windows, out, relu=relu, rest=added)


@dataclass(eq=False)
class Slide(Operation):
    """A linear function of sliding windows, (N, C, W) -> (N, O, V), run on the differences with zeros around.

    span: positions that one position of the result reads.  stride, padding: as of the call.
    """

    function: Callable[[Tensor], Tensor] = field(kw_only=True)
    span: int = 1
    stride: int = 1
    padding: int = 0

    def windows(self, span: Span) -> Span:
        return slide(span, self.span, self.stride, self.padding)

    def needs(self, first: int, last: int) -> list[tuple[int, int]]:
        return [slide_back(first, last, self.span, self.stride, self.padding)]

    def floats(self, rows: list, out: Any) -> Any:
        width = self.inputs[0].layout.width
        return (out * self.stride + self.span) * width * 2 + 3 * out * self.layout.width

    def run(self, batch, x: Tensor) -> Tensor:
        into, out = batch.windows[self.inputs[0].index], batch.windows[self.index]
        most = int((out.high - out.low).max(initial=0))
        if most == 0:
            return x.new_zeros(0, self.layout.width)
        wide = (most - 1) * self.stride + self.span
        begin = torch.from_numpy(out.low * self.stride - self.padding).to(batch.device)
        mutant = into.mutant(batch.device)
        at = into.position(batch.device) - begin[mutant]
        inside = (at >= 0) & (at < wide)
        canvas = x.new_zeros(len(batch), wide, x.shape[1])
        canvas[mutant[inside], at[inside]] = x[inside]
        y = self.function(canvas.transpose(1, 2)).transpose(1, 2)
        low, mutant = out.tensor("low", batch.device), out.mutant(batch.device)
        return y[mutant, out.position(batch.device) - low[mutant]]


def slide(span: Span, size: int, stride: int, padding: int) -> Span:
    """Positions of the result that read a window."""
    low, high = span
    first = -((size - 1 - padding - low) // stride)
    last = (high - 1 + padding) // stride + 1
    return first, np.where(high > low, np.maximum(last, first), first)


def slide_back(first: int, last: int, size: int, stride: int, padding: int) -> tuple[int, int]:
    """Positions that positions first to last of the result read."""
    return first * stride - padding, (last - 1) * stride - padding + size


def one(x: Any) -> int:
    """The number in a tuple of one, or the number."""
    return int(x[0]) if isinstance(x, (tuple, list)) else int(x)


def is_signal(x: Any) -> bool:
    """A local value (N, C, T)."""
    layout = getattr(x, "layout", None)
    return layout is not None and x.local and not layout.flat and (layout.batch, layout.position) == (0, 2)


@operation("conv1d")
def conv1d(
    call: RecordedCall,
    input: Value,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Operation | None:
    if isinstance(weight, Value) or isinstance(bias, Value):
        return None
    stride, dilation = one(stride), one(dilation)
    if input.dense:
        slides = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
        return DenseLinear((input,), function=partial(functional.conv1d, weight=weight, **slides))
    if not is_signal(input):
        return None
    channels, _, size = weight.shape
    reach = dilation * (size - 1)
    left = reach // 2 if padding == "same" else 0 if padding == "valid" else one(padding)
    layout = Layout(call.shape, 0, 2)
    if stride == 1 and groups == 1:
        taps = weight.permute(1, 2, 0).reshape(weight.shape[1], size * channels).contiguous()
        shifts = tuple(left - k * dilation for k in range(size))
        return Convolve((input,), layout=layout, work=taps.numel(), weight=taps, shifts=shifts)
    return Slide(
        (input,),
        layout=layout,
        work=weight.numel() / stride,
        function=lambda x: functional.conv1d(x, weight, None, stride, 0, dilation, groups),
        span=reach + 1,
        stride=stride,
        padding=left,
    )


@operation("avg_pool1d")
def avg_pool1d(
    call: RecordedCall,
    input: Value,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Operation | None:
    size, padding = one(kernel_size), one(padding)
    stride = size if stride is None or stride == () else one(stride)
    if not is_signal(input) or ceil_mode or (padding and not count_include_pad):
        return None
    return Slide(
        (input,),
        layout=Layout(call.shape, 0, 2),
        function=lambda x: functional.avg_pool1d(x, size, stride),
        span=size,
        stride=stride,
        padding=padding,
    )
