"""Importer of OpenSpliceAI (Chao et al. 2025): networks of 80, 400, 2,000 and 10,000 nt of context, one file a seed.

zoo import model_10000nt_rs1*.pt --as openspliceai -o openspliceai-mane-10000nt
"""

from __future__ import annotations

from collections.abc import Sequence

from zoo.errors import ZooError
from zoo.importing.conversion import Conversion, join_members
from zoo.importing.weight_file import WeightFile
from zoo_splice.networks.specification import CLASSES, ENCODER, HEAD, SOFTMAX, splice_spec
from zoo_splice.networks.torch_layers import LayerNames, take_network

_NAMES = LayerNames(
    first="initial_conv",
    first_skip="initial_skip.conv",
    convolution="residual_units.{unit}.conv{i}",
    norm="residual_units.{unit}.batchnorm{i}",
    skip="residual_units.{skip}.conv",
    step=5,
    skip_step=5,
    skip_start=4,
)


def openspliceai(files: Sequence[WeightFile], *, licence: str = "GPL-3.0") -> Conversion:
    """Networks of one context, as their authors save them: the mean of their probabilities.

    licence: of the weights; networks that you trained yourself are yours.
    """
    return join_members([_network(file, licence) for file in files])


def _network(file: WeightFile, licence: str) -> Conversion:
    stages = _NAMES.stages(file)
    if not stages:
        raise ZooError(
            f"{file.path} has no layer {_NAMES.skip_of(0)!r}: it is no network of OpenSpliceAI, which has one to four "
            "stages of residual units"
        )
    encoder = ENCODER | {
        "kernels": ENCODER["kernels"][:stages],
        "dilations": ENCODER["dilations"][:stages],
        "slope": 0.1,
        "epsilon": 1e-5,
    }
    spec = splice_spec(
        "openspliceai",
        encoder,
        SOFTMAX,
        description="Acceptor and donor splice sites of every base, as the transcript reads.  OpenSpliceAI.",
        licence=licence,
        citation=(
            "Chao K-H, Mao A, Liu A, Salzberg SL, Pertea M. OpenSpliceAI: An efficient, modular implementation of "
            "SpliceAI enabling easy retraining on non-human species. eLife 14: RP107454 (2025)"
        ),
    )
    weights = take_network(file, _NAMES, stages)
    weights[f"heads.{HEAD}.output.weight"] = file.take("final_conv.weight", len(CLASSES), ENCODER["channels"], 1)
    weights[f"heads.{HEAD}.output.bias"] = file.take("final_conv.bias", len(CLASSES))
    return Conversion(
        spec, weights, notes=("one strand: reverse-complement the sequence of genes on the minus strand",)
    )
