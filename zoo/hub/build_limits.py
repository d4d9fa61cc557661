"""Building a stranger's configuration within bounds."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import contextmanager
from math import prod
from pathlib import Path

from zoo.errors import HubError

_FACTOR = 4
_SLACK_MODULES = 200
_SLACK_ELEMENTS = 1 << 26


@contextmanager
def limited(shapes: Mapping[str, tuple[int, ...]], folder: Path):
    """While inside, modules that register far more than the tensors of `shapes` are stopped with HubError.

    Tied and parametrised weights are registered more than once and activations hold no tensor, hence the slack.
    """
    from torch.nn.modules import module

    most_modules = 10 * len(shapes) + _SLACK_MODULES
    most_elements = _FACTOR * sum(prod(s) for s in shapes.values()) + _SLACK_ELEMENTS
    seen = {"modules": 0, "elements": 0}

    def count(owner, name, value):
        seen["modules"] += 1
        seen["elements"] += value.numel() if hasattr(value, "numel") else 0
        if seen["modules"] > most_modules or seen["elements"] > most_elements:
            raise HubError(
                f"{folder}: config.json describes a far larger model than the {len(shapes)} tensors beside it: "
                "do not trust this model"
            )

    handles = [
        module.register_module_parameter_registration_hook(count),
        module.register_module_buffer_registration_hook(count),
        module.register_module_module_registration_hook(count),
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
