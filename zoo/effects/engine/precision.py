"""Weights of a module in another floating-point type, within a block."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn


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


@contextmanager
def full_precision(device: torch.device) -> Iterator[None]:
    """No TF32 inside: on a GPU convolutions round to 10 bits by default, which is more than most effects are."""
    switches: tuple[Any, ...] = (torch.backends.cudnn, torch.backends.cuda.matmul) if device.type == "cuda" else ()
    before = [switch.allow_tf32 for switch in switches]
    try:
        for switch in switches:
            switch.allow_tf32 = False
        yield
    finally:
        for switch, allowed in zip(switches, before, strict=True):
            switch.allow_tf32 = allowed
