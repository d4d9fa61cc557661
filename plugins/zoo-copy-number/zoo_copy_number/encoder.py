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

_USED = ("depth", "gc", "gc_known", "mappability", "off_target")
DEPTH, GC, GC_KNOWN, MAPPABILITY, OFF = (TRACKS.index(name) for name in _USED)
FAR, SHARP = 8.0, 4
"""Median distances from which a bin hardly counts as telling the bias, and how fast trust falls with mappability."""
COVARIATES = [i for i, name in enumerate(TRACKS) if not name.startswith("depth")]


class DepthCNN(Encoder):
    """Three steps, trained as one:

    1. The bias.  A soft histogram over GC of the `sample`'s bins, targets and off-target bins apart, and means of a
       small network over all its tracks, describe how depth follows GC, mappability and reference in this sample.
       A second network reads that and the covariates of a bin, and gives the log2 depth that the bin would have
       without an event.
    2. What it left.  The bias is taken off the sample's own bins, and the least squares of what is left there on GC,
       in which bins far off and bins of low mappability weigh little, is taken off as well.
    3. The segments.  Depth less the bias, as it is and in units of the noise between neighbours, goes with the
       covariates through a convolution and residual layers whose dilation doubles, so that a position sees
       `receptive_field` bins.

    The corrected log2 depth is the first channel of the embedding, untouched, so that heads can return it.
    One position is one bin, whatever its size in bp.  A `sample` that was expanded over N (stride 0) is described once.

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
        channels: int = 40,
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
        self.receptive_field = None
        self.register_buffer("centres", torch.linspace(-2.5, 3.5, steps))
        self.describe = nn.Sequential(
            nn.Conv1d(len(TRACKS), hidden, 1), nn.ReLU(), nn.Conv1d(hidden, hidden, 1), nn.ReLU()
        )
        self.of_bin = nn.Conv1d(len(COVARIATES) + 2 * steps, hidden, 1)
        self.of_sample = nn.Linear(2 * steps + 1 + hidden, hidden)
        self.bias = nn.Sequential(nn.ReLU(), nn.Conv1d(hidden, hidden, 1), nn.ReLU(), nn.Conv1d(hidden, 1, 1))
        self.first = nn.Conv1d(len(TRACKS) + 3, channels, 5, padding=2)
        self.blocks = nn.ModuleList(
            DilatedBlock(channels, kernel=kernel, dilation=2**i, dropout=dropout) for i in range(layers)
        )

    def grid(self, length: int) -> Grid:
        """One position a bin."""
        return Grid(0, 1, length)

    def forward(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """inputs: {signal (N, A, T), sample (N, A, M)} -> embedding (N, channels + 1, T)."""
        signal, sample = inputs["signal"], inputs["sample"]
        if sample.stride(0) == 0:
            sample = sample[:1]
        known = signal[:, DEPTH + 1 : DEPTH + 2]
        corrected = (signal[:, :1] - self.expected(signal, sample)) * known
        noise = _noise(corrected, known)
        scaled = torch.clamp(corrected / noise, -12, 12) / 4
        x = torch.cat([corrected, scaled, noise.log().expand_as(corrected), signal], 1)
        x = torch.relu(self.first(x))
        for block in self.blocks:
            x = block(x)
        return torch.cat([corrected, x], 1)

    def expected(self, signal: Tensor, sample: Tensor) -> Tensor:
        """log2 depth (N, 1, T) without an event, of a sample described by M of its bins (N or 1, A, M)."""
        near, near_sample = self._near(signal), self._near(sample)
        curve = _mean(sample[:, :1], near_sample * sample[:, 1:2])[:, :, 0]
        summary = torch.cat([curve, sample[:, :1].mean(2), self.describe(sample).mean(2)], 1)
        summary = self.of_sample(summary).unsqueeze(2)
        left = sample[:, :1] - self._bias(sample, near_sample, curve, summary)
        rest, level = _left_by_gc(near_sample, left, _trust(sample))
        return self._bias(signal, near, curve, summary) + (near * rest.unsqueeze(2)).sum(1, keepdim=True) + level

    def _bias(self, tracks: Tensor, near: Tensor, curve: Tensor, summary: Tensor) -> Tensor:
        covariates = torch.cat([tracks[:, COVARIATES], near], 1)
        return _at(near, curve) + self.bias(self.of_bin(covariates) + summary)

    def _near(self, tracks: Tensor) -> Tensor:
        """(N, A, T) -> (N, 2 steps, T): how near a bin's GC is to each centre, 0 where it is not known; in the first
        half for targets and bins of a genome, in the second for off-target bins."""
        width = self.centres[1] - self.centres[0]
        distance = (tracks[:, GC : GC + 1] - self.centres[:, None]) / width
        near = torch.exp(-0.5 * distance.square()) * tracks[:, GC_KNOWN : GC_KNOWN + 1]
        off = tracks[:, OFF : OFF + 1]
        return torch.cat([near * (1 - off), near * off], 1)


def _left_by_gc(near: Tensor, left: Tensor, trust: Tensor) -> tuple[Tensor, Tensor]:
    """Weights (N, steps) of `near` that give what is left (N, 1, M) from GC, and the level (N, 1, 1) beside that.

    Least squares over the sample's bins, trusted by (N, 1, M), in which bins far from the others weigh little.
    """
    level = _mean(left.detach(), trust)
    far = left.detach() - level
    far = far / (FAR * (far.abs().median(2, keepdim=True).values + 0.02))
    weight = trust / (1 + far.square()).square()
    level = _mean(left, weight)
    both = torch.einsum("nim,njm->nij", near * weight, near)
    both = both + torch.eye(near.shape[1], device=near.device, dtype=near.dtype)
    rest = torch.linalg.solve(both, (near * weight * (left - level)).sum(2))
    return rest, level


def _trust(sample: Tensor) -> Tensor:
    """(N, 1, M): 1 where the depth is known, less where the mappability is low."""
    mappability = 1 + sample[:, MAPPABILITY : MAPPABILITY + 1] / 2
    return sample[:, 1:2] * mappability.clamp(0, 1) ** SHARP


def _mean(x: Tensor, weight: Tensor) -> Tensor:
    """Over the last axis of x and weight (N, 1 or steps, M), drawn to 0 where little is known: (N, 1 or steps, 1)."""
    return (weight * x).sum(2, keepdim=True) / (weight.sum(2, keepdim=True) + 1)


def _at(near: Tensor, curve: Tensor) -> Tensor:
    """(N, 1, T): the curve (N or 1, steps) read at the bins' GC; 0 where it is not known."""
    return (near * curve.unsqueeze(2)).sum(1, keepdim=True) / (near.sum(1, keepdim=True) + 1e-3)


def _noise(corrected: Tensor, known: Tensor) -> Tensor:
    """Standard deviation (N, 1, 1) of log2 depth from the median step between neighbours, at least 0.02."""
    both = known[:, :, 1:] * known[:, :, :-1] > 0
    steps = corrected.detach().diff(dim=2).abs().masked_fill(~both, float("nan"))
    middle = steps.nanmedian(2, keepdim=True).values
    return torch.nan_to_num(1.05 * middle, nan=0.1).clamp(min=0.02)
