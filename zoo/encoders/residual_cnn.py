"""Motif detectors, max pooling and a few residual convolutions: the encoder of a first training."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

from zoo.errors import ConfigError, ContractError
from zoo.fields import Grid
from zoo.interfaces import Encoder
from zoo.layers.dilated_block import DilatedBlock
from zoo.layers.tied_conv import convolution


class ResidualCNN(Encoder):
    """Convolution, max pooling, residual convolutions; a position of the embedding covers `pool` bp.

    1. one_hot (N, 4, L), padded so that a motif at the window's rim meets the whole of every filter
    2. convolution of `filters` filters, `width` bp wide -> (N, F, L)
    3. the maximum of every `pool` bp, relu -> (N, F, L / pool), as Basset does (Kelley et al. 2016); the last may be
       shorter
    4. `layers` times x + relu(convolution of `kernel` positions) (He et al. 2016) -> (N, F, L / pool)

    Few weights for its accuracy on small sets: its size was chosen by the validation splits of some of them
    (docs/benchmarks.md, "The first training").  No normalisation, so that training and evaluation see one function.

    filters: number of motif detectors, and width of every layer.
    width: bp of a motif detector, odd.
    pool: bp that a position of the embedding covers.
    layers: residual convolutions.
    kernel: positions that such a convolution covers, odd.
    dropout: probability with which a layer's output is left out in training.
    tied: weights are shared between the strands; half of the channels are then the other strand's.  The pool must
        then divide the window.
    """

    def __init__(
        self,
        *,
        filters: int = 128,
        width: int = 15,
        pool: int = 4,
        layers: int = 1,
        kernel: int = 3,
        dropout: float = 0.0,
        tied: bool = False,
    ):
        super().__init__()
        for name, value in (("width", width), ("kernel", kernel)):
            if value % 2 == 0:
                raise ConfigError(f"{name} {value} of residual_cnn must be odd to keep every base in place")
        if pool < 1:
            raise ConfigError(f"pool {pool} of residual_cnn must be 1 bp or more")
        self.pool, self.tied = pool, tied
        self.out_channels = filters
        self.receptive_field = width + pool - 1 + layers * (kernel - 1) * pool
        self.strand = "equivariant" if tied else "none"
        self.convolution = convolution(4, filters, width, tied=tied, padding=width // 2)
        self.blocks = nn.ModuleList(
            DilatedBlock(filters, kernel=kernel, dropout=dropout, tied=tied) for _ in range(layers)
        )

    def grid(self, length: int) -> Grid:
        """A position every `pool` bp."""
        if self.tied and length % self.pool:
            raise ContractError(
                f"a pool of {self.pool} bp does not divide a window of {length:,} bp, so the strands would be binned "
                f"apart: use {length - length % self.pool:,} bp, or set encoder.pool to a divisor"
            )
        return Grid(0, self.pool, -(-length // self.pool))

    def forward(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """inputs: {one_hot (N, 4, L)} -> embedding (N, filters, L / pool)."""
        x = self.convolution(inputs["one_hot"])
        if self.pool > 1:  # before the relu, which then passes over `pool` times fewer numbers: the same function
            x = functional.max_pool1d(x, self.pool, ceil_mode=True)
        x = torch.relu(x)
        for block in self.blocks:
            x = block(x)
        return x
