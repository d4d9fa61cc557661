"""SpliceAI-10k as Keras numbers its layers, in the names of `splice_residual` and `base_probabilities`.

read("conv1d", 3, "kernel") -> array -> {"encoder.towers.0.stages.0.0.convolution1.weight": tensor, ...}
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import Tensor

STAGES, BLOCKS = 4, 4
NORM = {"gamma": "weight", "beta": "bias", "moving_mean": "running_mean", "moving_variance": "running_var"}


def network_weights(read: Callable[[str, int, str], np.ndarray], head: str) -> dict[str, Tensor]:
    """The weights of one network.

    read: (conv1d or batch_normalization, number of the layer from 1, name of the weight) -> array; kernels (K, C, D).
    head: name of the head in the model.
    """
    weights: dict[str, Tensor] = {}
    for number, name in enumerate(_convolutions(head), 1):
        kernel = read("conv1d", number, "kernel")
        weights[f"{name}.weight"] = torch.from_numpy(np.ascontiguousarray(kernel.transpose(2, 1, 0)))
        weights[f"{name}.bias"] = torch.from_numpy(read("conv1d", number, "bias").copy())
    for number, name in enumerate(_norms(), 1):
        for own, ours in NORM.items():
            weights[f"{name}.{ours}"] = torch.from_numpy(read("batch_normalization", number, own).copy())
        weights[f"{name}.num_batches_tracked"] = torch.tensor(0)
    return weights


def _convolutions(head: str) -> Iterator[str]:
    yield "encoder.towers.0.first"
    yield "encoder.towers.0.first_skip"
    for stage in range(STAGES):
        for block in range(BLOCKS):
            yield f"encoder.towers.0.stages.{stage}.{block}.convolution1"
            yield f"encoder.towers.0.stages.{stage}.{block}.convolution2"
        yield f"encoder.towers.0.skips.{stage}"
    yield f"heads.{head}.output"


def _norms() -> Iterator[str]:
    for stage in range(STAGES):
        for block in range(BLOCKS):
            yield f"encoder.towers.0.stages.{stage}.{block}.norm1"
            yield f"encoder.towers.0.stages.{stage}.{block}.norm2"
