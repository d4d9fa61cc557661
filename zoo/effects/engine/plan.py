"""`Plan`: a rule for every call of a graph that has one, the positions a mutant changes, what is computed in full."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from zoo.effects.engine.batch import Batch, Reference
from zoo.effects.engine.fusion import fuse
from zoo.effects.engine.layout import Layout
from zoo.effects.engine.rules.operation import Operation, RecordedCall, Value, at_reference, rules
from zoo.effects.engine.windows import Span, Windows, limit
from zoo.layers.channels_last import conv1d
from zoo.tracing.graph import Graph, Node, Ref, Weights, by_last_use, leaves, map_tree, refs


@dataclass
class Plan:
    """values and operations by node; a node that depends on the sequence and has no operation is computed in full.

    sequence: key of the one-hot input.  needed: positions of each local value that the output follows.
    failures: why a rule could not be used, by node.
    """

    graph: Graph
    weights: Weights
    sequence: str
    fused: bool = True
    constants: dict[int, Any] = field(default_factory=dict)
    values: dict[int, Value] = field(default_factory=dict)
    operations: dict[int, Operation] = field(default_factory=dict)
    needed: dict[int, tuple[int, int]] = field(default_factory=dict)
    failures: dict[int, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for node in self.graph.nodes:
            if node.name != "unused":
                self._place(node)
        if self.fused:
            fuse(self)
        self._needs()
        self._keep()
        self.steps = [n.index for n in self.graph.nodes if n.index in self.operations or self.is_full(n.index)]
        self._dies = self._last_uses()

    @property
    def length(self) -> int:
        """L."""
        return self.input.layout.length

    @property
    def output(self) -> Value | None:
        """What the graph gives; None where it does not depend on any input."""
        return self.values.get(self.graph.output)

    def is_full(self, index: int) -> bool:
        """Whether a node is computed in full for every mutant."""
        return index in self.values and self.values[index].kind == "full"

    @property
    def heavy_tail(self) -> bool:
        """Whether many mutants at once are needed to make good use of what is computed as a whole."""
        return self.first_full is not None or any(
            o.work > 100_000 for i, o in self.operations.items() if self.values[i].dense
        )

    @property
    def first_full(self) -> Node | None:
        """The first call without a rule."""
        return next((n for n in self.graph.nodes if self.is_full(n.index)), None)

    def spans(self, span: Span) -> dict[int, Windows]:
        """Windows of every local value, from the bases that the mutants change: (M,), (M,)."""
        spans = {self.input.index: limit(span, *self.needed[self.input.index])}
        for index, operation in self.operations.items():
            value = self.values[index]
            if value.local:
                inputs = [spans[v.index] for v in operation.inputs]
                spans[index] = limit(operation.windows(*inputs), *self.needed[index])
        return {index: Windows.of(s) for index, s in spans.items()}

    def costs(self, windows: Mapping[int, Windows]) -> tuple[np.ndarray, np.ndarray]:
        """Of each mutant: numbers in memory at once (M,), and its work as a share of full inference (M,)."""
        n = len(windows[self.input.index].low)
        floats, work, whole = np.full(n, 16.0), np.zeros(n), 0.0
        for index, operation in self.operations.items():
            sizes = [self._rows(windows, v, n) for v in operation.inputs]
            out = self._rows(windows, self.values[index], n)
            floats = np.maximum(floats, operation.floats(sizes, out))
            first = operation.inputs[0]
            if first.local:
                work += sizes[0] * operation.work
                whole += first.layout.length * operation.work
        return floats + self._full_floats(), work / max(whole, 1.0)

    def run(self, batch: Batch, difference: Tensor, seen: dict[int, Tensor] | None = None) -> Tensor:
        """difference: (rows, 4) of the one-hot sequence -> of the output (M, ...).

        seen: filled with the difference, or for what is computed in full the value, of every node.
        """
        differences: dict[int, Any] = {self.input.index: difference}
        for index in self.steps:
            if index in self.operations:
                operation = self.operations[index]
                differences[index] = operation.run(batch, *[differences[v.index] for v in operation.inputs])
            else:
                differences[index] = self._full(batch, differences, index)
            if seen is None:
                for dead in self._dies.get(index, ()):
                    differences.pop(dead, None)
        if seen is not None:
            seen.update(differences)
        return self._result(batch, differences)

    def reference(self, inputs: Mapping[str, Tensor], everything: bool = False) -> Reference:
        """One pass over R references: {key: (R, ...)} -> the activations that rules read."""
        rows: dict[int, Tensor] = {}
        natural: dict[int, Tensor] = {}

        def keep(node: Node, value: Any) -> None:
            if node.index in self._as_rows:
                rows[node.index] = self.values[node.index].layout.to_rows(value)
            if node.index in self._as_natural or (everything and isinstance(value, Tensor)):
                natural[node.index] = value

        n = len(next(iter(inputs.values())))
        faster = {"conv1d": conv1d} if self.weights.device.type == "cpu" else None
        output = self.graph.run(inputs, n, self.weights, keep=keep, replace=faster)
        return Reference(n, rows, natural, output)

    @property
    def reference_floats(self) -> int:
        """Numbers that one reference keeps in memory, about."""
        kept = sum(_size(self.values[i]) for i in self._as_rows | self._as_natural)
        return kept + 2 * max((_size(v) for v in self.values.values() if v.shape), default=1)

    def natural(self, batch: Batch, differences: Mapping[int, Any], index: int) -> Tensor:
        """The value itself of a node, for every mutant."""
        value = self.values[index]
        if value.kind == "full":
            return differences[index]
        whole = batch.natural(value)
        if value.kind == "context":
            return whole
        difference = differences[index]
        return whole + (batch.dense(value.layout, batch.windows[index], difference) if value.local else difference)

    def _place(self, node: Node) -> None:
        """Decide how one node is computed."""
        if node.function is None:
            layout = Layout(node.shape, 0, 2) if node.layer == self.sequence else None
            kind = "local" if layout else "context"
            self.values[node.index] = Value(node.index, kind, node.shape, node.batch, layout)
            if layout:
                self.input = self.values[node.index]
            return
        used = refs((node.arguments, node.keywords))
        inputs = [self.values[i] for i in sorted(used) if i in self.values]
        if not inputs and (node.batch is None and node.shape is not None):
            arguments, keywords = Graph.bind(node, self.constants, 1, self.weights)
            self.constants[node.index] = node.function(*arguments, **keywords)
            return
        kind, operation = "full", None
        if node.function is at_reference or all(v.kind == "context" for v in inputs) or self._follows_shapes(node):
            kind = "context"
        elif all(v.kind != "full" and v.batch != -1 for v in inputs):
            operation = self._rule(node)
        value = Value(node.index, kind, node.shape, node.batch)
        if isinstance(operation, list):
            value.kind, value.parts, value.layout = "local", operation, operation[0].layout
        elif operation is not None:
            operation.index = node.index
            value.layout = operation.layout
            value.kind = "dense" if operation.layout is None else "local"
            self.operations[node.index] = operation
        self.values[node.index] = value

    def _follows_shapes(self, node: Node) -> bool:
        """Whether a call takes shape, type and device of a tensor that differs, and none of its numbers."""
        name = node.name.strip("_")
        if name in ("to", "type_as"):
            first = node.arguments[0] if node.arguments else None
            return not isinstance(first, Ref) or self._kind(first.index) in ("constant", "context")
        return name.endswith("_like") or name.startswith("new_")

    def _kind(self, index: int) -> str:
        return self.values[index].kind if index in self.values else "constant"

    def _rule(self, node: Node) -> Operation | list[Operation] | None:
        call = RecordedCall(node, self.weights, self.constants)
        rule = rules()[0].get(call.name)
        if rule is None:
            return None

        def operand(x: Any) -> Any:
            return self.values.get(x.index, self.constants.get(x.index)) if isinstance(x, Ref) else x

        arguments = map_tree(operand, node.arguments)
        filled = replace(node, arguments=arguments, keywords=map_tree(operand, node.keywords))
        bound, keywords = Graph.bind(filled, {}, 1, self.weights)
        if not any(isinstance(x, Value) for x in leaves(bound)):
            return None
        try:
            operation = rule(call, *bound, **keywords)
        except Exception as error:  # a form of the call that the rule did not foresee is computed in full
            self.failures[node.index] = f"its rule failed: {type(error).__name__}: {error}"
            return None
        carried = isinstance(operation, Operation) and any(v.kind == "context" for v in operation.inputs)
        return None if carried else operation

    def _needs(self) -> None:
        """Positions that the output follows, from the end of the graph to its beginning."""
        need: dict[int, tuple[int, int]] = {}

        def want(value: Value, first: int, last: int) -> None:
            if value.local:
                first, last = max(first, 0), min(last, value.layout.length)
                before = need.get(value.index)
                need[value.index] = (first, last) if before is None else (min(before[0], first), max(before[1], last))

        for node in reversed(self.graph.nodes):
            index = node.index
            if index == self.graph.output and index in self.values and self.values[index].local:
                want(self.values[index], 0, self.values[index].layout.length)
            if index in self.operations:
                operation = self.operations[index]
                if self.values[index].local:
                    if index not in need:
                        continue
                    wanted = operation.needs(*need[index])
                else:
                    wanted = operation.needs(0, max((v.layout.length for v in operation.inputs if v.local), default=0))
                for value, (first, last) in zip(operation.inputs, wanted, strict=True):
                    want(value, first, last)
            elif self.is_full(index):
                for i in refs((node.arguments, node.keywords)):
                    if i in self.values and self.values[i].local:
                        want(self.values[i], 0, self.values[i].layout.length)
        self.operations = {i: o for i, o in sorted(self.operations.items()) if not self.values[i].local or i in need}
        need.setdefault(self.input.index, (0, self.length))
        self.needed = need

    def _keep(self) -> None:
        """Which activations of the reference the rules read, and in which form."""
        self._as_rows: set[int] = set()
        self._as_natural: set[int] = set()
        for operation in self.operations.values():
            for value in operation.reads:
                (self._as_rows if value.layout is not None else self._as_natural).add(value.index)
        for node in self.graph.nodes:
            if self.is_full(node.index):
                used = refs((node.arguments, node.keywords)) & self.values.keys()
                self._as_natural |= {i for i in used if self.values[i].kind != "full"}

    def _last_uses(self) -> dict[int, list[int]]:
        last: dict[int, int] = {}
        for index in self.steps:
            used = (
                {v.index for v in self.operations[index].inputs}
                if index in self.operations
                else refs((self.graph.nodes[index].arguments, self.graph.nodes[index].keywords))
            )
            last.update(dict.fromkeys(used, index))
        last.pop(self.graph.output, None)
        return by_last_use(last)

    def _full(self, batch: Batch, differences: Mapping[int, Any], index: int) -> Any:
        node = self.graph.nodes[index]
        needed = refs((node.arguments, node.keywords))
        given = {i: self.natural(batch, differences, i) for i in needed if i in self.values}
        arguments, keywords = Graph.bind(node, {**self.constants, **given}, len(batch), self.weights)
        return node.function(*arguments, **keywords)

    def _result(self, batch: Batch, differences: Mapping[int, Any]) -> Tensor:
        index, value = self.graph.output, self.output
        if value is None or value.kind == "context":
            n = batch.reference.output
            return n.new_zeros(len(batch), *n.shape[1:])
        if value.local:
            return batch.dense(value.layout, batch.windows[index], differences[index])
        if value.dense:
            return differences[index]
        row = torch.from_numpy(batch.row).to(batch.device)
        return differences[index] - batch.reference.output.index_select(0, row)

    def _rows(self, windows: Mapping[int, Windows], value: Value, n: int) -> np.ndarray:
        if value.local:
            return windows[value.index].high - windows[value.index].low
        return np.zeros(n)

    def _full_floats(self) -> float:
        kept = [v for v in self.values.values() if v.shape is not None and v.kind in ("full", "dense")]
        if self.output is not None and self.output.local:
            kept.append(self.output)
        return float(sum(map(_size, kept)))


def _size(value: Value) -> int:
    """Numbers that a value has for one example."""
    return math.prod(n or 1 for n in value.shape)
