"""Convolutions and pooling, then dense layers over all positions: Basset, DeepSEA, DeepSTARR."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import zip_longest

import torch
from torch import Tensor, nn

from zoo.errors import ConfigError, ContractError
from zoo.fields import Grid
from zoo.interfaces import Encoder


class ConvolutionPooling(Encoder):
    """Windows of one length to the last dense layer's numbers, (N, dense[-1], 1).

    length: bp of a window.  layer_filters, widths, pools: of each convolution; a pool of 1 is none.
    dense: units of the dense layers.  same: convolutions are padded so that T stays.
    epsilon: of batch normalisation before each activation; None for none.
    floor: what the activation makes of a number that is not positive.
    dropout, dense_dropout: probability with which an output of a layer is left out in training.
    """

    pools = True

    def __init__(
        self,
        *,
        length: int,
        layer_filters: Sequence[int],
        widths: Sequence[int],
        pools: Sequence[int],
        dense: Sequence[int],
        same: bool = False,
        epsilon: float | None = None,
        floor: float = 0.0,
        dropout: float = 0.0,
        dense_dropout: float = 0.0,
    ):
        super().__init__()
        if not len(layer_filters) == len(widths) == len(pools) or not dense:
            raise ConfigError("layer_filters, widths and pools must be equally many, and dense at least one layer")
        self.length, self.floor, self.pool_sizes = length, floor, tuple(pools)
        self.out_channels = dense[-1]
        padding = [width // 2 if same else 0 for width in widths]
        self.convolutions = nn.ModuleList(
            nn.Conv1d(i, o, width, padding=p)
            for i, o, width, p in zip((4, *layer_filters[:-1]), layer_filters, widths, padding, strict=True)
        )
        self.positions = positions_left(length, widths, pools, same)
        seen = bases_seen(self.positions, widths, pools, same)
        self.receptive_field = seen if seen < length else None
        inputs = (layer_filters[-1] * self.positions, *dense[:-1])
        self.dense = nn.ModuleList(nn.Linear(i, o) for i, o in zip(inputs, dense, strict=True))
        normed = epsilon is not None
        self.norms = nn.ModuleList(nn.BatchNorm1d(n, eps=epsilon) for n in layer_filters if normed)
        self.dense_norms = nn.ModuleList(nn.BatchNorm1d(n, eps=epsilon) for n in dense if normed)
        self.dropout, self.dense_dropout = nn.Dropout(dropout), nn.Dropout(dense_dropout)

    def grid(self, length: int) -> Grid:
        """The whole window."""
        if length != self.length:
            raise ContractError(f"this network reads windows of {self.length:,} bp, not of {length:,}: set length")
        return Grid(0, length, 1)

    def forward(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """inputs: {one_hot (N, 4, L)} -> embedding (N, dense[-1], 1)."""
        x = inputs["one_hot"]
        for convolution, norm, pool in zip_longest(self.convolutions, self.norms, self.pool_sizes):
            x = self._activate(convolution(x), norm)
            x = self.dropout(nn.functional.max_pool1d(x, pool) if pool > 1 else x)
        x = x.flatten(1)
        for dense, norm in zip_longest(self.dense, self.dense_norms):
            x = self.dense_dropout(self._activate(dense(x), norm))
        return x.unsqueeze(2)

    def _activate(self, x: Tensor, norm: nn.Module | None) -> Tensor:
        x = x if norm is None else norm(x)
        return torch.relu(x) if self.floor == 0 else nn.functional.threshold(x, 0.0, self.floor)


def positions_left(length: int, widths: Sequence[int], pools: Sequence[int], same: bool) -> int:
    """Positions after convolutions and pools, of which the last incomplete one is left out.

    >>> positions_left(600, (19, 11, 7), (3, 4, 4), False)
    10
    """
    for width, pool in zip(widths, pools, strict=True):
        length = (length if same else length - width + 1) // pool
    if length < 1:
        raise ConfigError("nothing is left of the window after convolutions and pools: use a longer one")
    return length


def bases_seen(positions: int, widths: Sequence[int], pools: Sequence[int], same: bool) -> int:
    """The last base that is read of a window, counted from 1: what a pool leaves out at its end, nothing sees.

    >>> bases_seen(53, (8, 8, 8), (4, 4, 1), False)  # of 1,000 bp of DeepSEA
    995
    """
    for width, pool in zip(reversed(widths), reversed(pools), strict=True):
        positions = positions * pool + (width // 2 if same else width - 1)
    return positions


class Basset(ConvolutionPooling):
    """Basset (Kelley et al. 2016, Genome Research 26): three convolutions with batch normalisation, two dense layers.

    1. one_hot (N, 4, 600)
    2. convolution of 300 filters 19 bp wide, batch norm, relu, the maximum of 3 -> (N, 300, 194)
    3. 200 filters of 11, maximum of 4 -> (N, 200, 46); 200 filters of 7, maximum of 4 -> (N, 200, 10)
    4. two dense layers of 1,000 with batch norm and relu -> embedding (N, 1000, 1)

    The 164 cell types are a head `scalar` with a sigmoid.

    length: bp of a window.  layer_filters, widths, pools: of each convolution.  dense: units of the dense layers.
    epsilon: of batch normalisation.  dropout: of the dense layers, in training.
    """

    def __init__(
        self,
        *,
        length: int = 600,
        layer_filters: Sequence[int] = (300, 200, 200),
        widths: Sequence[int] = (19, 11, 7),
        pools: Sequence[int] = (3, 4, 4),
        dense: Sequence[int] = (1000, 1000),
        epsilon: float = 1e-5,
        dropout: float = 0.3,
    ):
        layers = {"layer_filters": layer_filters, "widths": widths, "pools": pools, "dense": dense}
        super().__init__(length=length, epsilon=epsilon, dense_dropout=dropout, **layers)


class DeepSEA(ConvolutionPooling):
    """DeepSEA (Zhou and Troyanskaya 2015, Nature Methods 12): three convolutions and one hidden dense layer.

    1. one_hot (N, 4, 1000)
    2. convolution of 320 filters 8 bp wide, activation, the maximum of 4 -> (N, 320, 248)
    3. 480 filters of 8, maximum of 4 -> (N, 480, 60); 960 filters of 8 -> (N, 960, 53)
    4. a dense layer of 925 with the activation -> embedding (N, 925, 1)

    Of 1,000 bases the last five are seen by nothing, since each pool leaves out what does not fill it.

    The 919 features are a head `scalar` with a sigmoid.  The activation is that of the original in Torch7: what is not
    positive becomes 1e-6, not 0.

    length: bp of a window.  layer_filters, widths, pools: of each convolution.  dense: units of the dense layer.
    floor: what the activation makes of a number that is not positive; 0 for a plain relu.
    dropout: after the first two convolutions, in training.
    """

    def __init__(
        self,
        *,
        length: int = 1000,
        layer_filters: Sequence[int] = (320, 480, 960),
        widths: Sequence[int] = (8, 8, 8),
        pools: Sequence[int] = (4, 4, 1),
        dense: Sequence[int] = (925,),
        floor: float = 1e-6,
        dropout: float = 0.2,
    ):
        layers = {"layer_filters": layer_filters, "widths": widths, "pools": pools, "dense": dense}
        super().__init__(length=length, floor=floor, dropout=dropout, **layers)


class DeepSTARR(ConvolutionPooling):
    """DeepSTARR (de Almeida et al. 2022, Nature Genetics 54): four convolutions, two dense layers, two activities.

    1. one_hot (N, 4, 249)
    2. convolution of 256 filters 7 bp wide, batch norm, relu, the maximum of 2 -> (N, 256, 124)
    3. 60 filters of 3, 60 of 5 and 120 of 3, each halving the positions -> (N, 120, 15)
    4. two dense layers of 256 with batch norm and relu -> embedding (N, 256, 1)

    Developmental and housekeeping activity (log2) are a head `scalar`.

    length: bp of a window.  layer_filters, widths, pools: of each convolution.  dense: units of the dense layers.
    epsilon: of batch normalisation, that of Keras.  dropout: of the dense layers, in training.
    """

    def __init__(
        self,
        *,
        length: int = 249,
        layer_filters: Sequence[int] = (256, 60, 60, 120),
        widths: Sequence[int] = (7, 3, 5, 3),
        pools: Sequence[int] = (2, 2, 2, 2),
        dense: Sequence[int] = (256, 256),
        epsilon: float = 1e-3,
        dropout: float = 0.4,
    ):
        layers = {"layer_filters": layer_filters, "widths": widths, "pools": pools, "dense": dense}
        super().__init__(length=length, same=True, epsilon=epsilon, dense_dropout=dropout, **layers)
