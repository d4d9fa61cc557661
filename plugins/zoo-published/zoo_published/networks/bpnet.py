"""BPNet: a dilated residual encoder, and its heads for the shape of a profile and the number of its reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from zoo.errors import ConfigError
from zoo.fields import Field, Grid
from zoo.heads.profile import ProfileHead
from zoo.interfaces import Encoder, Head
from zoo.layers.dilated_block import DilatedBlock


class DilatedTower(nn.Module):
    """one_hot (N, 4, L) -> (N, filters, L): a wide convolution, then residual layers of dilation 2, 4, 8, ...

    filters: width of every layer.  layers: number of residual layers.  first_width: bp of the first filter, odd.
    preactivation: a layer reads relu(x) and adds to x, as basepairmodels has it; else it reads and adds to relu(x),
        as BPNet and ChromBPNet have it.
    """

    def __init__(self, filters: int, layers: int, first_width: int, preactivation: bool = False):
        super().__init__()
        if first_width % 2 == 0:
            raise ConfigError(f"first_width {first_width} must be odd to keep every base in place")
        if not 0 <= layers <= 20:
            raise ConfigError(f"layers {layers} must be 0 to 20: each doubles the dilation")
        self.preactivation = preactivation
        self.receptive_field = first_width + 2 * sum(2**i for i in range(1, layers + 1))
        self.first = nn.Conv1d(4, filters, first_width, padding=first_width // 2)
        self.blocks = nn.ModuleList(DilatedBlock(filters, dilation=2**i) for i in range(1, layers + 1))

    def forward(self, x: Tensor) -> Tensor:
        """x: (N, 4, L) -> (N, filters, L)."""
        x = self.first(x)
        if not self.preactivation:
            x = torch.relu(x)
            for block in self.blocks:
                x = block(x)
            return x
        for block in self.blocks:
            x = x + block.convolution(torch.relu(x))
        return torch.relu(x)


class BPNet(Encoder):
    """The body of BPNet as ChromBPNet's bias model, bpnet-lite and basepairmodels have it.

    1. one_hot (N, 4, L)
    2. convolution `first_width` bp wide, relu -> (N, filters, L)
    3. for i in 1 .. layers: x + relu(convolution of width 3, dilation 2^i)
    4. embedding (N, filters, L) on Grid(0, 1, L)

    Avsec et al. 2021, Nature Genetics 53, with the sizes of bpnet-lite.  Every convolution is padded with zeros, as
    in bpnet-lite; the TensorFlow pipelines crop instead, which gives the same numbers wherever the heads look.

    Receptive field, in bp: `first_width + 2 * (2^(layers + 1) - 2)`; the defaults: 21 + 2 * 510 = 1,041.

    filters: D.  layers: number of residual layers.  first_width: bp of the first filter, odd.
    preactivation: residual sums before the activation, as in basepairmodels (BPNet of the ENCODE atlas).
    """

    def __init__(self, *, filters: int = 64, layers: int = 8, first_width: int = 21, preactivation: bool = False):
        super().__init__()
        self.tower = DilatedTower(filters, layers, first_width, preactivation)
        self.out_channels, self.receptive_field = filters, self.tower.receptive_field

    def grid(self, length: int) -> Grid:
        """One position a base."""
        return Grid(0, 1, length)

    def forward(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """inputs: {one_hot (N, 4, L)} -> embedding (N, filters, L)."""
        return self.tower(inputs["one_hot"])


def middle(x: Tensor, crop: int) -> Tensor:
    """x (N, D, T) without `crop` positions at each rim."""
    if 2 * crop >= x.shape[2]:
        raise ConfigError(f"a crop of {crop} at each rim leaves nothing of {x.shape[2]} positions: crop less")
    return x[:, :, crop : x.shape[2] - crop] if crop else x


class CountsHead(Head):
    """The logarithm of the number of reads in a window: the mean over its middle, then one dense layer.

    embedding (N, D, T) -> prediction (N, C), log(1 + reads).

    tasks: names of the numbers, C of them.
    crop: positions left out at each rim before the mean.
    """

    needs_positions = True

    def __init__(self, *, in_channels: int, tasks: Sequence[str] = ("counts",), crop: int = 0):
        super().__init__()
        self.field = Field("C", tuple(tasks), unit="1 + reads", values="count")
        self.crop, self.dense = crop, nn.Linear(in_channels, len(self.field.channels))

    def grid(self, grid: Grid) -> None:
        """No positions are left."""
        return None

    def forward(self, embedding: Tensor, inputs: Mapping[str, Tensor]) -> Tensor:
        """embedding: (N, D, T) -> prediction (N, C)."""
        return self.dense(middle(embedding, self.crop).mean(2))


class StrandedProfileHead(ProfileHead):
    """A profile of several tracks that share their reads: log-probabilities over all tracks and positions together.

    embedding (N, D, T) -> prediction (N, C, T - 2 crop), of which the exponentials add up to 1 in a window.

    tasks, crop, kernel, rc: as of head `profile`.
    """

    def __init__(
        self,
        *,
        in_channels: int,
        tasks: Sequence[str] = ("plus", "minus"),
        crop: int = 0,
        kernel: int = 75,
        rc: Sequence[int] | None = (1, 0),
    ):
        super().__init__(in_channels=in_channels, tasks=tasks, crop=crop, kernel=kernel, rc=rc)

    def forward(self, embedding: Tensor, inputs: Mapping[str, Tensor]) -> Tensor:
        """embedding: (N, D, T) -> prediction (N, C, T - 2 crop)."""
        return shared_log_probabilities(super().forward(embedding, inputs))


def shared_log_probabilities(logits: Tensor) -> Tensor:
    """logits (N, C, T) less a number a row, so that their exponentials add up to 1 over tracks and positions."""
    return logits - logits.flatten(1).logsumexp(1)[:, None, None]
