"""CI-SpliceAI (Strauch et al. 2022) from the frozen graph that its authors publish under CC BY 4.0.

python -m zoo_splice.networks.ci_spliceai CI-SpliceAI.pb -o FOLDER     (the .pb of cispliceai 1.2.2)

The folder is the model that the plugin ships as `ci-spliceai`.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from torch import Tensor

from zoo.errors import DataError
from zoo.files.regular_files import sha256_of
from zoo.hub.model_folder import save_bundle
from zoo.model import Model, build
from zoo.spec import ModelSpec
from zoo_splice.networks.frozen_graph import read_constants
from zoo_splice.networks.keras_layers import network_weights
from zoo_splice.networks.specification import ENCODER, HEAD, SOFTMAX, golden_codes, splice_spec

MEMBERS = 5
SHA256 = "34330c2fd844f73cbf2f8acef85f519cabc4350016e6f19ac2b935aa53b43d06"
_SIZE = 15_946_046
_PARTS = {
    "kernel": "conv1d{}/ExpandDims_1/ReadVariableOp",
    "bias": "BiasAdd{}/ReadVariableOp",
    "gamma": "batchnorm{}/mul/ReadVariableOp",
    "beta": "batchnorm{}/ReadVariableOp_2",
    "moving_mean": "batchnorm{}/ReadVariableOp_1",
    "moving_variance": "batchnorm{}/ReadVariableOp",
}


def ci_spliceai_spec() -> ModelSpec:
    """What the card says."""
    return splice_spec(
        "ci-spliceai",
        ENCODER,
        SOFTMAX,
        members=MEMBERS,
        description=(
            "Acceptor and donor splice sites of every base from 5,000 bp on either side, as the transcript reads, "
            "trained on the collapsed isoforms of GENCODE.  The five networks of CI-SpliceAI, converted without a "
            "change of any weight."
        ),
        licence="CC-BY-4.0",
        citation=(
            "Strauch Y, Lord J, Niranjan M, Baralle D. CI-SpliceAI: Improving machine learning predictions of disease "
            "causing splicing variants using curated alternative splice sites. PLOS ONE 17(6): e0269159 (2022)"
        ),
        data={
            "source": "cispliceai 1.2.2 on PyPI, cispliceai/data/CI-SpliceAI.pb by Yaron Strauch and colleagues",
            "sha256": SHA256,
            "changes": "constants of the frozen graph stored as safetensors, its mean as that of the ensemble",
            "strand": "one: reverse-complement the sequence of genes on the minus strand",
        },
        training={"by": "the authors of CI-SpliceAI"},
    )


def read_ci_spliceai(path: str | Path) -> Model:
    """The model of a frozen graph of CI-SpliceAI, whose sha256 must be that of cispliceai 1.2.2."""
    if sha256_of(path, _SIZE) != SHA256:
        raise DataError(f"{path} is not the CI-SpliceAI.pb of cispliceai 1.2.2: take it from that release")
    constants = read_constants(path)
    model = build(ci_spliceai_spec())
    state: dict[str, Tensor] = {}
    for member in range(MEMBERS):
        suffix = f"_{member}" if member else ""

        def read(layer: str, number: int, part: str, suffix: str = suffix) -> np.ndarray:
            return constants[f"model_1/{layer}_{number}/{_PARTS[part].format(suffix)}/resource"]

        state |= {f"members.{member}.{key}": x for key, x in network_weights(read, HEAD).items()}
    model.load_state_dict(state)
    return model.eval()


def main() -> None:
    """Write the model folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("graph", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True)
    arguments = parser.parse_args()
    model = read_ci_spliceai(arguments.graph)
    print(save_bundle(model, arguments.output, golden_codes(model.spec.input_length)))


if __name__ == "__main__":
    main()
