"""An embedding by bins to a contact map: every pair of bins, symmetric by construction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from zoo.errors import ConfigError, ContractError
from zoo.fields import Field, Grid
from zoo.interfaces import Head


class ContactHead(Head):
    """What two bins are, what lies between them, and how far they are apart, to log(observed / expected).

    For bins i < j of an embedding e (N, D, T), each by a linear layer to `pair_channels`:

        a_i + a_j                     either of them
        l_i * r_j                     the left one as the left, the right one as the right: oriented pairs
        sum of b between i and j      what has to be crossed, half of the two ends included
        distance                      log of it, and `steps` bumps over its logarithm

    are added, mirrored to i > j, and go through residual convolutions in two dimensions, each made symmetric.  What
    has to be crossed also reaches the output directly, so that insulation is learnt before anything else.
    Akita (Fudenberg et al. 2020) has the mean of both bins in place of the first three.

    tasks: names of the maps (cell types, experiments), C of them.
    bin_size: bp of a bin.
    resolution: bp of a position of the embedding.
    pair_channels: of the pairs.
    layers: residual convolutions in two dimensions; their dilation doubles from one to the next, up to 8.
    steps: bumps over log distance.
    dropout: of the residual convolutions.
    checkpointing: recompute these layers in the backward pass instead of keeping them: less memory, more time.
    """

    needs_positions = True

    def __init__(
        self,
        *,
        in_channels: int,
        tasks: Sequence[str] = ("log_oe",),
        bin_size: int = 2048,
        resolution: int = 2048,
        pair_channels: int = 32,
        layers: int = 3,
        steps: int = 8,
        dropout: float = 0.1,
        checkpointing: bool = False,
    ):
        super().__init__()
        if bin_size != resolution:
            raise ConfigError(
                f"the map has bins of {bin_size:,} bp and the embedding positions of {resolution:,} bp: choose pools "
                f"of the encoder whose product is {bin_size:,}"
            )
        self.field = Field("CTT", channels=tuple(tasks), unit="log(observed / expected)", bin_size=bin_size)
        self.checkpointing, self.resolution = checkpointing, resolution
        self.either = nn.Conv1d(in_channels, pair_channels, 1)
        self.left = nn.Conv1d(in_channels, pair_channels, 1)
        self.right = nn.Conv1d(in_channels, pair_channels, 1)
        self.between = nn.Conv1d(in_channels, pair_channels, 1)
        self.register_buffer("centres", torch.linspace(0, 1, steps))
        self.far = nn.Conv2d(steps + 1, pair_channels, 1)
        self.mix = nn.Conv2d(pair_channels, pair_channels, 1)
        self.blocks = nn.ModuleList(_Block(pair_channels, min(8, 2**i), dropout) for i in range(layers))
        self.output = nn.Conv2d(pair_channels, len(self.field.channels), 1)
        self.direct = nn.Conv2d(pair_channels, len(self.field.channels), 1, bias=False)
        nn.init.normal_(self.direct.weight, std=0.05)
        nn.init.normal_(self.output.weight, std=0.05)
        nn.init.zeros_(self.output.bias)

    def grid(self, grid: Grid) -> Grid:
        """The bins of both axes."""
        if grid.bin_size != self.resolution:
            raise ContractError(
                f"the embedding has {grid.bin_size} bp a position but head contacts was made for {self.resolution} bp: "
                f"set head.resolution={grid.bin_size}"
            )
        return grid

    def forward(self, embedding: Tensor, inputs: Mapping[str, Tensor]) -> Tensor:
        """embedding (N, D, T) -> (N, C, T, T), equal to its transpose."""
        crossed = self.crossed(embedding)
        x = self.pairs(embedding, crossed)
        for block in self.blocks:
            if self.checkpointing and self.training:
                x = checkpoint(block, x, use_reentrant=False)
            else:
                x = block(x)
        return _symmetric(self.output(x) + self.direct(crossed))

    def crossed(self, embedding: Tensor) -> Tensor:
        """(N, D, T) -> (N, pair_channels, T, T): the root of what lies between two bins, never negative."""
        each = functional.softplus(self.between(embedding) - 2)
        upto = each.cumsum(2) - each / 2
        return ((upto.unsqueeze(2) - upto.unsqueeze(3)).abs() + 0.01).sqrt()

    def pairs(self, embedding: Tensor, crossed: Tensor) -> Tensor:
        """(N, D, T), (N, pair_channels, T, T) -> (N, pair_channels, T, T), symmetric."""
        either = self.either(embedding)
        oriented = self.left(embedding).unsqueeze(3) * self.right(embedding).unsqueeze(2)
        oriented = oriented.triu(0) + oriented.triu(1).transpose(2, 3)
        distance = self.far(self._distance(embedding))
        x = either.unsqueeze(3) + either.unsqueeze(2) + oriented - crossed + distance
        return self.mix(torch.relu(x))

    def _distance(self, embedding: Tensor) -> Tensor:
        """(1, steps + 1, T, T): log(1 + bins apart) over that of 512 bins, and bumps around `centres` of it."""
        at = torch.arange(embedding.shape[2], device=embedding.device)
        apart = (at.unsqueeze(0) - at.unsqueeze(1)).abs().to(embedding.dtype)
        log = torch.log1p(apart) / 6.24
        width = self.centres[1] - self.centres[0] if len(self.centres) > 1 else 1.0
        bumps = torch.exp(-0.5 * ((log.unsqueeze(0) - self.centres[:, None, None]) / width).square())
        return torch.cat([log.unsqueeze(0), bumps]).unsqueeze(0)


class _Block(nn.Module):
    """x + a dilated 3 x 3 convolution of relu(norm(x)), made symmetric."""

    def __init__(self, channels: int, dilation: int, dropout: float):
        super().__init__()
        self.norm = nn.BatchNorm2d(channels)
        self.convolution = nn.Conv2d(channels, channels, 3, padding=dilation, dilation=dilation)
        self.dropout = nn.Dropout2d(dropout)

    def forward(self, x: Tensor) -> Tensor:
        return x + _symmetric(self.dropout(self.convolution(torch.relu(self.norm(x)))))


def _symmetric(x: Tensor) -> Tensor:
    return (x + x.transpose(2, 3)) / 2
