"""Importer of Pangolin (Zeng and Li 2022): twelve networks, three for each of four tissues.

zoo import FOLDER_OF_WEIGHTS --as pangolin -o pangolin         (final.1.0.3.v2 ... final.3.6.3.v2)
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import torch

from zoo.errors import ZooError
from zoo.importing.conversion import Conversion, join_members
from zoo.importing.weight_file import WeightFile
from zoo_splice.networks.specification import ENCODER, HEAD, splice_spec
from zoo_splice.networks.torch_layers import LayerNames, take_network

TISSUES = ("heart", "liver", "brain", "testis")
_NAMES = LayerNames(
    first="conv1",
    first_skip="skip",
    convolution="resblocks.{unit}.conv{i}",
    norm="resblocks.{unit}.bn{i}",
    skip="convs.{skip}",
    step=4,
    skip_step=1,
    skip_start=0,
)
_FILE = re.compile(r"final\.([0-9]{1,2})\.([0246])\.3(\.v2)?")
"""Replicate, and twice the number of the tissue: an even number is the network that tells the probability of a site."""


def pangolin(files: Sequence[WeightFile], *, licence: str = "GPL-3.0") -> Conversion:
    """The networks of P(splice) of every tissue: for each tissue the mean over the replicates.

    A network has outputs for all tissues and is used for its own alone, as Pangolin does.
    licence: of the weights; networks that you trained yourself are yours.
    """
    replicates: dict[str, dict[int, WeightFile]] = {}
    for file in files:
        match = _FILE.fullmatch(file.path.name)
        if match is None:
            raise ZooError(
                f"{file.path.name!r} is no network of P(splice) of Pangolin: give final.R.T.3.v2 of replicates R and "
                "T = 0, 2, 4, 6 for heart, liver, brain, testis"
            )
        replicates.setdefault(match[1], {})[int(match[2]) // 2] = file
    for replicate, tissues in replicates.items():
        missing = [name for i, name in enumerate(TISSUES) if i not in tissues]
        if missing:
            raise ZooError(f"replicate {replicate} of Pangolin lacks {missing[0]}: give all four tissues of it")
    return join_members([_network(tissues, licence) for _, tissues in sorted(replicates.items())])


def _network(files: Mapping[int, WeightFile], licence: str) -> Conversion:
    """The four networks of a replicate as four towers of one, each read by the output of its own tissue."""
    channels, n = ENCODER["channels"], len(TISSUES)
    weights = {}
    output, bias = torch.zeros(n, n * channels, 1), torch.zeros(n)
    for tissue, file in sorted(files.items()):
        weights |= take_network(file, _NAMES, len(ENCODER["kernels"]), tissue)
        last = f"conv_last{2 * tissue + 1}"  # two classes, no site and site
        classes, shift = file.take(f"{last}.weight", 2, channels, 1), file.take(f"{last}.bias", 2)
        # softmax over two classes is the sigmoid of the difference
        output[tissue, tissue * channels : (tissue + 1) * channels] = classes[1] - classes[0]
        bias[tissue] = shift[1] - shift[0]
        file.leave_out("conv_last*", "output of another tissue, or the usage of a site, which P(splice) does not read")
    weights |= {f"heads.{HEAD}.output.weight": output, f"heads.{HEAD}.output.bias": bias}
    head = {
        "name": "base_probabilities",
        "in_channels": n * channels,
        "tasks": list(TISSUES),
        "activation": "sigmoid",
        "crop": 0,
    }
    spec = splice_spec(
        "pangolin",
        ENCODER | {"epsilon": 1e-5, "towers": n},
        head,
        description="Probability that a base is a splice site, in four tissues, as the transcript reads.  Pangolin.",
        licence=licence,
        citation="Zeng T, Li YI. Predicting RNA splicing from DNA sequence using Pangolin. Genome Biol 23: 103 (2022)",
    )
    notes = ("one strand: reverse-complement the sequence of genes on the minus strand",)
    return Conversion(spec, weights, notes=notes)
