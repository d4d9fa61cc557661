"""Bins to an embedding: the sample's own bias is read from the sample, taken off, and what is left is segmented."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from zoo.errors import ConfigError
from zoo.fields import Field, Grid
from zoo.interfaces import Encoder
from zoo.layers.dilated_block import DilatedBlock
from zoo_copy_number.tracks import TRACKS

__all__ = ["DepthCNN"]

DEPTH, GC, GC_KNOWN = TRACKS.index("depth"), TRACKS.index("gc"), TRACKS.index("gc_known")
COVARIATES = [i for i, name in enumerate(TRACKS) if not name.startswith("depth")]


class DepthCNN(Encoder):
    """Two steps, trained as one:

    1. The bias.  A soft histogram over GC of the `sample`'s bins, and means of a small network over all its tracks,
       describe how depth follows GC, mappability and reference in this sample.  A second network reads that and the
       covariates of a bin, and gives the log2 depth that the bin would have without an event.
    2. The segments.  Depth less the bias, with the covariates, goes through a convolution and residual layers whose
       dilation doubles, so that a position sees `receptive_field` bins.

    The corrected log2 depth is the first channel of the embedding, untouched, so that heads can answer with it.
    One position is one bin, whatever its size in bp.

    channels: D - 1, width of the residual layers.
    layers: residual layers; the dilation doubles from one to the next.
    kernel: bins of a filter, odd.
    steps: bins of the soft histogram over GC.
    hidden: width of the networks of the bias.
    dropout: share of a layer's outputs left out in training.
    """

    strand = "none"

    def __init__(
        self,
        *,
        channels: int = 32,
        layers: int = 8,
        kernel: int = 3,
        steps: int = 24,
        hidden: int = 64,
        dropout: float = 0.0,
    ):
        super().__init__()
        if kernel % 2 == 0:
            raise ConfigError(f"kernel {kernel} of depth_cnn must be odd to keep every bin in place")
        field = Field("AT", channels=TRACKS, bin_size=1)
        self.inputs = {"signal": field, "sample": field}
        self.out_channels = channels + 1
        dilations = [2**i for i in range(layers)]
        self.receptive_field = None
        self.register_buffer("centres", torch.linspace(-2.5, 3.5, steps))
        self.describe = nn.Sequential(
            nn.Conv1d(len(TRACKS), hidden, 1), nn.ReLU(), nn.Conv1d(hidden, hidden, 1), nn.ReLU()
        )
        self.bias = nn.Sequential(
            nn.Conv1d(len(COVARIATES) + 2 * steps + 1 + hidden, hidden, 1),
            nn.ReLU(),
            nn.Conv1d(hidden, hidden, 1),
            nn.ReLU(),
            nn.Conv1d(hidden, 1, 1),
        )
        self.first = nn.Conv1d(len(TRACKS) + 1, channels, 5, padding=2)
        self.blocks = nn.ModuleList(
            DilatedBlock(channels, kernel=kernel, dilation=d, dropout=dropout) for d in dilations
        )

    def grid(self, length: int) -> Grid:
        """One position a bin."""
        return Grid(0, 1, length)

    def forward(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """inputs: {signal (N, A, T), sample (N, A, M)} -> embedding (N, channels + 1, T)."""
        signal, sample = inputs["signal"], inputs["sample"]
        known = signal[:, DEPTH + 1 : DEPTH + 2]
        corrected = (signal[:, :1] - self.expected(signal, self.describe_sample(sample))) * known
        x = torch.relu(self.first(torch.cat([corrected, signal], 1)))
        for block in self.blocks:
            x = block(x)
        return torch.cat([corrected, x], 1)

    def describe_sample(self, sample: Tensor) -> Tensor:
        """(N, A, M) -> (N, steps + 1 + hidden): the curve of depth over GC, its level, and learned means."""
        weight = self._near(sample)
        depth = sample[:, :1]
        curve = (weight * depth).sum(2) / (weight.sum(2) + 1)
        level = depth.mean(2)
        return torch.cat([curve, level, self.describe(sample).mean(2)], 1)

    def expected(self, signal: Tensor, sample: Tensor) -> Tensor:
        """log2 depth (N, 1, T) without an event, from a description (N, F) of the sample."""
        everywhere = sample.unsqueeze(2).expand(-1, -1, signal.shape[2])
        near = self._near(signal)
        steps = near.shape[1]
        share = near / (near.sum(1, keepdim=True) + 1e-3)
        at_gc = (share * everywhere[:, :steps]).sum(1, keepdim=True)
        given = torch.cat([signal[:, COVARIATES], near, everywhere], 1)
        return at_gc + self.bias(given)

    def _near(self, tracks: Tensor) -> Tensor:
        """(N, A, T) -> (N, steps, T): how near a bin's GC is to each centre, 0 where it is not known."""
        width = self.centres[1] - self.centres[0]
        distance = (tracks[:, GC : GC + 1] - self.centres[:, None]) / width
        return torch.exp(-0.5 * distance.square()) * tracks[:, GC_KNOWN : GC_KNOWN + 1]
