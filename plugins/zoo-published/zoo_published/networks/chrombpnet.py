"""ChromBPNet: a BPNet of accessibility beside a BPNet of the enzyme's bias, and heads with and without the bias."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from zoo.errors import ConfigError
from zoo.fields import Field, Grid
from zoo.interfaces import Encoder, Head
from zoo_published.networks.bpnet import DilatedTower, middle


class ChromBPNet(Encoder):
    """Two bodies of BPNet side by side: what the sequence does, and what the enzyme likes to cut.

    1. one_hot (N, 4, L)
    2. accessibility: a BPNet of `filters` and `layers` -> (N, filters, L)
    3. bias: a BPNet of `bias_filters` and `bias_layers` -> (N, bias_filters, L)
    4. embedding (N, filters + bias_filters, L) on Grid(0, 1, L), accessibility first

    Pampari et al. 2024 (bioRxiv 2024.12.25.630221), as the package chrombpnet trains it for windows of 2,114 bp.

    filters, layers: of the accessibility network.  bias_filters, bias_layers: of the bias network.
    first_width: bp of the first filters, odd.
    """

    def __init__(
        self,
        *,
        filters: int = 512,
        layers: int = 8,
        bias_filters: int = 128,
        bias_layers: int = 4,
        first_width: int = 21,
    ):
        super().__init__()
        self.accessibility = DilatedTower(filters, layers, first_width)
        self.bias = DilatedTower(bias_filters, bias_layers, first_width)
        self.out_channels = filters + bias_filters
        self.receptive_field = max(self.accessibility.receptive_field, self.bias.receptive_field)

    def grid(self, length: int) -> Grid:
        """One position a base."""
        return Grid(0, 1, length)

    def forward(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """inputs: {one_hot (N, 4, L)} -> embedding (N, filters + bias_filters, L)."""
        x = inputs["one_hot"]
        return torch.cat([self.accessibility(x), self.bias(x)], 1)


class BiasProfileHead(Head):
    """Logits of a profile: those of accessibility, with or without those of the bias added.

    embedding (N, D, T) -> prediction (N, C, T - 2 crop).

    tasks: names of the tracks, C of them.
    bias_channels: the last channels of the embedding, which are the bias network's.
    with_bias: whether the bias is added, as in training, or left out.
    crop: positions left out at each rim.
    kernel: bp that the output convolution sees, odd.
    """

    needs_positions = True

    def __init__(
        self,
        *,
        in_channels: int,
        tasks: Sequence[str] = ("profile",),
        bias_channels: int = 1,
        with_bias: bool = False,
        crop: int = 0,
        kernel: int = 75,
    ):
        super().__init__()
        if kernel % 2 == 0:
            raise ConfigError(f"kernel {kernel} of head chrombpnet_profile must be odd to keep the positions in place")
        self.own, self.crop = _own(in_channels, bias_channels), crop
        self.field = Field("CT", tuple(tasks))
        tracks, padding = len(self.field.channels), kernel // 2
        self.accessibility = nn.Conv1d(self.own, tracks, kernel, padding=padding)
        self.bias = nn.Conv1d(bias_channels, tracks, kernel, padding=padding) if with_bias else None

    def grid(self, grid: Grid) -> Grid:
        """The middle of the embedding's."""
        return grid.crop(self.crop, self.crop)

    def forward(self, embedding: Tensor, inputs: Mapping[str, Tensor]) -> Tensor:
        """embedding: (N, D, T) -> prediction (N, C, T - 2 crop)."""
        logits = self.accessibility(embedding[:, : self.own])
        if self.bias is not None:
            logits = logits + self.bias(embedding[:, self.own :])
        return middle(logits, self.crop)


class BiasCountsHead(Head):
    """The logarithm of a window's reads: those of accessibility, with or without those of the bias.

    embedding (N, D, T) -> prediction (N, C), log(1 + reads); with bias log(exp(accessibility) + exp(bias)).

    tasks: names of the numbers, C of them.
    bias_channels: the last channels of the embedding, which are the bias network's.
    with_bias: whether the reads of the bias are added, as in training, or left out.
    crop, bias_crop: positions left out at each rim before the mean, of either network.
    """

    needs_positions = True

    def __init__(
        self,
        *,
        in_channels: int,
        tasks: Sequence[str] = ("counts",),
        bias_channels: int = 1,
        with_bias: bool = False,
        crop: int = 0,
        bias_crop: int = 0,
    ):
        super().__init__()
        self.own, self.crop, self.bias_crop = _own(in_channels, bias_channels), crop, bias_crop
        self.field = Field("C", tuple(tasks), unit="1 + reads", values="count")
        self.accessibility = nn.Linear(self.own, len(self.field.channels))
        self.bias = nn.Linear(bias_channels, len(self.field.channels)) if with_bias else None

    def grid(self, grid: Grid) -> None:
        """No positions are left."""
        return None

    def forward(self, embedding: Tensor, inputs: Mapping[str, Tensor]) -> Tensor:
        """embedding: (N, D, T) -> prediction (N, C)."""
        reads = self.accessibility(middle(embedding[:, : self.own], self.crop).mean(2))
        if self.bias is None:
            return reads
        bias = self.bias(middle(embedding[:, self.own :], self.bias_crop).mean(2))
        return reads + functional.softplus(bias - reads)  # log(exp(reads) + exp(bias))


def _own(in_channels: int, bias_channels: int) -> int:
    """Channels of the accessibility network."""
    if not 0 < bias_channels < in_channels:
        raise ConfigError(f"bias_channels {bias_channels} must be some of the {in_channels} channels of the embedding")
    return in_channels - bias_channels
