"""Importer of the modules of MMSplice (Cheng et al. 2019): files of Keras in its package, under the MIT licence.

zoo import Acceptor.h5 --as mmsplice -o mmsplice-acceptor       where mmsplice is installed: zoo pull mmsplice-acceptor
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from zoo.errors import ZooError
from zoo.hub.distribution import InstalledWeights
from zoo.importing.conversion import Conversion
from zoo.importing.weight_file import WeightFile
from zoo.spec import ModelSpec
from zoo_splice.networks.keras_layers import NORM

HEAD = "score"
SITES = ("acceptor", "donor")


class Part(NamedTuple):
    """One of the five files: which module it is, bp of a window, and what it reads, in words."""

    module: str
    length: int
    reads: str


PARTS = {
    "Acceptor": Part("acceptor", 53, "an acceptor: 50 bp of the intron and 3 of the exon"),
    "Donor": Part("donor", 18, "a donor: 5 bp of the exon and 13 of the intron"),
    "Exon": Part("exon", 400, "an exon, N around one that is shorter"),
    "Intron3": Part("intron", 94, "the intron in front of an acceptor without its last 6 bp"),
    "Intron5": Part("intron", 94, "the intron behind a donor without its first 6 bp"),
}
"""By the names of the files.  94 bp are those of 100 that the package reads beside an exon."""

_LAYERS = {
    "acceptor": {"convSpliceSite": "convolution", "conv1by1": "pointwise"},
    "donor": {"dense1": "dense1", "dense2": "dense2"},
    "exon": {"conv": "convolution"},
    "intron": {"conv": "convolution"},
}
_NORMS = {"batch_normalization_1": "norm1", "batch_normalization_2": "norm2"}


def mmsplice(files: Sequence[WeightFile], *, length: int = 0) -> Conversion:
    """The module of one file, which is called as its package calls it: Acceptor.h5, Donor.h5, Exon.h5, Intron3.h5, ...

    length: bp of a window of exons or introns; by default 400 and 94.
    """
    if len(files) != 1 or files[0].path.stem not in PARTS:
        names = ", ".join(f"{name}.h5" for name in PARTS)
        raise ZooError(f"mmsplice imports one module at a time, under its own name: give one of {names}")
    file, part = files[0], PARTS[files[0].path.stem]
    layers = {name.partition("/")[0] for name in file.names}
    last = next((layer for layer in layers if layer not in (*_LAYERS[part.module], *_NORMS)), None)
    if last is None or layers - {last} != {*_LAYERS[part.module], *_norms(part.module)}:
        raise ZooError(f"{file.path} has the layers {sorted(layers)}, which are not those of MMSplice's {part.module}")
    weights: dict[str, Tensor] = {}
    for layer, ours in _LAYERS[part.module].items():
        weights |= _layer(file, layer, f"encoder.{ours}")
    for layer in _norms(part.module):
        ours = f"encoder.{_NORMS[layer]}"
        weights |= {f"{ours}.{own}": _take(file, layer, name) for name, own in NORM.items()}
        weights[f"{ours}.num_batches_tracked"] = torch.tensor(0)
    weights |= _layer(file, last, f"heads.{HEAD}.dense")
    return Conversion(_spec(part, length or part.length), weights, notes=(_note(part),))


class MMSpliceWeights(InstalledWeights):
    """One module of an installed mmsplice 2.4.0, in the cache."""

    install = "mmsplice==2.4.0"
    terms = "MIT, Jun Cheng and colleagues"

    def convert(self, files: Sequence[Path], folder: Path) -> None:
        """files: one .h5."""
        from zoo.importing.import_model import import_model

        name = {"Intron3": "acceptor-intron", "Intron5": "donor-intron"}.get(files[0].stem, files[0].stem.lower())
        import_model(files, "mmsplice", folder, name=f"mmsplice-{name}")


def _spec(part: Part, length: int) -> ModelSpec:
    features = {"acceptor": 32 * 53, "donor": 64, "exon": 128, "intron": 256}[part.module]
    head = {"name": "scalar", "in_channels": features, "tasks": [part.module], "pool": "mean", "hidden": 0}
    return ModelSpec(
        name="mmsplice",
        encoder={"name": "mmsplice_module", "module": part.module},
        heads={HEAD: head},
        input_length=length,
        activation={HEAD: "sigmoid" if part.module in SITES else "identity"},
        task="splicing",
        description=f"A module of MMSplice, which reads {part.reads}.",
        licence="MIT",
        citation=(
            "Cheng J, Nguyen TYD, Cygan KJ, et al. MMSplice: modular modeling improves the predictions of genetic "
            "variant effects on splicing. Genome Biology 20: 48 (2019)"
        ),
        cite=("10.1186/s13059-019-1653-z",),
    )


def _note(part: Part) -> str:
    scale = "a probability, whose logit the package adds up" if part.module in SITES else "the number that it adds up"
    return f"the module alone, {scale}; how MMSplice weighs its five modules is not part of this model"


def _norms(module: str) -> list[str]:
    return list(_NORMS)[: {"acceptor": 2, "donor": 2, "exon": 1, "intron": 0}[module]]


def _layer(file: WeightFile, layer: str, ours: str) -> dict[str, Tensor]:
    """Kernel and bias of a convolution (K, C, D) or a dense layer (C, D)."""
    kernel = _take(file, layer, "kernel")
    kernel = kernel.permute(*reversed(range(kernel.dim()))).contiguous()
    return {f"{ours}.weight": kernel, f"{ours}.bias": _take(file, layer, "bias")}


def _take(file: WeightFile, layer: str, part: str) -> Tensor:
    """By the first and last part of its name: between them Keras counts how often it built the layer."""
    names = [name for name in file.names if name.startswith(f"{layer}/") and name.endswith(f"/{part}")]
    if len(names) != 1:
        raise ZooError(
            f"{file.path} holds {len(names)} arrays {part!r} of layer {layer!r}, not one: take it from mmsplice"
        )
    return file.take(names[0], *[None] * len(file.shape(names[0])))
