"""Attributions: an interpreter run over sequences or regions, files of its scores, and their validation."""

from __future__ import annotations

from typing import Any

__all__ = ["Attributed", "attribute_codes", "validate"]

_MODULES = {
    "Attributed": "zoo.attribution.result",
    "attribute_codes": "zoo.attribution.sequences",
    "validate": "zoo.attribution.validation",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module 'zoo.attribution' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_MODULES[name]), name)
