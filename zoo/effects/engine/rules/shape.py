"""Calls that move numbers and change none: slices, transposes, flips, views; joining and padding."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from zoo.effects.engine.layout import Layout, axes
from zoo.effects.engine.rules.operation import Operation, RecordedCall, Value, operation
from zoo.effects.engine.rules.pointwise import DenseLinear
from zoo.effects.engine.windows import Span, hull


@dataclass(eq=False)
class Move(Operation):
    """Position p goes to p + offset, or to offset - p; feature f of the result was feature features[f].

    features: None where they stay.
    """

    offset: int = 0
    reversed: bool = False
    features: Tensor | None = None

    def windows(self, span: Span) -> Span:
        low, high = span
        if self.reversed:
            return self.offset - high + 1, self.offset - low + 1
        return low + self.offset, high + self.offset

    def needs(self, first: int, last: int) -> list[tuple[int, int]]:
        if self.reversed:
            return [(self.offset - last + 1, self.offset - first + 1)]
        return [(first - self.offset, last - self.offset)]

    def run(self, batch, x: Tensor) -> Tensor:
        into, out = batch.windows[self.inputs[0].index], batch.windows[self.index]
        if self.features is not None:
            x = x[:, self.features]
        if not self.reversed and into.rows == out.rows and (into.high - into.low == out.high - out.low).all():
            return x
        source = out.position(batch.device) - self.offset
        source = -source if self.reversed else source
        mutant = out.mutant(batch.device)
        low, first = into.tensor("low", batch.device), into.tensor("first", batch.device)
        return x[first[mutant] + source - low[mutant]]


@dataclass(eq=False)
class Pick(Operation):
    """One position alone; the axis of positions is gone."""

    position: int = 0
    features: Tensor | None = None
    call_shape: tuple[int, ...] = ()

    def needs(self, first: int, last: int) -> list[tuple[int, int]]:
        return [(self.position, self.position + 1)]

    def run(self, batch, x: Tensor) -> Tensor:
        windows = batch.windows[self.inputs[0].index]
        out = x.new_zeros(len(batch), x.shape[1])
        here = windows.position(batch.device) == self.position
        out[windows.mutant(batch.device)[here]] = x[here]
        return out[:, self.features].reshape([len(batch) if n == 0 else n for n in self.call_shape])


@operation(
    "getitem", "select", "narrow", "flip", "index_select", "transpose", "permute", "movedim", "moveaxis", "swapaxes",
    "reshape", "view", "flatten", "unflatten", "squeeze", "unsqueeze", "expand", "T", "mT",
    "chunk", "split", "unbind", "tensor_split", "fliplr",
)  # fmt: skip
def move(call: RecordedCall, x: Value, *arguments: Any, **keywords: Any) -> Operation | list[Operation] | None:
    """Found by running the call once on numbers that say where they come from."""
    if any(isinstance(a, Value) for a in (*arguments, *keywords.values())):
        return None
    if x.dense:
        return DenseLinear((x,), function=lambda d: call.run({x.index: d}, d.shape[x.batch]))
    if x.layout.flat:
        return None
    layout = x.layout
    marks = torch.arange(layout.length * layout.width, device=call.weights.device)
    moved = call.run({x.index: layout.from_rows(marks.view(-1, layout.width)).contiguous()}, 1)
    if isinstance(moved, (tuple, list)):
        parts = [_found(x, part, layout.batch) for part in moved]
        return None if None in parts else [part for part in parts if part is not None]
    return _found(x, moved, call.batch)


def _found(x: Value, moved: Tensor, batch: int | None) -> Operation | None:
    """How the marks of x were moved; None where positions do not stay together."""
    layout = x.layout
    if batch is None or batch < 0 or moved.shape[batch : batch + 1] != (1,):
        return None
    shape = tuple(0 if i == batch else n for i, n in enumerate(moved.shape))
    every = layout.length * layout.width
    if moved.shape == (1, every) and batch == 0 and layout.batch == 0 and len(layout.shape) > 2:
        marks = layout.from_rows(torch.arange(every, device=moved.device).view(-1, layout.width))
        if torch.equal(moved, marks.reshape(1, -1)):
            return Move((x,), layout=Layout(layout.shape, 0, layout.position, flat=True))
    for position in (i for i in range(len(shape)) if i != batch):
        candidate = Layout(shape, batch, position)
        rows = candidate.to_rows(moved)
        came, features = rows // layout.width, rows[0] % layout.width
        if not torch.equal(rows % layout.width, features.expand_as(rows)) or (came != came[:, :1]).any():
            continue
        steps = came[1:, 0] - came[:-1, 0]
        start, stay = int(came[0, 0]), torch.arange(layout.width, device=rows.device)
        kept = None if torch.equal(features, stay) else features
        if (steps == 1).all():
            return Move((x,), layout=candidate, offset=-start, features=kept)
        if (steps == -1).all() and len(steps):
            return Move((x,), layout=candidate, offset=start, reversed=True, features=kept)
    marks = moved.flatten()
    if len(marks) and (marks // layout.width == marks[0] // layout.width).all():
        return Pick((x,), position=int(marks[0]) // layout.width, features=marks % layout.width, call_shape=shape)
    return None


@operation("item")
def item(call: RecordedCall, x: Value, index: int) -> Operation | None:
    if x.dense:
        return DenseLinear((x,), function=lambda d: d[index]) if index == 0 or x.parts else None
    return x.parts[index] if x.parts else None


@dataclass(eq=False)
class Join(Operation):
    """Windows put beside each other along features or positions, or moved by padding.

    places: for each input, the positions it moves by and its first feature.
    order: where each feature of the result lies among the joined ones, None where in place.
    """

    places: tuple[tuple[int, int], ...] = ()
    order: Tensor | None = None

    def windows(self, *spans: Span) -> Span:
        return hull(*[(low + shift, high + shift) for (low, high), (shift, _) in zip(spans, self.places, strict=True)])

    def needs(self, first: int, last: int) -> list[tuple[int, int]]:
        return [(first - shift, last - shift) for shift, _ in self.places]

    def run(self, batch, *differences: Tensor) -> Tensor:
        windows = batch.windows[self.index]
        out = differences[0].new_zeros(windows.rows, self.layout.width)
        for value, x, (shift, column) in zip(self.inputs, differences, self.places, strict=True):
            batch.backend.add(x, batch.windows[value.index], out, windows, shift, column)
        return out if self.order is None else out[:, self.order]


@operation("cat", "concat", "concatenate", "stack")
def join(call: RecordedCall, tensors: Sequence[Any], dim: int = 0) -> Operation | None:
    values = [t for t in tensors if isinstance(t, Value) and t.kind != "context"]
    stack = call.name == "stack"
    if any(v.dense for v in values):
        put = torch.stack if stack else torch.cat
        return DenseJoin(tuple(values), tensors=tensors, function=lambda parts: put(parts, dim))
    if any(v.layout.flat for v in values):
        return None
    first = values[0].layout
    axis = dim % len(call.shape)
    position = first.position + (stack and axis <= first.position)
    layout = Layout(call.shape, call.batch, position)
    if axis == call.batch or any((v.layout.batch, v.layout.position) != (first.batch, first.position) for v in values):
        return None
    along = axis == position
    places, inputs, at, columns = [], [], 0, []
    for t in tensors:
        size = 1 if stack else t.shape[axis]
        width = layout.width if along else layout.width // call.shape[axis] * size
        if isinstance(t, Value) and t.kind != "context":
            inputs.append(t)
            places.append((at, 0) if along else (0, sum(columns)))
        at += size
        columns.append(width)
    order = None if along else _order(layout, axis, [1 if stack else t.shape[axis] for t in tensors])
    return Join(tuple(inputs), layout=layout, places=tuple(places), order=order)


def _order(layout: Layout, axis: int, sizes: list[int]) -> Tensor | None:
    """Where each feature lies when the parts stand behind each other, None where that is their order."""
    features, where = layout.features, layout.feature_of(axis)
    parts, start = [], 0
    for size in sizes:
        shape = [*features[:where], size, *features[where + 1 :]]
        parts.append(torch.arange(start, start + int(np.prod(shape))).view(shape))
        start += parts[-1].numel()
    order = torch.cat(parts, where).flatten()
    return None if torch.equal(order, torch.arange(len(order))) else order


@dataclass(eq=False)
class DenseJoin(Operation):
    """Differences that are known as a whole put beside windows, made whole, and beside what does not differ."""

    tensors: Sequence[Any] = ()
    function: Callable[[list[Tensor]], Tensor] = field(kw_only=True)

    def run(self, batch, *differences: Tensor) -> Tensor:
        given = {}
        for value, x in zip(self.inputs, differences, strict=True):
            given[value.index] = batch.dense(value.layout, batch.windows[value.index], x) if value.local else x
        return self.function([self._part(t, given, differences[0], len(batch)) for t in self.tensors])

    @staticmethod
    def _part(t: Any, given: dict[int, Tensor], lead: Tensor, n: int) -> Tensor:
        if isinstance(t, Value) and t.index in given:
            return given[t.index]
        return lead.new_zeros([n if isinstance(t, Value) and i == t.batch else s for i, s in enumerate(t.shape)])


@operation("pad")
def pad(
    call: RecordedCall, x: Value, pad: Sequence[int], mode: str = "constant", value: float | None = None
) -> Operation | None:
    """Constant padding: what is added does not differ."""
    if x.dense or x.layout.flat or mode != "constant" or any(pad[2:]):
        return None
    if axes(-1, len(x.shape)) != (x.layout.position,):
        return None
    return Join((x,), layout=Layout(call.shape, call.batch, x.layout.position), places=((int(pad[0]), 0),))
