"""What a rule is given (`RecordedCall`, `Value`) and what it gives (`Operation`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from zoo.effects.engine.layout import Layout
from zoo.effects.engine.windows import Span, hull
from zoo.tracing.graph import Graph

if TYPE_CHECKING:
    from zoo.effects.engine.batch import Batch
    from zoo.tracing.graph import Node, Weights

_OPERATIONS: dict[str, Callable] = {}
_LAYERS: dict[type, Callable] = {}


@dataclass(eq=False)
class Value:
    """What is known of a node before anything is computed.

    kind: context (it does not follow the sequence), local (it differs in a window of positions), dense (its
        difference is known as a whole) or full (it is computed anew).
    layout: where the positions of a local value are.
    shape, batch: of the natural tensor, the batch axis written as 0.
    parts: for a value that is several, the operation of each.
    """

    index: int
    kind: str
    shape: tuple[int, ...]
    batch: int
    layout: Layout = None  # type: ignore[assignment]  # who asks for it has asked `local`
    parts: list[Operation] | None = None

    @property
    def local(self) -> bool:
        """Whether it differs in a window."""
        return self.kind == "local"

    @property
    def dense(self) -> bool:
        """Whether its difference is known as a whole."""
        return self.kind == "dense"


@dataclass
class RecordedCall:
    """One recorded call, the weights it uses, and the values of nodes that do not follow the inputs."""

    node: Node
    weights: Weights
    constants: Mapping[int, Any]

    def run(self, values: Mapping[int, Any], n: int) -> Any:
        """The call with these values of its nodes, for n examples."""
        arguments, keywords = Graph.bind(self.node, {**self.constants, **values}, n, self.weights)
        return self.node.function(*arguments, **keywords)

    @property
    def name(self) -> str:
        """What the call is, without dunders."""
        return self.node.name.strip("_").removeprefix("get_")

    @property
    def function(self) -> Callable[..., Any]:
        """The function called."""
        return self.node.function

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the result."""
        return self.node.shape

    @property
    def batch(self) -> int:
        """Batch axis of the result."""
        return self.node.batch


@dataclass(eq=False)
class Operation:
    """A planned call.  Subclasses say which windows it changes and what it makes of the differences.

    inputs: values whose differences it takes.  reads: values whose reference it needs as well.
    layout: of its result; None for a result whose difference is known as a whole.
    work: multiply-adds a row of its first input, to weigh windows against full inference.
    """

    inputs: tuple[Value, ...]
    reads: tuple[Value, ...] = ()
    layout: Layout = None  # type: ignore[assignment]  # who asks for it knows that the result is local
    work: float = 1.0
    index: int = field(default=-1, init=False)

    def windows(self, *spans: Span) -> Span:
        """Positions that change, from those of the inputs; the same ones unless a subclass says otherwise."""
        return hull(*spans)

    def needs(self, first: int, last: int) -> list[tuple[int, int]]:
        """Positions of each input that positions first to last of the result follow."""
        return [(first, last)] * len(self.inputs)

    def floats(self, rows: list, out: Any) -> Any:
        """Numbers in memory at once, from the rows of each input and of the result."""
        width = self.layout.width if self.layout else 0
        return sum(r * v.layout.width for r, v in zip(rows, self.inputs, strict=True) if v.layout) + 3 * out * width

    def run(self, batch: Batch, *differences: Tensor) -> Tensor:
        """Differences of the inputs to that of the result: (rows, F) where local, natural where dense."""
        raise NotImplementedError


def operation(*names: str) -> Callable[[Callable], Callable]:
    """Register a rule for torch calls of these names; their dunder and in-place forms count as the plain ones.

    The rule takes (call, the call's own arguments) with a `Value` in place of every tensor that depends on the
    inputs, and returns an `Operation`, or None where it does not apply.
    """

    return _register(_OPERATIONS, names)


def layer(*kinds: type) -> Callable[[Callable], Callable]:
    """Register what modules of these types (and of types derived from them) do, said in other calls.

    The function takes (module, the arguments of its forward) and must give what forward gives.
    """

    return _register(_LAYERS, kinds)


def _register(table: dict, keys: tuple) -> Callable[[Callable], Callable]:
    def register(rule: Callable) -> Callable:
        table.update(dict.fromkeys(keys, rule))
        return rule

    return register


def at_reference(x: Tensor) -> Tensor:
    """x as it is in the reference: a mutant does not change it.

    For a constant that cancels, such as the maximum taken out of a softmax.  Outside the engine it is x.
    """
    if torch.overrides.has_torch_function_unary(x):
        return torch.overrides.handle_torch_function(at_reference, (x,), x)
    return x.view_as(x)


@cache
def rules() -> tuple[dict[str, Callable], dict[type, Callable]]:
    """Rules by the name of a call, and by type of module, of everything that is installed."""
    from zoo.registry import registry

    for name in registry().names("rule"):
        registry().get("rule", name)
    return _OPERATIONS, _LAYERS
