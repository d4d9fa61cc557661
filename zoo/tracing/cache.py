"""Cache of what was computed from a model, valid until its weights change."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Hashable
from typing import TypeVar

from torch import nn

T = TypeVar("T")

_made: weakref.WeakKeyDictionary[nn.Module, dict] = weakref.WeakKeyDictionary()


def cached(model: nn.Module, key: Hashable, make: Callable[[], T]) -> T:
    """What `make` gave for this model and key, made again when the weights have changed.

    It must not hold the model itself, which would then never go away.
    """
    state = tuple((id(p), p.data_ptr(), p._version, p.device, p.dtype) for p in (*model.parameters(), *model.buffers()))
    found = _made.setdefault(model, {})
    if key not in found or found[key][0] != state:
        found[key] = state, make()
    return found[key][1]
