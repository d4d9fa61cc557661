"""README.md of a model folder, written from its spec."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zoo.spec import ModelSpec

__all__ = ["write_card"]


def write_card(spec: ModelSpec) -> str:
    """The model card as Markdown."""
    return f"# {spec.name}\n\n{spec.description}\n"
