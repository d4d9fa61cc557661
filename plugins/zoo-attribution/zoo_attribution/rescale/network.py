"""`RescaleNetwork`: a recorded network whose backward pass propagates multipliers.

    sequences --forward--> values at every curved call, cached
    references --forward--> --backward with multipliers--> (B, 4, L)

Sequences are run once; their references are compared with the values that were kept.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from zoo.errors import ConfigError
from zoo.layers.channels_last import conv1d
from zoo.prediction.further_inputs import optional_shapes
from zoo.prediction.inference import evaluating
from zoo.tracing.cache import cached
from zoo.tracing.graph import Graph, Node, Weights, refs
from zoo.tracing.trace import Untraceable, trace
from zoo_attribution.output_gradient import scalar_output
from zoo_attribution.rescale.calls import Rule, call_name, choose_rule
from zoo_attribution.rescale.functions import Elementwise, Maximum, PathMean, ReLU
from zoo_attribution.rescale.pooling import describe_pool

if TYPE_CHECKING:
    from zoo.model import Model
    from zoo.outputs import Output

POINTS = 16
"""On the path of a call that has no closed rule."""

NO_GRADIENT = frozenset(
    "argmax argmin gt lt ge le eq ne greater less isnan floor ceil round trunc sign sgn heaviside long int bool detach "
    "floordiv floor_divide bucketize searchsorted one_hot argsort bernoulli".split()
)
"""Calls whose result moves in steps, or is cut off from the gradient."""


def record_network(model: Model, output: Output, inputs: Mapping[str, Tensor] | None = None) -> RescaleNetwork:
    """The network of a model and an output; it is cached until the weights change.

    inputs: prepared, {key: (N, ...)}, also those that the model can do without; by default what it cannot.
    Raises ConfigError for a model that cannot be recorded.
    """
    optional = optional_shapes(model, inputs or {})

    def make() -> RescaleNetwork:
        length = model.spec.input_length
        shapes = {
            k: (torch.int64 if f.values == "class" else torch.float32, f.shape(1, length // f.bin_size)[1:])
            for k, f in model.input_fields.items()
            if f.required
        }
        for key, shape in optional.items():
            ids = key in model.input_fields and model.input_fields[key].values == "class"
            shapes[key] = torch.int64 if ids else torch.float32, shape
        alive = weakref.ref(model)
        try:
            with evaluating(model), torch.no_grad():
                graph = trace(lambda inputs: scalar_output(alive(), inputs, output), model, shapes)
        except Untraceable as error:
            why = f"deeplift_shap needs a model that can be recorded: {error}: take integrated_gradients"
            raise ConfigError(why) from error
        return RescaleNetwork(graph, Weights(model.device, model.dtype))

    return cached(model, ("rescaled", output, tuple(sorted(optional.items()))), make)


class RescaleNetwork:
    """The rules of a graph.

    broken: "layer (call): why" of every call that breaks additivity.
    approximate: "layer (call)" of those whose multipliers are by quadrature.
    rows: 1 where the network mixes the axis of examples with others, so that only one can be run at a time.
    """

    def __init__(self, graph: Graph, weights: Weights):
        self.graph, self.weights = graph, weights
        self.dependent = _dependent(graph)
        self.rules = {
            node.index: choose_rule(node, self.dependent)
            for node in graph.nodes
            if node.index in self.dependent and node.function is not None
        }
        nodes = [graph.nodes[i] for i in self.rules]
        self.broken = [f"{_where(n)} has no gradient" for n in nodes if call_name(n) in NO_GRADIENT]
        self.approximate = [_where(n) for n in nodes if self.rules[n.index] is Rule.PATH]
        self.rows = 1 if any(n.batch in (None, -1) for n in nodes if n.shape is not None) else None

    def at(self, inputs: Mapping[str, Tensor], n: int) -> SequencePass:
        """One pass over n sequences."""
        return SequencePass(self, inputs, n)


class SequencePass:
    """Sequences that references are compared with.  output: (E,)."""

    def __init__(self, network: RescaleNetwork, inputs: Mapping[str, Tensor], n: int):
        self._network = network
        self._values: dict[int, Any] = {}
        needed = {index for index, rule in network.rules.items() if rule is Rule.ELEMENTWISE}
        for index, rule in network.rules.items():
            if rule is not Rule.LINEAR:
                needed |= network.dependent & _arguments(network.graph.nodes[index])

        def keep(node: Node, value: Any) -> None:
            if node.index in needed:
                self._values[node.index] = value

        with torch.no_grad():
            replace = _layout(network.weights)
            self.output = network.graph.run(inputs, n, network.weights, keep=keep, replace=replace)

    def multipliers(self, inputs: Mapping[str, Tensor], row: Tensor) -> tuple[Tensor, Tensor]:
        """Multipliers (B, 4, L) of references, and their output (B,).

        inputs: of the references, {key: (B, ...)}.  row: (B,) which of the sequences each belongs to.
        """
        network, n = self._network, len(row)
        with torch.inference_mode(False), torch.enable_grad():
            leaf = inputs["one_hot"].detach().clone().requires_grad_()

            def call(node: Node, function: Callable, values: dict[int, Any]) -> Any:
                return self._call(node, function, values, row)

            given = {**inputs, "one_hot": leaf}
            output = network.graph.run(given, n, network.weights, replace=_layout(network.weights), call=call)
            if not output.requires_grad:
                return torch.zeros_like(leaf), output.detach()
            (found,) = torch.autograd.grad(output.sum(), leaf, allow_unused=True, materialize_grads=True)
        return found, output.detach()

    def _call(self, node: Node, function: Callable, values: dict[int, Any], row: Tensor) -> Any:
        network, n = self._network, len(row)
        used = _arguments(node)
        # A copy: the graph lets go of values while the backward pass still runs the call.
        values = {i: values[i] for i in used}

        def run(*given: Tensor) -> Any:
            bound = {**values, **dict(zip(dependents, given, strict=True))} if given else values
            arguments, keywords = Graph.bind(node, bound, n, network.weights)
            return function(*arguments, **keywords)

        dependents = sorted(used & network.dependent)
        rule = network.rules.get(node.index, Rule.LINEAR)
        differentiable = [isinstance(values[i], Tensor) and values[i].is_floating_point() for i in dependents]
        if rule is Rule.LINEAR or not all(differentiable):
            return run()
        first = dependents[0]
        if rule is Rule.ELEMENTWISE:
            if call_name(node) == "relu" and network.rows is None and network.graph.nodes[first].batch == 0:
                return ReLU.apply(values[first], self._values[first], row)
            return Elementwise.apply(values[first], self._at(first, row), self._at(node.index, row), run)
        if rule is Rule.MAXIMUM:
            arguments, keywords = Graph.bind(node, values, n, network.weights)
            if pool := describe_pool(node, arguments, keywords):
                return pool.finish(Maximum.apply(values[first], self._at(first, row), pool.axis, pool.run))
        points = 1 if rule is Rule.PRODUCT else POINTS
        with torch.no_grad():
            probe = run(*(values[i] for i in dependents))
        if not any(v is not None and v.is_floating_point() for v in _several(probe)):
            return probe
        return PathMean.apply(run, points, [self._at(i, row) for i in dependents], *(values[i] for i in dependents))

    def _at(self, index: int, row: Tensor) -> Tensor:
        """Value of a node at the sequence of each reference."""
        value = self._values[index]
        if self._network.rows == 1:
            return value
        return value.index_select(self._network.graph.nodes[index].batch, row)


def _dependent(graph: Graph) -> set[int]:
    """Nodes that depend on the sequence."""
    dependent: set[int] = set()
    for node in graph.nodes:
        if node.layer == "one_hot" if node.function is None else _arguments(node) & dependent:
            dependent.add(node.index)
    return dependent


def _arguments(node: Node) -> set[int]:
    return refs((node.arguments, node.keywords))


def _layout(weights: Weights) -> dict[str, Callable]:
    """The convolution that is fastest on the device."""
    return {"conv1d": conv1d} if weights.device.type == "cpu" else {}


def _where(node: Node) -> str:
    return f"{node.layer or 'the model itself'} ({call_name(node)})"


def _several(value: Any) -> tuple:
    return tuple(value) if isinstance(value, tuple | list) else (value,)
