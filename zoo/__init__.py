"""zoo: find, train, check, explain and share networks that read DNA.

model = zoo.load("ctcf-motif-cnn")

Names are imported when they are first used, so that `zoo --help` needs no torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from zoo.attribution.regions import attribute
    from zoo.config import compose
    from zoo.data.genome import Genome
    from zoo.effects.saturation_mutagenesis import mutate
    from zoo.effects.variants.job import score_variants
    from zoo.errors import ZooError
    from zoo.fields import Field
    from zoo.hub.loader import load
    from zoo.hub.names import list_models
    from zoo.interfaces import Encoder, Head, Interpreter, Objective
    from zoo.model import Model
    from zoo.outputs import Output
    from zoo.plugins import hookimpl
    from zoo.prediction.predict import predict
    from zoo.training.publication import publish
    from zoo.training.run import train

_LAZY = {
    "Encoder": "zoo.interfaces",
    "Field": "zoo.fields",
    "Genome": "zoo.data.genome",
    "Head": "zoo.interfaces",
    "Interpreter": "zoo.interfaces",
    "Model": "zoo.model",
    "Objective": "zoo.interfaces",
    "Output": "zoo.outputs",
    "ZooError": "zoo.errors",
    "attribute": "zoo.attribution.regions",
    "compose": "zoo.config",
    "hookimpl": "zoo.plugins",
    "list_models": "zoo.hub.names",
    "load": "zoo.hub.loader",
    "mutate": "zoo.effects.saturation_mutagenesis",
    "predict": "zoo.prediction.predict",
    "publish": "zoo.training.publication",
    "score_variants": "zoo.effects.variants.job",
    "train": "zoo.training.run",
}

__all__ = [
    "Encoder", "Field", "Genome", "Head", "Interpreter", "Model", "Objective", "Output", "ZooError", "attribute",
    "compose", "hookimpl", "list_models", "load", "mutate", "predict", "publish", "score_variants", "train",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module 'zoo' has no attribute {name!r}")
    try:
        value = getattr(import_module(_LAZY[name]), name)
    except ModuleNotFoundError as error:
        from zoo.errors import explain

        raise explain(error) or error from error
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
