"""Record a model as a graph, without running it: every torch call is made on tensors that have a shape and no data.

The model's own Python runs, so that loops, dictionaries and branches on shapes are nothing special; a branch on a
value cannot be followed and is refused.  Two recordings, for 2 and for 3 examples, tell which integers
follow the number of examples.
"""

from __future__ import annotations

import operator
import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from zoo.errors import ContractError
from zoo.tracing.graph import AnyDevice, Graph, Node, Ref, Weight, map_tree, same_structure

_META = torch.device("meta")
_NODE = "_zoo_node"
"""Attribute of a tensor: the node that made it."""
_IN_PLACE = tuple(f"__i{name}__" for name in "add sub mul truediv floordiv pow matmul and or".split())


class Untraceable(ContractError):
    """A model that cannot be recorded: it branches on values, or writes into its inputs."""


def trace(
    function: Callable[[Mapping[str, Tensor]], Tensor],
    module: nn.Module,
    inputs: Mapping[str, tuple[torch.dtype, tuple[int, ...]]],
    rewrites: Mapping[type, Callable] | None = None,
) -> Graph:
    """The graph of `function`, which takes {key: (N, ...)} and uses `module`, in eval mode.

    inputs: type and shape, without N, of each.  rewrites: for modules of a type, a function
    (module, *arguments) that is recorded in place of their forward.

    Raises Untraceable.
    """
    try:
        recordings = [_record(function, module, inputs, n, rewrites or {}) for n in (2, 3)]
    except Untraceable:
        raise
    except Exception as error:
        raise Untraceable(f"the model cannot be recorded: {type(error).__name__}: {error}") from error
    return _merge(*recordings)


class _Recording(TorchFunctionMode):
    def __init__(self) -> None:
        super().__init__()
        self.nodes: list[Node] = []
        self.layers: list[str] = [""]
        self._twins: dict[int, tuple[Tensor, Tensor]] = {}
        self._storages: dict[int, list[weakref.ref]] = {}

    def input(self, key: str, dtype: torch.dtype, shape: tuple[int, ...]) -> Tensor:
        x = torch.empty(shape, dtype=dtype, device="meta")
        self._add(key, None, (), {}, key, x)
        return x

    def enter(self, layer: str, *_: Any) -> None:
        self.layers.append(layer)

    def leave(self, *_: Any) -> None:
        self.layers.pop()

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = dict(kwargs or {})
        if "out" in kwargs and kwargs["out"] is not None:
            raise Untraceable("the model writes into a tensor with out=")
        name = getattr(func, "__name__", "")
        if name == "__get__":
            name = f"get_{func.__self__.__name__}"
        keywords, function = kwargs, func
        if name == "view" and not any(isinstance(x, torch.dtype) for x in args):
            function = Tensor.reshape  # replayed on other memory layouts than the model's own
        if name == "__setitem__":
            raise Untraceable(f"{self.layers[-1] or 'the model'} writes into a tensor with x[...] =")
        if plain := _without_writing(func, name, args, kwargs):
            self._refuse_views(args[0])
            name, function, keywords = plain
        described = map_tree(self._describe, (args, keywords))
        out = func(*map_tree(self._twin, args), **map_tree(self._twin, kwargs))
        if isinstance(out, Tensor):
            self._add(name, function, *described, self.layers[-1], out)
        elif isinstance(out, (tuple, list)) and any(isinstance(x, Tensor) for x in out):
            node = self._add(name, function, *described, self.layers[-1], None)
            for i, x in enumerate(out):
                if isinstance(x, Tensor):
                    self._add("item", operator.getitem, (Ref(node.index), i), {}, self.layers[-1], x)
        return out

    def _add(self, name: str, function, arguments: tuple, keywords: dict, layer: str, out: Tensor | None) -> Node:
        node = Node(len(self.nodes), name, function, arguments, keywords, layer)
        self.nodes.append(node)
        if out is not None:
            node.shape = tuple(out.shape)
            setattr(out, _NODE, node.index)
            self._storages.setdefault(_storage(out), []).append(weakref.ref(out))
        return node

    def _twin(self, x: Any) -> Any:
        """The tensor without data that stands for a tensor of the model."""
        if not isinstance(x, Tensor) or x.device.type == "meta":
            return _META if isinstance(x, torch.device) else x
        if id(x) not in self._twins:
            twin = torch.empty_strided(x.shape, x.stride(), dtype=x.dtype, device="meta")
            if hasattr(x, _NODE):
                setattr(twin, _NODE, getattr(x, _NODE))
            self._twins[id(x)] = x, twin
        return self._twins[id(x)][1]

    def _describe(self, x: Any) -> Any:
        if isinstance(x, Tensor):
            index = getattr(x, _NODE, None)
            return Weight(x) if index is None else Ref(index)
        if isinstance(x, torch.device):
            return AnyDevice()
        return x

    def _refuse_views(self, x: Tensor) -> None:
        alive = [ref() for ref in self._storages.get(_storage(x), ())]
        if any(other is not None and other is not x for other in alive):
            raise Untraceable(f"{self.layers[-1] or 'the model'} writes into a tensor that is seen elsewhere too")


def _storage(x: Tensor) -> int:
    return x.untyped_storage()._cdata


def _without_writing(func: Callable, name: str, args: tuple, kwargs: dict) -> tuple[str, Callable, dict] | None:
    """(name, function, keywords) that give what a call writes into its first argument; None if it writes nothing."""
    if kwargs.get("inplace"):
        return name, func, {**kwargs, "inplace": False}
    if name in _IN_PLACE:
        plain = name.replace("__i", "__")
        return plain, getattr(Tensor, plain), kwargs
    if not name.endswith("_") or name.endswith("__") or not args or not isinstance(args[0], Tensor):
        return None
    plain = name[:-1]
    function = getattr(Tensor, plain, None) or getattr(nn.functional, plain, None)
    if function is None or plain in ("copy", "set", "zero", "fill", "normal", "uniform", "requires_grad"):
        raise Untraceable(f"the model writes into a tensor with {name}")
    return plain, function, kwargs


def _record(function, module, inputs, n, rewrites) -> tuple[list[Node], int]:
    recording = _Recording()
    batch = {key: recording.input(key, dtype, (n, *shape)) for key, (dtype, shape) in inputs.items()}
    fast = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with _watching(module, recording, rewrites), torch.no_grad(), recording:
            out = function(batch)
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)
    node = getattr(out, _NODE, None)
    if not isinstance(out, Tensor) or node is None:
        raise Untraceable(f"the model gives {type(out).__name__}, not a tensor that depends on its input")
    return recording.nodes, node


@contextmanager
def _watching(module: nn.Module, recording: _Recording, rewrites: Mapping[type, Callable]) -> Iterator[None]:
    """Inside, calls know their module, and modules of a rewritten type run the rewrite."""
    hooks, replaced = [], []
    try:
        for name, part in module.named_modules():
            hooks.append(part.register_forward_pre_hook(partial(recording.enter, name)))
            hooks.append(part.register_forward_hook(recording.leave, always_call=True))
            rewrite = next((rewrites[kind] for kind in type(part).__mro__ if kind in rewrites), None)
            if rewrite is not None and "forward" not in part.__dict__:
                part.forward = lambda *a, part=part, rewrite=rewrite, **k: rewrite(part, *a, **k)
                replaced.append(part)
        yield
    finally:
        for hook in hooks:
            hook.remove()
        for part in replaced:
            del part.forward


def _merge(first: tuple[list[Node], int], second: tuple[list[Node], int]) -> Graph:
    """One graph for any number of examples, from those for 2 and 3."""
    (two, output), (three, other) = first, second
    if len(two) != len(three) or output != other:
        raise Untraceable("the model does other things for 2 examples than for 3")
    for a, b in zip(two, three, strict=True):
        if a.name != b.name:
            raise Untraceable(f"the model calls {a.name} for 2 examples and {b.name} for 3")
        try:
            a.arguments = same_structure((a.arguments, b.arguments))
            a.keywords = same_structure((a.keywords, b.keywords))
        except ValueError as error:
            raise Untraceable(f"{a.layer or 'the model'}: {a.name} is called with {error}") from error
        if a.shape is not None:
            a.shape, a.batch = _batch_axis(a.shape, b.shape)  # type: ignore[assignment]  # None where there is none
    return Graph(two, output)


def _batch_axis(two: tuple[int, ...], three: tuple[int, ...]) -> tuple[tuple[int, ...], int | None]:
    if len(two) != len(three):
        raise Untraceable("a tensor has another rank for 2 examples than for 3")
    axes = [i for i, (a, b) in enumerate(zip(two, three, strict=True)) if a != b]
    if not axes:
        return two, None
    if len(axes) == 1 and (two[axes[0]], three[axes[0]]) == (2, 3):
        return (*two[: axes[0]], 0, *two[axes[0] + 1 :]), axes[0]
    return two, -1
