"""zoo: find, train, check, explain and share networks that read DNA.

model = zoo.load("ctcf-motif-cnn")
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_LAZY = {
    "hookimpl": "zoo.plugins",
    "Encoder": "zoo.interfaces",
    "Head": "zoo.interfaces",
    "Objective": "zoo.interfaces",
    "Interpreter": "zoo.interfaces",
    "Attribution": "zoo.interfaces",
    "Field": "zoo.fields",
    "Grid": "zoo.fields",
    "Output": "zoo.outputs",
    "Model": "zoo.model",
    "ModelSpec": "zoo.spec",
    "Genome": "zoo.data.genome",
    "ZooError": "zoo.errors",
    "registry": "zoo.registry",
    "compose": "zoo.config",
    "train": "zoo.training.run",
    "load": "zoo.hub",
    "pull": "zoo.hub",
    "publish": "zoo.hub",
    "list_models": "zoo.hub",
    "predict": "zoo.prediction.predict",
    "score_variants": "zoo.effects.variants.job",
    "epistasis": "zoo.effects.variants.epistasis",
    "mutate": "zoo.effects.saturation_mutagenesis",
    "attribute_regions": "zoo.attribution.regions",
    "score_haplotypes": "zoo.effects.variants.haplotype_effects",
    "haplotypes": "zoo.variants.haplotypes",
}

__all__ = sorted(_LAZY)


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module 'zoo' has no attribute {name!r}")
    module = import_module(_LAZY[name])
    value = getattr(module, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
