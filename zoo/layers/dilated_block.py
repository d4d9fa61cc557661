"""Residual blocks of dilated convolutions: context that doubles with every layer, at base resolution."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from zoo.layers.tied_conv import convolution


class DilatedBlock(nn.Module):
    """x + relu(dilated convolution of x), keeping T (Avsec et al. 2021, BPNet).

    x: (N, channels, T) -> (N, channels, T).  Adds (kernel - 1) * dilation positions to the receptive field.

    kernel: odd, so that a position stays where it is.
    tied: rc(x) = x.flip(1, 2) goes through the block unchanged.
    """

    def __init__(self, channels: int, *, kernel: int = 3, dilation: int = 1, dropout: float = 0.0, tied: bool = False):
        super().__init__()
        padding = dilation * (kernel - 1) // 2
        self.convolution = convolution(channels, channels, kernel, tied=tied, padding=padding, dilation=dilation)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """x: (N, channels, T) -> (N, channels, T)."""
        return x + self.dropout(torch.relu(self.convolution(x)))
