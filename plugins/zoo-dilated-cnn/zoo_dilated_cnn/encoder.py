"""The dilated residual encoder."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from zoo.errors import ConfigError
from zoo.fields import Grid
from zoo.interfaces import Encoder
from zoo.layers.dilated_block import DilatedBlock
from zoo.layers.tied_conv import convolution


class DilatedCNN(Encoder):
    """One wide convolution, then residual layers whose dilation doubles; every base keeps its position.

    1. one_hot (N, 4, L)
    2. convolution `first_width` bp wide, relu -> (N, channels, L)
    3. for i in 0 .. layers - 1: x + relu(convolution of width `kernel`, dilation first_dilation * 2^i)
    4. embedding (N, channels, L) on Grid(0, 1, L)

    The defaults are the body of BPNet (Avsec et al. 2021: 64 channels, a 25-bp first filter and nine layers)
    in the sizes that bpnet-lite and chromBPNet trained for windows of 2,114 bp: 21 bp, eight layers of
    dilation 2 to 256.  It differs from them in padding at the rim with zeros instead of cropping it.

    Receptive field, in bp: `first_width + (kernel - 1) * first_dilation * (2^layers - 1)`.
        the defaults: 21 + 2 * 2 * 255 = 1,041
        14 layers of kernel 3 with first_width 1 and first_dilation 1: 1 + 2 * 16,383 = 32,767

    channels: D.
    layers: number of residual layers.
    kernel: bp of a dilated filter, odd.
    first_width: bp of the first filter, odd.
    first_dilation: dilation of the first residual layer.
    dropout: probability with which a layer's output is left out in training.
    tied: weights are shared between the strands; half of the channels are then the other strand's.
    """

    def __init__(
        self,
        *,
        channels: int = 64,
        layers: int = 8,
        kernel: int = 3,
        first_width: int = 21,
        first_dilation: int = 2,
        dropout: float = 0.0,
        tied: bool = False,
    ):
        super().__init__()
        for name, width in (("kernel", kernel), ("first_width", first_width)):
            if width % 2 == 0:
                raise ConfigError(f"{name} {width} of dilated_cnn must be odd to keep every base in place")
        if not 0 <= layers <= 24:
            raise ConfigError(f"layers {layers} of dilated_cnn must be 0 to 24: each doubles the dilation")
        dilations = [first_dilation * 2**i for i in range(layers)]
        self.out_channels = channels
        self.receptive_field = first_width + (kernel - 1) * sum(dilations)
        self.strand = "equivariant" if tied else "none"
        self.first = convolution(4, channels, first_width, tied=tied, padding=first_width // 2)
        self.blocks = nn.ModuleList(
            DilatedBlock(channels, kernel=kernel, dilation=d, dropout=dropout, tied=tied) for d in dilations
        )

    def grid(self, length: int) -> Grid:
        """One position a base."""
        return Grid(0, 1, length)

    def forward(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """inputs: {one_hot (N, 4, L)} -> embedding (N, channels, L)."""
        x = torch.relu(self.first(inputs["one_hot"]))
        for block in self.blocks:
            x = block(x)
        return x
