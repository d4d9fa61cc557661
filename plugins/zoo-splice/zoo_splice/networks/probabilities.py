"""Probabilities by base, taken inside each network, so that an ensemble answers with the mean of probabilities.

embedding (N, D, T) -> 1-bp convolution -> softmax over the classes, or sigmoid of each -> (N, C, T - 2 crop)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from zoo.errors import ConfigError
from zoo.fields import Field, Grid
from zoo.interfaces import Head
from zoo_splice.networks.residual import crop as cropped


class BaseProbabilities(Head):
    """What a base is: one of several classes (softmax), or each by itself (sigmoid).

    Published tools of splice sites average the probabilities of their networks; the mean before the activation, which
    an ensemble takes of other heads, would be another number.  To train use head=profile: an objective expects what
    lies before its activation.

    tasks: names of the classes.
    activation: softmax over the classes, or sigmoid of each.
    crop: bases left out at each rim, where half of the receptive field is missing.
    """

    needs_positions = True

    def __init__(
        self,
        *,
        in_channels: int,
        tasks: Sequence[str] = ("neither", "acceptor", "donor"),
        activation: str = "softmax",
        crop: int = 0,
    ):
        super().__init__()
        if activation not in ("softmax", "sigmoid"):
            raise ConfigError(f"activation {activation!r} of head base_probabilities must be softmax or sigmoid")
        self.field = Field("KT" if activation == "softmax" else "CT", tuple(tasks), unit="probability")
        self.activation, self.crop = activation, crop
        self.output = nn.Conv1d(in_channels, len(tasks), 1)

    def grid(self, grid: Grid) -> Grid:
        """The embedding's positions without the rims."""
        return grid.crop(self.crop, self.crop)

    def forward(self, embedding: Tensor, inputs: Mapping[str, Tensor]) -> Tensor:
        """embedding: (N, D, T) -> probabilities (N, C, T - 2 crop)."""
        x = self.output(cropped(embedding, self.crop))
        return torch.softmax(x, 1) if self.activation == "softmax" else torch.sigmoid(x)
