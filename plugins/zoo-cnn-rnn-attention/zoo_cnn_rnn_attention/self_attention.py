"""Self-attention over the positions of a construct: every position looks at all others, and the weights can be read.

x (N, D, T) -> weights (N, heads, T, T), which sum to 1 over the last axis -> (N, D, T)
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from zoo.errors import ConfigError
from zoo.layers.distance_waves import distance_waves
from zoo.layers.tied_conv import convolution

WAVELENGTHS = tuple(2.0**k for k in range(3, 12))
"""bp of the waves that a distance between two positions is written in."""


class SelfAttention(nn.Module):
    """x + what every position picks from all positions (Vaswani et al. 2017), by content and by signed distance.

    The score of position s for position t is the product of the query of t with the key of s, and with their distance
    written as waves (relative positions of Transformer-XL, Dai et al. 2019).

    tied: each strand is read from its own 5' end by the same weights and gives half of the channels, so that
        rc(x) = x.flip(1, 2) goes through unchanged; the weights of the other strand are heads of their own.
    """

    def __init__(self, channels: int, *, heads: int, bin_size: int, dropout: float = 0.0, tied: bool = False):
        super().__init__()
        strands = 2 if tied else 1
        if channels % (heads * strands):
            raise ConfigError(
                f"{channels} channels cannot be shared out among {heads * strands} attention heads, those of both "
                f"strands included: set heads to a divisor of {channels // strands}"
            )
        self.heads, self.bin_size, self.tied = heads, bin_size, tied
        self.width = channels // (heads * strands)
        self.query = nn.Conv1d(channels, heads * self.width, 1)
        self.key = nn.Conv1d(channels, heads * self.width, 1, bias=False)
        self.value = nn.Conv1d(channels, heads * self.width, 1)
        self.distance = nn.Conv1d(channels, heads * 2 * len(WAVELENGTHS), 1)
        self.output = convolution(channels, channels, 1, tied=tied)
        self.dropout = nn.Dropout(dropout)

    def weights(self, x: Tensor) -> Tensor:
        """x: (N, D, T) -> (N, heads, T, T), row t where position t looks; 2 heads where both strands are read."""
        if not self.tied:
            return self._weights(x)
        return torch.cat([self._weights(x), self._weights(x.flip(1, 2)).flip(2, 3)], 1)

    def forward(self, x: Tensor) -> Tensor:
        """x: (N, D, T) -> (N, D, T)."""
        picked = self._pick(x)
        if self.tied:
            picked = torch.cat([picked, self._pick(x.flip(1, 2)).flip(1, 2)], 1)
        return x + self.dropout(self.output(picked))

    def _weights(self, x: Tensor) -> Tensor:
        query, key = self._by_head(self.query(x)), self._by_head(self.key(x))
        scores = torch.matmul(query.transpose(2, 3), key) / math.sqrt(self.width)
        places = self.bin_size * torch.arange(x.shape[2]).to(device=x.device, dtype=x.dtype)
        waves = distance_waves(places.unsqueeze(0) - places.unsqueeze(1), WAVELENGTHS)
        scores = scores + torch.einsum("nhft,tsf->nhts", self._by_head(self.distance(x)), waves)
        return torch.softmax(scores, 3)

    def _pick(self, x: Tensor) -> Tensor:
        """(N, D, T) -> what the heads pick, (N, heads * width, T)."""
        picked = torch.matmul(self._by_head(self.value(x)), self._weights(x).transpose(2, 3))
        return picked.flatten(1, 2)

    def _by_head(self, x: Tensor) -> Tensor:
        """(N, heads * width, T) -> (N, heads, width, T)."""
        return x.unflatten(1, (self.heads, -1))
