"""The head's contract."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from zoo.fields import ONE_HOT, Field, Grid
from zoo.interfaces import Head
from zoo.testing.incremental import agrees
from zoo.testing.module import check_fields, check_function, check_saving
from zoo.testing.report import Check, Refused, Unmeasured, measure
from zoo.testing.samples import fresh_module, sample, settled


def check_head(head: Head | Callable[[], Head], *, in_channels: int, grid: Grid | None = None) -> list[Check]:
    """Measure every promise of a head; it is left as it was.

    head: an instance, or a function that builds one.
    in_channels: D of the embedding that it was built for.
    grid: positions of that embedding; 64 of one bp by default.
    """
    grid = grid or Grid(0, 1, 64)
    made: list[Head] = []
    interface = measure("interface", lambda: _interface(head, made))
    if not interface.ok:
        return [interface]
    built = made[0]
    inputs = _inputs(built, in_channels, grid, 5)
    shape = measure("shape", lambda: _shape(built, inputs, grid))
    if not shape.ok:
        return [interface, shape]
    trained = settled(built, lambda h: _run(h, _inputs(h, in_channels, grid, 5, seed=3)))
    functions = check_function(lambda x: _run(trained, x), inputs, ("embedding",))
    return [
        interface,
        shape,
        measure("dtype", lambda: _dtype(trained, inputs)),
        *functions,
        measure("positions", lambda: _positions(built)),
        measure("grid", lambda: _grid(trained, inputs, grid)),
        check_fields({"prediction": built.field, **built.inputs}),
        check_saving(
            lambda: fresh_module(head),
            lambda h: _run(h, _inputs(h, in_channels, grid, 2)),
            bool(functions[0].ok),
        ),
        measure("incremental inference", lambda: _incremental(trained, in_channels, grid)),
        *([measure("rescale", lambda: _rescale(trained, inputs))] if hasattr(built, "rescale") else []),
    ]


def _inputs(head: Head, in_channels: int, grid: Grid, n: int, seed: int = 0) -> dict[str, Tensor]:
    embedding = sample({"embedding": Field("CT", tuple(map(str, range(in_channels))))}, n, grid.length, seed)
    return {**embedding, **sample(head.inputs, n, grid.length * grid.bin_size, seed)}


def _run(head: Head, inputs: Mapping[str, Tensor]) -> Tensor:
    return head(inputs["embedding"], {k: x for k, x in inputs.items() if k != "embedding"})


def _interface(head: Head | Callable[[], Head], made: list[Head]) -> str:
    built = fresh_module(head)
    if not isinstance(built, Head):
        raise Refused(f"{type(built).__name__} is no zoo.Head")
    if not isinstance(getattr(built, "field", None), Field):
        raise Refused(f"{type(built).__name__} declares no field")
    made.append(built)
    return f"{type(built).__name__}, N{built.field.axes}"


def _shape(head: Head, inputs: Mapping[str, Tensor], grid: Grid) -> str:
    out = head.grid(grid)
    if (out is None) != ("T" not in head.field.axes):
        raise Refused(f"a field {head.field.axes!r} and the grid {out} contradict each other")
    with torch.no_grad():
        x = _run(head.eval(), inputs)
    expected = head.field.shape(len(x), out.length if out else 1)
    if tuple(x.shape) != expected:
        raise Refused(f"{tuple(x.shape)}, but field and grid declare {expected}")
    return f"{('N', *expected[1:])}".replace("'", "")


def _dtype(head: Head, inputs: Mapping[str, Tensor]) -> str:
    head = copy.deepcopy(head)
    with torch.no_grad():
        for dtype in (torch.float64, torch.float32):
            x = _run(head.to(dtype), {k: v.to(dtype) if v.is_floating_point() else v for k, v in inputs.items()})
            if x.dtype != dtype:
                raise Refused(f"a {dtype} embedding gives {x.dtype}: make new tensors of the embedding's type")
    return "follows its inputs"


def _positions(head: Head) -> str:
    if "T" in head.field.axes and not head.needs_positions:
        raise Refused("predicts positions without needs_positions = True: an encoder that pools them would be accepted")
    return "needs positions" if head.needs_positions else "takes any embedding"


@torch.no_grad()
def _rescale(head: Head, inputs: Mapping[str, Tensor]) -> str:
    """What calibration asks of a head that can: another scale and shift for every channel."""
    before, scaled = _run(head, inputs), copy.deepcopy(head)
    channels = before.shape[1]
    scale, shift = torch.linspace(0.5, 2, channels), torch.linspace(-1, 1, channels)
    scaled.rescale(scale, shift)  # type: ignore[operator]
    shape = (channels, *[1] * (before.dim() - 2))
    gap = (_run(scaled, inputs) - (scale.reshape(shape) * before + shift.reshape(shape))).abs().max().item()
    if not gap <= 1e-4 * max(1.0, before.abs().max().item()):
        raise Refused(f"differs by {gap:.3g} from scale * prediction + shift")
    return f"{channels} channels, each its own scale and shift"


def _incremental(head: Head, in_channels: int, grid: Grid) -> str:
    """Behind a convolution, which makes an embedding of a sequence."""
    both = torch.nn.ModuleDict({"encoder": torch.nn.Conv1d(4, in_channels, 5, padding=2), "head": head}).eval()

    def run(inputs: Mapping[str, Tensor]) -> Tensor:
        embedding = torch.tanh(both["encoder"](inputs["one_hot"]))
        return head(embedding, {k: x for k, x in inputs.items() if k != "one_hot"}).flatten(1)

    return agrees(both, run, {"one_hot": ONE_HOT, **head.inputs}, grid.length)


@torch.no_grad()
def _grid(head: Head, inputs: Mapping[str, Tensor], grid: Grid) -> str:
    """A change at one position of the embedding comes out where the grids say.

    No NaN: in a running sum it would reach what the number itself does not.
    """
    out = head.grid(grid)
    if out is None:
        return "no positions"
    at = grid.length // 2
    embedding = inputs["embedding"].clone()
    embedding[:, :, at] = 3 - 2 * embedding[:, :, at]
    change = (_run(head, {**inputs, "embedding": embedding}) - _run(head, inputs)).abs()
    reached = change > 1e-5 * change.amax()
    if head.field.channel_axis is not None:
        reached = reached.any(head.field.channel_axis)
    while reached.dim() > 2:
        reached = reached.all(2)
    hull = reached[0].nonzero()[:, 0]
    if not len(hull):
        raise Refused("a position of the embedding reaches no position of the prediction")
    if len(hull) == out.length > 1:
        raise Unmeasured("every position of the prediction sees the whole embedding")
    seen = out.offset + out.bin_size * (int(hull[0]) + int(hull[-1]) + 1) / 2
    expected = grid.offset + grid.bin_size * (at + 0.5)
    if abs(seen - expected) > out.bin_size / 2:
        raise Refused(f"what lies at {expected:g} bp comes out at {seen:g} bp by the declared grid")
    return f"offset {out.offset}, {out.length} bins of {out.bin_size} bp"
