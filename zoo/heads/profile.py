"""A number for every position: coverage, accessibility, read counts along the window."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import Tensor, nn
from torch.nn import functional

from zoo.errors import ConfigError, ContractError
from zoo.fields import Field, Grid
from zoo.interfaces import Head


class ProfileHead(Head):
    """Average positions into bins, crop the rim, and read every bin with one convolution.

    embedding (N, D, T) -> (N, D, T') -> prediction (N, C, T' - 2 crop).

    tasks: names of the tracks, C of them.
    classes: names of mutually exclusive classes by position (a segmentation), in place of tasks.
    bin_size: bp a position of the prediction covers, a multiple of the embedding's.
    resolution: bp a position of the embedding covers.
    crop: bins left out at each rim, where half of the receptive field is missing.
    kernel: bins that the output convolution sees (25 in BPNet's profile head at base resolution); odd.
    rc: where each track goes when the strand is reversed; [1, 0] for plus and minus strand, None if they stay.
    values: what the numbers are before the activation.
    initial_bias: what an untrained head predicts before the activation, such as the log-odds of a label that is rare by
        position (-7 for one base in a thousand), which training would else take its first epochs to come down to.
    """

    needs_positions = True

    def __init__(
        self,
        *,
        in_channels: int,
        tasks: Sequence[str] = ("output",),
        classes: Sequence[str] | None = None,
        bin_size: int = 1,
        resolution: int = 1,
        crop: int = 0,
        kernel: int = 1,
        rc: Sequence[int] | None = None,
        values: str = "real",
        initial_bias: float | None = None,
    ):
        super().__init__()
        if bin_size % resolution:
            raise ConfigError(
                f"bins of {bin_size} bp are no multiple of the {resolution} bp of a position of the embedding: "
                f"use head.bin_size={resolution * max(1, bin_size // resolution)}, or an encoder that pools less"
            )
        if kernel % 2 == 0:
            raise ConfigError(f"kernel {kernel} of head profile must be odd to keep the positions in place")
        names = tuple(classes or tasks)
        self.field = Field("KT" if classes else "CT", names, bin_size=bin_size, rc=rc, values=values)
        self.resolution, self.factor, self.crop = resolution, bin_size // resolution, crop
        self.output = nn.Conv1d(in_channels, len(names), kernel, padding=kernel // 2)
        if initial_bias is not None and self.output.bias is not None:
            nn.init.constant_(self.output.bias, initial_bias)

    def grid(self, grid: Grid) -> Grid:
        """Where the bins lie."""
        if grid.bin_size != self.resolution:
            raise ContractError(
                f"the embedding has {grid.bin_size} bp a position but head profile was made for {self.resolution} bp: "
                f"set head.resolution={grid.bin_size}"
            )
        return grid.pool(self.factor).crop(self.crop, self.crop)

    def forward(self, embedding: Tensor, inputs: Mapping[str, Tensor]) -> Tensor:
        """embedding: (N, D, T) -> prediction (N, C, bins)."""
        x = functional.avg_pool1d(embedding, self.factor) if self.factor > 1 else embedding
        x = self.output(x)
        return x[:, :, self.crop : x.shape[2] - self.crop] if self.crop else x
