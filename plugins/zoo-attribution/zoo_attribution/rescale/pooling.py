"""Maxima over positions, in the one form that their rule needs: values, and where they come from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor
from torch.nn import functional

from zoo.tracing.graph import Node
from zoo_attribution.rescale.calls import call_name


@dataclass(frozen=True)
class Pool:
    """run: x -> values, and their indices along `axis`, both of the rank of x; finish: values -> the call's result."""

    axis: int
    run: Callable[[Tensor], tuple[Tensor, Tensor]]
    finish: Callable[[Tensor], Any] = lambda values: values


def describe_pool(node: Node, arguments: tuple, keywords: Mapping[str, Any]) -> Pool | None:
    """The maximum that a call takes, its arguments bound; None where it is none over one axis."""
    x, *rest = arguments or (keywords["input"],)
    options = {k: v for k, v in keywords.items() if k not in ("input", "return_indices", "self")}
    name = call_name(node)
    if name == "max_pool1d":
        names = ("kernel_size", "stride", "padding", "dilation", "ceil_mode")
        options = {**dict(zip(names, rest[:5], strict=False)), **options}
        if not options.get("stride"):
            options["stride"] = None
        return Pool(x.dim() - 1, lambda z: functional.max_pool1d(z, **options, return_indices=True))
    if name == "adaptive_max_pool1d":
        size = rest[0] if rest else options["output_size"]
        return Pool(x.dim() - 1, lambda z: functional.adaptive_max_pool1d(z, size, return_indices=True))
    axis = rest[0] if rest else options.get("dim", options.get("axis"))
    keep = rest[1] if len(rest) > 1 else options.get("keepdim", False)
    if isinstance(axis, tuple | list) and len(axis) == 1:
        axis = axis[0]
    if not isinstance(axis, int):
        return None
    axis %= x.dim()
    if axis == 0:
        return None

    def finish(y: Tensor) -> Any:
        y = y if keep else y.squeeze(axis)
        return y if name == "amax" else (y, x.detach().argmax(axis, keepdim=keep))

    return Pool(axis, lambda z: z.max(axis, keepdim=True), finish)
