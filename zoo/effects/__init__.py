"""Effects of sequence changes on the output of a model: saturation mutagenesis, variants, incremental inference."""

from __future__ import annotations

from typing import Any

__all__ = ["Incremental", "incremental"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'zoo.effects' has no attribute {name!r}")
    from zoo.effects.engine import incremental

    return getattr(incremental, name)
