"""A module's weights in another floating-point type, for as long as a block lasts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

__all__ = ["as_type", "in_precision"]


@contextmanager
def in_precision(module: nn.Module, dtype: torch.dtype) -> Iterator[None]:
    """Floating-point parameters and buffers are of `dtype` inside, and the very tensors of before outside."""
    replaced = []
    try:
        with torch.no_grad():
            for part in module.modules():
                for store in (part._parameters, part._buffers):
                    for name, x in store.items():
                        if x is not None and x.is_floating_point() and x.dtype != dtype:
                            replaced.append((store, name, x))
                            cast = x.detach().to(dtype)
                            store[name] = nn.Parameter(cast, False) if store is part._parameters else cast
        yield
    finally:
        for store, name, x in replaced:
            store[name] = x


def as_type(x: Tensor, dtype: torch.dtype) -> Tensor:
    """x in this type, unless it holds integers."""
    return x.to(dtype) if x.is_floating_point() else x
