"""Where weights live: models by name, pulled, checked and loaded; zoo/publication.py publishes them.

model = zoo.load("ctcf-motif-cnn")
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_LAZY = {
    "as_model": "zoo.hub.loader",
    "load": "zoo.hub.loader",
    "pull": "zoo.hub.loader",
    "list_models": "zoo.hub.names",
}

__all__ = sorted(_LAZY)


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module 'zoo.hub' has no attribute {name!r}")
    return getattr(import_module(_LAZY[name]), name)
