"""Calls that treat every number, or every position, by itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from zoo.effects.engine.layout import Layout, expand_rows
from zoo.effects.engine.rules.operation import Operation, RecordedCall, Value, operation


class Identity(Operation):
    """The difference stays what it is."""

    def run(self, batch, x: Tensor) -> Tensor:
        return x


@dataclass(eq=False)
class Scale(Operation):
    """A product with a constant: a number, one a feature (F,), or one a position and feature (T, F)."""

    factor: Tensor | float = 1.0

    def run(self, batch, x: Tensor) -> Tensor:
        if isinstance(self.factor, Tensor) and self.factor.dim() == 2:
            return x * self.factor[batch.windows[self.index].position(x.device)]
        return x * self.factor


@dataclass(eq=False)
class DenseLinear(Operation):
    """A linear call on a difference that is known as a whole."""

    function: Callable[..., Tensor] = field(kw_only=True)

    def run(self, batch, *x: Tensor) -> Tensor:
        return self.function(*x)


class Relu(Operation):
    """relu(reference + x) - relu(reference)."""

    def run(self, batch, x: Tensor) -> Tensor:
        (value,) = self.reads
        if value.dense:
            reference = batch.natural(value)
            return torch.relu(reference + x) - torch.relu(reference)
        return batch.backend.relu(x, batch.windows[self.index], batch.rows(value), batch.base(value))


@dataclass(eq=False)
class Apply(Operation):
    """function(reference + x) - function(reference), position by position.

    One input or two; an input that does not differ has its place in `reads` alone.
    """

    function: Callable[..., Tensor] = field(kw_only=True)

    def run(self, batch, *x: Tensor) -> Tensor:
        differs = dict(zip([v.index for v in self.inputs], x, strict=True))
        if self.layout is None:
            old = [batch.natural(v) for v in self.reads]
            new = [r + differs[v.index] if v.index in differs else r for v, r in zip(self.reads, old, strict=True)]
            return self.function(*new) - self.function(*old)
        windows = batch.windows[self.index]
        old, new = [], []
        for value in self.reads:
            reference = batch.gather(value, windows)
            changed = reference
            if value.index in differs:
                changed = reference.clone()
                batch.backend.add(differs[value.index], batch.windows[value.index], changed, windows)
            old.append(expand_rows(reference, value.layout))
            new.append(expand_rows(changed, value.layout))
        return (self.function(*new) - self.function(*old)).reshape(windows.rows, -1)


def same(call: RecordedCall, x: Value) -> bool:
    """Whether the result has the shape of x."""
    return call.shape == x.shape and call.batch == x.batch


def plain(*others: Any) -> bool:
    """Whether none of these is, or holds, a tensor."""
    return not any(isinstance(x, (Tensor, Value)) for x in others)


@operation("dropout", "contiguous", "clone", "detach", "float", "double", "to", "type_as", "alpha_dropout")
def identity(call: RecordedCall, x: Value, *arguments: Any, **keywords: Any) -> Operation | None:
    if call.name in ("dropout", "alpha_dropout") and (keywords.get("training") or True in arguments[1:2]):
        return None
    if any(isinstance(a, torch.dtype) and not a.is_floating_point for a in (*arguments, *keywords.values())):
        return None
    return Identity((x,), layout=x.layout)


@operation("relu")
def relu(call: RecordedCall, x: Value, inplace: bool = False) -> Operation:
    return Relu((x,), (x,), x.layout)


@operation(
    "sigmoid", "tanh", "exp", "expm1", "log", "log1p", "log2", "log10", "softplus", "gelu", "silu", "elu", "selu",
    "celu", "leaky_relu", "relu6", "mish", "hardtanh", "hardsigmoid", "hardswish", "softsign", "logsigmoid", "sqrt",
    "rsqrt", "square", "abs", "erf", "sin", "cos", "reciprocal", "clamp", "clip", "clamp_min", "clamp_max", "pow",
    "threshold",
)  # fmt: skip
def pointwise(call: RecordedCall, x: Value, *arguments: Any, **keywords: Any) -> Operation | None:
    if not plain(*arguments, *keywords.values()) or not same(call, x):
        return None
    return Apply((x,), (x,), x.layout, function=lambda v: call.function(v, *arguments, **keywords))


@operation("prelu")
def prelu(call: RecordedCall, x: Value, weight: Tensor) -> Operation | None:
    if isinstance(weight, Value) or (weight.numel() > 1 and (x.dense or x.layout.position == 1 or x.layout.flat)):
        return None
    return Apply((x,), (x,), x.layout, function=lambda v: torch.prelu(v, weight))


@operation("neg")
def negative(call: RecordedCall, x: Value) -> Operation:
    return Scale((x,), layout=x.layout, factor=-1.0)


@operation("add", "sub", "subtract", "radd", "rsub")
def add(call: RecordedCall, a: Any, b: Any, *, alpha: float = 1) -> Operation | None:
    if call.name == "rsub":
        a, b = b, a
    sign = alpha if call.name in ("add", "radd") else -alpha
    if not _differs(b):
        return _unchanged(call, a, 1.0)
    if not _differs(a):
        return _unchanged(call, b, sign)
    if a.layout != b.layout or a.kind != b.kind:
        return None
    if a.dense:
        return DenseLinear((a, b), function=lambda x, y: x + sign * y)
    return Sum((a, b), layout=a.layout, sign=sign)


@dataclass(eq=False)
class Sum(Operation):
    """x + sign * y of two windows."""

    sign: float = 1.0

    def run(self, batch, x: Tensor, y: Tensor) -> Tensor:
        first, second = self.inputs
        windows = batch.windows[self.index]
        out = x.new_zeros(windows.rows, x.shape[1])
        batch.backend.add(x, batch.windows[first.index], out, windows)
        batch.backend.add(y if self.sign == 1 else y * self.sign, batch.windows[second.index], out, windows)
        return out


@operation(
    "mul", "multiply", "rmul", "div", "divide", "true_divide", "truediv", "rtruediv", "rdiv", "maximum", "minimum"
)
def product(call: RecordedCall, a: Any, b: Any, **keywords: Any) -> Operation | None:
    if keywords:
        return None
    times, over = call.name in ("mul", "multiply", "rmul"), call.name in ("div", "divide", "true_divide", "truediv")
    if isinstance(a, Value) and isinstance(b, Value):
        return _of_two(call, a, b)
    value, other = (a, b) if isinstance(a, Value) else (b, a)
    if times or (over and value is a):
        return _scaled(call, value, other if times else 1 / other)
    if not same(call, value) or (isinstance(other, Tensor) and other.numel() > 1):
        return None
    function = (lambda v: call.function(v, other)) if value is a else (lambda v: call.function(other, v))
    return Apply((value,), (value,), value.layout, function=function)


def _of_two(call: RecordedCall, a: Value, b: Value) -> Operation | None:
    differ = tuple(dict.fromkeys(v for v in (a, b) if v.kind in ("local", "dense")))
    if all(v.dense for v in differ):
        return Apply(differ, (a, b), function=call.function)
    if any(v.dense for v in differ) or len(a.shape) != len(b.shape):
        return None
    lead = differ[0].layout
    for value in (a, b):
        layout = value.layout or Layout(value.shape, value.batch, lead.position)
        if (layout.batch, layout.position, layout.flat) != (lead.batch, lead.position, lead.flat):
            return None
        if layout.length not in ((lead.length, 1) if value.kind == "context" else (lead.length,)):
            return None
        value.layout = layout
    layout = Layout(call.shape, call.batch, lead.position)
    return Apply(differ, (a, b), layout, function=call.function)


def _differs(x: Any) -> bool:
    return isinstance(x, Value) and x.kind != "context"


def _unchanged(call: RecordedCall, x: Value, sign: float) -> Operation | None:
    """x plus something that does not differ."""
    if x.local and not same(call, x):
        return None
    if x.dense:
        shape = call.shape
        return DenseLinear((x,), function=lambda d: _broadcast(d * sign if sign != 1 else d, shape, call.batch))
    return Identity((x,), layout=x.layout) if sign == 1 else Scale((x,), layout=x.layout, factor=sign)


def _broadcast(x: Tensor, shape: tuple[int, ...], batch: int) -> Tensor:
    from_right = len(shape) - batch
    return x.expand([x.shape[-from_right] if i == batch else n for i, n in enumerate(shape)])


def _scaled(call: RecordedCall, x: Value, factor: Tensor | float) -> Operation | None:
    if x.dense:
        return DenseLinear((x,), function=lambda d: d * factor)
    if not same(call, x):
        return None
    if not isinstance(factor, Tensor) or factor.numel() == 1:
        return Scale((x,), layout=x.layout, factor=factor if not isinstance(factor, Tensor) else factor.reshape(()))
    shape = [1 if i == x.batch else n for i, n in enumerate(x.shape)]
    padded = factor.reshape([1] * (len(shape) - factor.dim()) + list(factor.shape))
    layout = x.layout
    if layout.flat or padded.shape[x.batch] != 1:
        return None
    if padded.shape[layout.position] == 1:
        shape[layout.position] = 1
        layout = layout.with_length(1)
    rows = layout.to_rows(padded.expand(shape))
    return Scale((x,), layout=x.layout, factor=rows[0] if layout.length == 1 else rows)
