"""Sequence windows of 10^5 to 10^6 bp to an embedding by bins of a contact map."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod

import torch
from torch import Tensor, nn
from torch.nn import functional

from zoo.errors import ConfigError
from zoo.fields import ONE_HOT, Field, Grid
from zoo.interfaces import Encoder
from zoo.layers.dilated_block import DilatedBlock
from zoo.layers.tied_conv import TiedBatchNorm1d, convolution

MOST = 6.0
"""Standard deviations from which a filter's match counts no more."""


class ContactCNN(Encoder):
    """Convolutions and max-pools down to the bins of a map, then residual layers whose dilation doubles.

    1. one_hot (N, 4, L)
    2. for each pool: convolution, max-pool of so many positions, batch norm, activation -> (N, D, L / prod(pools))
       The first activation is exponential: a filter that is nearly a motif then stands out from all that is not, and
       sites of some 15 bp are found among 10^5 bp (Koo & Ploenzke 2021, doi:10.1038/s42256-020-00291-x); with relu
       the same network stays at the mean for epochs.  The others are relu.
       `composition` adds the shares of A, C, G and T in a bin: GC content, and with N where a contig ends.
    3. context, where the model has one: epigenomic tracks by bin through one convolution, and one vector a cell type,
       are added; sequence alone cannot tell cell types apart.
    4. for i in 0 .. layers - 1: x + relu(convolution of width 3, dilation 2^i)
    5. embedding (N, D, T) on Grid(0, prod(pools), T)

    The trunk follows Akita's (Fudenberg et al. 2020, doi:10.1038/s41592-020-0958-x): pools to 2,048 bp, then dilated
    convolutions that span the window.

    pools: positions that each step pools; their product is the bin size of the map.
    channels: D.
    first_channels: filters of the first convolution.
    first_width: bp of the first filter, odd.
    width: positions of the filters behind the first, odd.
    layers: dilated layers; they see 2 * (2^layers - 1) bins beside their own.
    dropout: of the dilated layers.
    composition: read base composition by bin beside motifs.
    tracks: names of epigenomic tracks, read by bin from the input `signal` (N, A, T).
    contexts: names of cell types; the input `context` (N,) is an index into them.
    tied: weights are shared between the strands; half of the channels are then the other strand's.
    """

    def __init__(
        self,
        *,
        pools: Sequence[int] = (32, 16, 4),
        channels: int = 64,
        first_channels: int = 64,
        first_width: int = 19,
        width: int = 5,
        layers: int = 6,
        dropout: float = 0.1,
        composition: bool = False,
        tracks: Sequence[str] = (),
        contexts: Sequence[str] = (),
        tied: bool = False,
    ):
        super().__init__()
        pools = tuple(pools)
        if not pools or min(pools) < 1:
            raise ConfigError(f"pools {list(pools)} of contact_cnn must be one whole number or more, each from 1 on")
        for name, value in (("first_width", first_width), ("width", width)):
            if value % 2 == 0:
                raise ConfigError(f"{name} {value} of contact_cnn must be odd to keep every position in place")
        self.bin_size = prod(pools)
        self.out_channels = channels
        self.strand = "equivariant" if tied else "none"
        self.inputs = {"one_hot": ONE_HOT}
        sizes = [4, first_channels, *[channels] * (len(pools) - 1)]
        self.stem, self.norms = nn.ModuleList(), nn.ModuleList()
        if len(pools) == 1:
            sizes = [4, channels]
        seen, step = 1, 1
        for i, pool in enumerate(pools):
            span = first_width if i == 0 else width
            self.stem.append(convolution(sizes[i], sizes[i + 1], span, tied=tied, padding=span // 2))
            self.norms.append((TiedBatchNorm1d if tied else nn.BatchNorm1d)(sizes[i + 1]))
            seen += (span - 1) * step + (pool - 1) * step
            step *= pool
        self.pooled = pools
        self.tied = tied
        self.of_composition = convolution(4, channels, 1, tied=tied) if composition else None
        wide = channels // 2 if tied else channels
        if tracks:
            self.inputs["signal"] = Field("AT", channels=tuple(tracks), bin_size=self.bin_size, required=False)
            self.of_signal = nn.Conv1d(len(tracks), wide, 1)
        if contexts:
            self.inputs["context"] = Field("", values="class", vocabulary=tuple(contexts))
            self.of_context = nn.Embedding(len(contexts), wide)
        self.blocks = nn.ModuleList(
            DilatedBlock(channels, kernel=3, dilation=2**i, dropout=dropout, tied=tied) for i in range(layers)
        )
        self.receptive_field = seen + 2 * (2**layers - 1) * step

    def grid(self, length: int) -> Grid:
        """One position a bin of the map."""
        if length % self.bin_size:
            raise ConfigError(
                f"a window of {length:,} bp is no whole number of bins of {self.bin_size:,} bp (pools "
                f"{' x '.join(map(str, self.pooled))}): take {length - length % self.bin_size:,} bp, or other pools"
            )
        return Grid(0, self.bin_size, length // self.bin_size)

    def forward(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """inputs: {one_hot (N, 4, L), signal (N, A, T), context (N,)} -> embedding (N, D, T)."""
        x = inputs["one_hot"]
        for i, (conv, norm, pool) in enumerate(zip(self.stem, self.norms, self.pooled, strict=True)):
            x = norm(functional.max_pool1d(conv(x), pool))
            x = torch.relu(x) if i else torch.exp(x.clamp(max=MOST))
        if self.of_composition is not None:
            share = functional.avg_pool1d(inputs["one_hot"], self.bin_size)
            x = x + self.of_composition(4 * share - 1)
        if "signal" in self.inputs:
            x = x + self._both_strands(self.of_signal(inputs["signal"]))
        if "context" in self.inputs:
            x = x + self._both_strands(self.of_context(inputs["context"]).unsqueeze(2))
        for block in self.blocks:
            x = block(x)
        return x

    def _both_strands(self, x: Tensor) -> Tensor:
        """What has no strand, for a channel and for its partner on the other strand alike."""
        return torch.cat([x, x.flip(1)], 1) if self.tied else x
