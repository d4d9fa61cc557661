"""What changes of a sequence do to a model's output: incremental inference, mutagenesis."""

from __future__ import annotations

from typing import Any

__all__ = ["Incremental", "incremental"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'zoo.effects' has no attribute {name!r}")
    from zoo.effects.engine import incremental

    return getattr(incremental, name)
