"""Convolution whose filters come with their reverse complements (weight sharing over strands).

The convention of the whole house: reading the other strand flips channels and positions,
`rc(x) = x.flip(1, 2)`, for one-hot sequence (A C G T to T G C A) as for every tied embedding.

    filter f          weight[f]               -> channel f
    its twin          weight[f].flip(0, 1)    -> channel 2F - 1 - f

so that conv(rc(x)) = rc(conv(x)).  Shrikumar et al. 2017, "Reverse-complement parameter sharing improves
deep learning models for genomics"; Zhou et al. 2022 call the layers RCPS.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from zoo.errors import ContractError
from zoo.fields import Grid


class TiedConv1d(nn.Conv1d):
    """`out_channels // 2` filters and their reverse complements; weights and biases are shared.

    x: (N, in_channels, T) -> (N, out_channels, T').  out_channels must be even.  Padding is the same on
    both sides: give a number, or "same" for an odd span.  A stride must leave nothing over at the right
    rim; `grid` refuses a window where it would.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        *,
        stride: int = 1,
        padding: int | str = 0,
        dilation: int = 1,
        bias: bool = True,
    ):
        if out_channels % 2:
            raise ContractError(
                f"a tied convolution needs an even number of channels, not {out_channels}: "
                f"half of them are the other strand's, use {out_channels + 1}"
            )
        if padding == "same" and dilation * (kernel_size - 1) % 2:
            raise ContractError(
                f"a tied convolution of width {kernel_size} and dilation {dilation} cannot be padded alike on "
                f"both sides to keep its length: use width {kernel_size + 1}"
            )
        super().__init__(
            in_channels, out_channels // 2, kernel_size, stride=stride, padding=padding, dilation=dilation, bias=bias
        )
        self.out_channels = out_channels

    def both_strands(self) -> tuple[Tensor, Tensor | None]:
        """The weight (out_channels, in_channels, kernel) and bias (out_channels,) that the input meets."""
        weight = self.weight  # read once: an adapter draws its dropout whenever it is read
        weight = torch.cat([weight, weight.flip(0, 1, 2)])
        return weight, None if self.bias is None else torch.cat([self.bias, self.bias.flip(0)])

    def forward(self, x: Tensor) -> Tensor:
        """x: (N, in_channels, T) -> (N, out_channels, T').

        In training all channels are one convolution.  In eval each strand is read by the same filters, which
        costs two flips and makes conv(rc(x)) equal rc(conv(x)) to the bit: nothing adds up over many layers.
        """
        if self.training:
            return self._conv_forward(x, *self.both_strands())
        here = self._conv_forward(x, self.weight, self.bias)
        there = self._conv_forward(x.flip(1, 2), self.weight, self.bias)
        return torch.cat([here, there.flip(1, 2)], dim=1)

    def grid(self, grid: Grid) -> Grid:
        """Where the output's positions lie; ContractError where the stride reads the two strands differently."""
        return conv_grid(grid, self, symmetric=True)


class TiedBatchNorm1d(nn.BatchNorm1d):
    """Batch normalisation in which a channel and its twin share mean, variance, scale and shift.

    x: (N, D, T) -> (N, D, T).  Without sharing, the running statistics of twins drift apart and the network
    is no longer true to the strand.
    """

    def __init__(self, num_features: int, **options: float | bool):
        if num_features % 2:
            raise ContractError(f"tied channels come in pairs: {num_features} features are not even")
        super().__init__(num_features // 2, **options)

    def forward(self, x: Tensor) -> Tensor:
        """x: (N, D, T) -> (N, D, T)."""
        first, second = x.chunk(2, dim=1)
        first, second = super().forward(torch.cat([first, second.flip(1)])).chunk(2)
        return torch.cat([first, second.flip(1)], dim=1)


def convolution(
    in_channels: int,
    out_channels: int,
    kernel_size: int,
    *,
    tied: bool = False,
    stride: int = 1,
    padding: int | str = 0,
    dilation: int = 1,
) -> nn.Conv1d:
    """A plain or a tied convolution with the same arguments."""
    layer = TiedConv1d if tied else nn.Conv1d
    return layer(in_channels, out_channels, kernel_size, stride=stride, padding=padding, dilation=dilation)


def conv_grid(grid: Grid, conv: nn.Conv1d, symmetric: bool = False) -> Grid:
    """Where a convolution's output positions lie, from those of its input.

    A position lies at the middle of its kernel.  symmetric: refuse what differs between the strands.
    """
    (kernel,), (stride,), (dilation,) = conv.kernel_size, conv.stride, conv.dilation
    span = dilation * (kernel - 1) + 1
    if isinstance(conv.padding, str):
        both = span - 1 if conv.padding == "same" else 0
        left = both // 2
    else:
        left, both = conv.padding[0], 2 * conv.padding[0]
    length, over = divmod(grid.length + both - span, stride)
    if symmetric and over:
        raise ContractError(
            f"{grid.length:,} positions leave {over} over at the right rim of a tied convolution of stride {stride}: "
            f"use a window of {grid.bin_size * (grid.length - over):,} bp"
        )
    if length < 0:
        raise ContractError(f"{grid.length:,} positions are fewer than a convolution of span {span} needs")
    middle = grid.offset + ((span - stride) // 2 - left) * grid.bin_size
    return Grid(middle, grid.bin_size * stride, length + 1)
