"""A model as a list of torch calls that can be run again for any number of examples."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor


@dataclass(frozen=True)
class Ref:
    """The value of an earlier node."""

    index: int


@dataclass(frozen=True)
class Scaled:
    """An integer that follows the number of examples: base + slope * N."""

    base: int
    slope: int


@dataclass(frozen=True, eq=False)
class Weight:
    """A tensor of the model itself: parameter, buffer or constant."""

    tensor: Tensor


@dataclass(frozen=True)
class AnyDevice:
    """The device that the graph is run on."""


@dataclass
class Node:
    """One call.  An input has no function and bears its key in `layer`.

    layer: dotted name of the module that made the call.
    batch: axis of the result that counts the examples, None where there is none, -1 where it is mixed with others.
    shape: sizes of the result; the batch axis is written as 0.
    """

    index: int
    name: str
    function: Callable
    arguments: tuple
    keywords: dict[str, Any]
    layer: str
    shape: tuple[int, ...] = None  # type: ignore[assignment]  # only what is no tensor has none
    batch: int = None  # type: ignore[assignment]
    users: list[int] = field(default_factory=list)


@dataclass
class Graph:
    """nodes in the order of the calls; the node `output` holds the result."""

    nodes: list[Node]
    output: int

    def __post_init__(self) -> None:
        self._drop_unused()
        last: dict[int, int] = {}
        for node in self.nodes:
            for index in refs((node.arguments, node.keywords)):
                last[index] = node.index
                if node.index not in self.nodes[index].users:
                    self.nodes[index].users.append(node.index)
        self._dies = by_last_use(last)

    def run(
        self,
        inputs: Mapping[str, Tensor],
        n: int,
        weights: Weights,
        *,
        keep: Callable[[Node, Any], None] | None = None,
        replace: Mapping[str, Callable] | None = None,
        call: Callable[[Node, Callable, dict[int, Any]], Any] | None = None,
    ) -> Tensor:
        """inputs {key: (n, ...)} -> the output (n, ...).

        keep: shown every node with its value.  replace: other functions for calls of a name.
        call: makes the calls, given (node, function, values of the nodes that are still needed).
        """
        values: dict[int, Any] = {}
        for node in self.nodes:
            if node.name == "unused":
                continue
            if node.function is None:
                value = inputs[node.layer]
            else:
                function = (replace or {}).get(node.name, node.function)
                if call is None:
                    arguments, keywords = self.bind(node, values, n, weights)
                    value = function(*arguments, **keywords)
                else:
                    value = call(node, function, values)
            values[node.index] = value
            if keep is not None:
                keep(node, value)
            for dead in self._dies.get(node.index, ()):
                if dead != self.output:
                    values.pop(dead, None)
        return values[self.output]

    @staticmethod
    def bind(node: Node, values: Mapping[int, Any], n: int, weights: Weights) -> tuple[tuple, dict]:
        """The arguments of a call for n examples."""

        def real(x: Any) -> Any:
            match x:
                case Ref():
                    return values[x.index]
                case Scaled():
                    return x.base + x.slope * n
                case Weight():
                    return weights.of(x.tensor)
                case AnyDevice():
                    return weights.device
                case torch.dtype():
                    return weights.dtype if x.is_floating_point else x
                case _:
                    return x

        return map_tree(real, node.arguments), map_tree(real, node.keywords)

    def _drop_unused(self) -> None:
        wanted = {self.output}
        for node in reversed(self.nodes):
            if node.index in wanted:
                wanted |= refs((node.arguments, node.keywords))
            elif node.function is not None:
                node.name, node.arguments, node.keywords = "unused", (), {}


class Weights:
    """The model's tensors on one device and of one floating-point type, each brought there once."""

    def __init__(self, device: torch.device, dtype: torch.dtype):
        self.device, self.dtype = device, dtype
        self._cast: dict[int, tuple[Tensor, Tensor]] = {}

    def of(self, tensor: Tensor) -> Tensor:
        """The tensor, floating-point ones in this type."""
        if id(tensor) not in self._cast:
            cast = tensor.detach().to(self.device, self.dtype if tensor.is_floating_point() else tensor.dtype)
            self._cast[id(tensor)] = tensor, cast
        return self._cast[id(tensor)][1]


def map_tree(function: Callable[[Any], Any], tree: Any) -> Any:
    """The same tuples, lists, dictionaries and slices with every leaf replaced."""
    if isinstance(tree, (tuple, list)):
        items = [map_tree(function, x) for x in tree]
        return tuple(items) if isinstance(tree, tuple) else items
    if isinstance(tree, dict):
        return {k: map_tree(function, x) for k, x in tree.items()}
    if isinstance(tree, slice):
        return slice(*(map_tree(function, x) for x in (tree.start, tree.stop, tree.step)))
    return function(tree)


def refs(tree: Any) -> set[int]:
    """Indices of the nodes that a tree refers to."""
    return {x.index for x in leaves(tree) if isinstance(x, Ref)}


def leaves(tree: Any) -> list[Any]:
    """What the tuples, lists, dictionaries and slices of a tree hold."""
    found: list[Any] = []
    map_tree(found.append, tree)
    return found


def by_last_use(last: Mapping[int, int]) -> dict[int, list[int]]:
    """{node: its last user} -> {user: the nodes that nothing needs behind it}."""
    dies: dict[int, list[int]] = {}
    for index, user in last.items():
        dies.setdefault(user, []).append(index)
    return dies


def same_structure(trees: Sequence[Any]) -> Any:
    """Two trees recorded for 2 and 3 examples to one, with `Scaled` where an integer follows their number.

    Raises ValueError where they differ otherwise.
    """
    first, second = trees
    if isinstance(first, (tuple, list)):
        if type(first) is not type(second) or len(first) != len(second):
            raise ValueError("a list of another length")
        items = [same_structure(pair) for pair in zip(first, second, strict=True)]
        return tuple(items) if isinstance(first, tuple) else items
    if isinstance(first, dict):
        if first.keys() != second.keys():
            raise ValueError("other keywords")
        return {k: same_structure((first[k], second[k])) for k in first}
    if isinstance(first, slice):
        parts = [same_structure((getattr(first, k), getattr(second, k))) for k in ("start", "stop", "step")]
        return slice(*parts)
    if isinstance(first, Weight) and isinstance(second, Weight):
        return first
    if type(first) is type(second) and (first == second or first != first):
        return first
    if type(first) is int and type(second) is int:
        return Scaled(first - 2 * (second - first), second - first)
    raise ValueError(f"{first!r} for 2 examples and {second!r} for 3")
