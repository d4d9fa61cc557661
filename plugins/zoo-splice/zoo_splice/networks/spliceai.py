"""Importer of SpliceAI (Jaganathan et al. 2019): the five networks that its package brings, files of Keras.

zoo import spliceai1.h5 ... spliceai5.h5 --as spliceai -o spliceai-10k
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from zoo.hub.distribution import InstalledWeights
from zoo.importing.conversion import Conversion, join_members
from zoo.importing.weight_file import WeightFile
from zoo_splice.networks.keras_layers import network_weights
from zoo_splice.networks.specification import ENCODER, HEAD, SOFTMAX, splice_spec

_NOTES = (
    "one strand: reverse-complement the sequence of genes on the minus strand",
    "benchmarks/splice_ports.py holds it against spliceai 1.3.1; docs/published.md says how far the two agree",
)


def spliceai(files: Sequence[WeightFile]) -> Conversion:
    """SpliceAI-10k: the mean of the probabilities of the networks."""
    return join_members([_network(file) for file in files])


def _network(file: WeightFile) -> Conversion:
    spec = splice_spec(
        "spliceai-10k",
        ENCODER,
        SOFTMAX,
        description=(
            "Acceptor and donor splice sites of every base from 5,000 bp on either side, as the transcript reads.  "
            "SpliceAI of Illumina, for academic and not-for-profit use."
        ),
        licence="CC-BY-NC-4.0",
        citation=(
            "Jaganathan K, Kyriazopoulou Panagiotopoulou S, McRae JF, et al. Predicting splicing from primary sequence "
            "with deep learning. Cell 176: 535-548 (2019)"
        ),
    )

    def read(layer: str, number: int, part: str) -> np.ndarray:
        return file.take(f"{layer}_{number}/{part}").numpy()

    weights = network_weights(read, HEAD)
    return Conversion(spec, weights, notes=_NOTES)


class SpliceAIWeights(InstalledWeights):
    """The five .h5 files of spliceai 1.3.1, which may not be shipped; they become `spliceai-10k` in the cache."""

    install = "spliceai==1.3.1"
    terms = "CC BY-NC 4.0: academic and not-for-profit use"

    def convert(self, files: Sequence[Path], folder: Path) -> None:
        """files: spliceai1.h5 to spliceai5.h5."""
        from zoo.importing.import_model import import_model

        import_model(files, "spliceai", folder, name="spliceai-10k")
