"""Starting from a published model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import nn

from zoo.errors import ConfigError, ContractError
from zoo.interfaces import Head
from zoo.model import Model

__all__ = ["published_model", "take_over"]


def published_model(config: Mapping[str, Any]) -> Model | None:
    """The model that `init` names, None where it names none."""
    if not config.get("init"):
        if config.get("freeze_encoder"):
            raise ConfigError("freeze_encoder=true keeps an encoder that was never trained: set init=NAME too")
        return None
    from zoo.hub import load

    published = load(str(config["init"]))
    if published.spec.members > 1:
        raise ConfigError(
            f"init={config['init']} is an ensemble of {published.spec.members}: start from one of its members"
        )
    return published


def take_over(model: Model, published: Model) -> None:
    """Copy the encoder's weights, and those of every head of the same target, field and shapes."""
    try:
        model.encoder.load_state_dict(published.encoder.state_dict())
    except RuntimeError as error:
        raise ContractError(
            f"the weights of {published.spec.name!r} do not fit its encoder: pull the model again"
        ) from error
    for name, head in model.heads.items():
        other = published.heads[name] if name in published.heads else None
        if (
            other is not None
            and type(other) is type(head)
            and other.field == head.field
            and _shapes(other) == _shapes(head)
        ):
            head.load_state_dict(other.state_dict())


def _alike(head: Head, other: Head) -> bool:
    return type(other) is type(head) and other.field == head.field and _shapes(other) == _shapes(head)


def _shapes(module: nn.Module) -> dict[str, tuple[int, ...]]:
    return {k: tuple(t.shape) for k, t in module.state_dict().items()}
