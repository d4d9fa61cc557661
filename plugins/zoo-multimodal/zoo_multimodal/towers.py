"""The towers: a deep one for the sequence, light ones for signal tracks, an embedding of the context.

one_hot (N, 4, L) -> SequenceTower -> (N, C, L / pool)
signal (N, A, T)  -> SignalTowers  -> (N, A, S, T), every track by weights of its own
context (N,)      -> ContextEmbedding -> (N, E)
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from zoo.layers.dilated_block import DilatedBlock

SCALES = (1, 5, 21)
"""Bins over which a track is averaged before its tower reads it."""


class SequenceTower(nn.Module):
    """Convolution, relu, maximum of every `pool` bp, then residual convolutions whose dilation doubles."""

    def __init__(self, channels: int, *, first_width: int, pool: int, layers: int, dropout: float):
        super().__init__()
        self.pool = pool
        self.convolution = nn.Conv1d(4, channels, first_width, padding=first_width // 2)
        self.blocks = nn.ModuleList(DilatedBlock(channels, dilation=2**i, dropout=dropout) for i in range(layers))

    def forward(self, one_hot: Tensor) -> Tensor:
        """one_hot: (N, 4, L) -> (N, channels, L / pool)."""
        x = self.convolution(one_hot)
        x = torch.relu(functional.max_pool1d(x, self.pool) if self.pool > 1 else x)  # the order is faster, not other
        for block in self.blocks:
            x = block(x)
        return x


class SignalTowers(nn.Module):
    """One light tower a track: its mean over 1, 5 and 21 bins, then two convolutions of five bins.

    A track that is missing gives zeros, whatever its values.
    """

    def __init__(self, tracks: int, channels: int):
        super().__init__()
        self.tracks, self.channels = tracks, channels
        self.first = nn.Conv1d(len(SCALES) * tracks, channels * tracks, 5, padding=2, groups=tracks)
        self.second = nn.Conv1d(channels * tracks, channels * tracks, 5, padding=2, groups=tracks)

    def forward(self, signal: Tensor, present: Tensor) -> Tensor:
        """signal: (N, A, T), present: (N, A) bool -> (N, A, channels, T)."""
        n, tracks, bins = signal.shape
        signal = signal.masked_fill(~present.unsqueeze(2), 0.0)
        means = [functional.avg_pool1d(signal, w, 1, w // 2, count_include_pad=False) for w in SCALES]
        x = torch.stack(means, 2).reshape(n, tracks * len(SCALES), bins)
        x = torch.relu(self.second(torch.relu(self.first(x))))
        return x.reshape(n, tracks, self.channels, bins).masked_fill(~present[:, :, None, None], 0.0)


class ContextEmbedding(nn.Module):
    """A vector for an unknown context, and what each known one adds to it.

    What a context adds begins at zero, so that one that was never trained is read as unknown.
    """

    def __init__(self, contexts: int, channels: int):
        super().__init__()
        self.unknown = nn.Parameter(torch.zeros(channels))
        self.difference = nn.Embedding(contexts, channels)
        nn.init.zeros_(self.difference.weight)

    def forward(self, context: Tensor, present: Tensor) -> Tensor:
        """context: (N,) ids, those outside the vocabulary unknown; present: (N,) bool -> (N, channels)."""
        last = self.difference.num_embeddings - 1
        known = present & (context >= 0) & (context <= last)
        return self.unknown + self.difference(context.clamp(0, last)) * known.unsqueeze(1).to(self.unknown.dtype)
