"""The dilated residual network of SpliceAI and its successors (Jaganathan et al. 2019).

one_hot (N, 4, L) -> 1-bp convolution -> stages of residual blocks, a skip beside each -> sum of the skips (N, D, T)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from zoo.errors import ConfigError, ContractError
from zoo.fields import Grid
from zoo.interfaces import Encoder

_LONGEST = 1 << 17


class SpliceResidual(Encoder):
    """Residual blocks of two dilated convolutions; what leaves the first layer and each stage is added up.

    1. one_hot (N, 4, L), a convolution of 1 bp -> (N, channels, L), and another of 1 bp on it, the first skip
    2. a stage of `blocks` residual blocks for each kernel and dilation, a convolution of 1 bp on it, a further skip;
       a block is x + convolution(act(norm(convolution(act(norm(x))))))
    3. embedding (N, towers * channels, T): the sum of the skips

    The defaults are SpliceAI-10k, with 10,001 bp of receptive field: 1 + 2 * blocks * sum((kernel - 1) * dilation).
    The batch normalisation of Keras adds 1e-3 to the variance (`epsilon`), that of PyTorch 1e-5.  OpenSpliceAI's
    activation is a leaky relu of slope 0.1; its 80, 400 and 2,000-nt networks have the first 1, 2 and 3 stages.
    Pangolin has one such network for each tissue, side by side (`towers`).

    channels: width of every layer of a tower.
    kernels, dilations: bp of a filter, odd, and its dilation, of each stage.
    blocks: residual blocks in a stage.
    slope: of the leaky relu below zero; 0 is a relu.
    epsilon: of the batch normalisation.
    towers: networks of the same shape side by side, none reading another.
    padded: True keeps every base, with zeros beside the window in each layer, for a head that crops.  False leaves the
        rims out layer by layer: the same numbers where the whole receptive field is in the window, for two thirds of
        the work where the window is hardly longer than it; T = L - receptive_field + 1.
    """

    def __init__(
        self,
        *,
        channels: int = 32,
        kernels: Sequence[int] = (11, 11, 21, 41),
        dilations: Sequence[int] = (1, 4, 10, 25),
        blocks: int = 4,
        slope: float = 0.0,
        epsilon: float = 1e-3,
        towers: int = 1,
        padded: bool = True,
    ):
        super().__init__()
        if len(kernels) != len(dilations) or not kernels:
            raise ConfigError(
                f"{len(kernels)} kernels and {len(dilations)} dilations of splice_residual: give one of each a stage"
            )
        if any(kernel % 2 == 0 or kernel < 1 for kernel in kernels) or any(d < 1 for d in dilations):
            raise ConfigError(
                f"kernels {list(kernels)} and dilations {list(dilations)} of splice_residual: kernels must be odd, "
                "to keep every base in place, and dilations at least 1"
            )
        self.reach = sum(blocks * (kernel - 1) * d for kernel, d in zip(kernels, dilations, strict=True))
        if blocks < 1 or towers < 1 or self.reach > _LONGEST:
            raise ConfigError(
                f"{blocks} blocks and {towers} towers of splice_residual, {self.reach:,} bp to either side: give at "
                f"least one of each and at most {_LONGEST:,} bp"
            )
        self.padded, self.out_channels, self.receptive_field = padded, towers * channels, 1 + 2 * self.reach
        self.towers = nn.ModuleList(
            _Tower(channels, kernels, dilations, blocks, slope, epsilon, padded) for _ in range(towers)
        )

    def grid(self, length: int) -> Grid:
        """One position a base: of the whole window, or without its rims."""
        if self.padded:
            return Grid(0, 1, length)
        if length <= 2 * self.reach:
            raise ContractError(
                f"a window of {length:,} bp holds no base with {self.reach:,} bp on either side, which splice_residual "
                f"reads: use at least {2 * self.reach + 1:,} bp"
            )
        return Grid(self.reach, 1, length - 2 * self.reach)

    def forward(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """inputs: {one_hot (N, 4, L)} -> embedding (N, towers * channels, T)."""
        skips = [tower(inputs["one_hot"]) for tower in self.towers]
        return skips[0] if len(skips) == 1 else torch.cat(skips, 1)


class _Tower(nn.Module):
    """One network: (N, 4, L) -> (N, channels, T)."""

    def __init__(self, channels, kernels, dilations, blocks, slope, epsilon, padded):
        super().__init__()
        self.first = nn.Conv1d(4, channels, 1)
        self.first_skip = nn.Conv1d(channels, channels, 1)
        self.stages = nn.ModuleList(
            nn.Sequential(*(_Block(channels, kernel, d, slope, epsilon, padded) for _ in range(blocks)))
            for kernel, d in zip(kernels, dilations, strict=True)
        )
        self.skips = nn.ModuleList(nn.Conv1d(channels, channels, 1) for _ in kernels)
        trims = [0 if padded else blocks * (kernel - 1) * d for kernel, d in zip(kernels, dilations, strict=True)]
        self.rims = [sum(trims[i:]) for i in range(len(trims) + 1)]  # bp that the stages from i on leave out

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x)
        y = self.first_skip(crop(x, self.rims[0]))
        for stage, skip, rim in zip(self.stages, self.skips, self.rims[1:], strict=True):
            x = stage(x)
            y = y + skip(crop(x, rim))
        return y


class _Block(nn.Module):
    """Two times normalisation, activation and dilated convolution, added to what came in."""

    def __init__(self, channels, kernel, dilation, slope, epsilon, padded):
        super().__init__()
        padding = (kernel - 1) * dilation // 2
        self.trim, self.slope = (0 if padded else 2 * padding), slope
        self.norm1 = nn.BatchNorm1d(channels, epsilon)
        self.norm2 = nn.BatchNorm1d(channels, epsilon)
        at_rim = padding if padded else 0
        self.convolution1 = nn.Conv1d(channels, channels, kernel, padding=at_rim, dilation=dilation)
        self.convolution2 = nn.Conv1d(channels, channels, kernel, padding=at_rim, dilation=dilation)

    def forward(self, x: Tensor) -> Tensor:
        y = self.convolution1(self._activate(self.norm1(x)))
        return crop(x, self.trim) + self.convolution2(self._activate(self.norm2(y)))

    def _activate(self, x: Tensor) -> Tensor:
        return functional.leaky_relu(x, self.slope) if self.slope else torch.relu(x)


def crop(x: Tensor, rim: int) -> Tensor:
    """x: (N, C, T) -> (N, C, T - 2 rim)."""
    return x[:, :, rim : x.shape[2] - rim] if rim else x
