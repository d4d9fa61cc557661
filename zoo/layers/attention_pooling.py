"""Attention pooling: a weighted mean over positions, whose weights can be read."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from zoo.errors import ContractError


class AttentionPooling(nn.Module):
    """Weighted means over positions; every head learns its own weights.

    x: (N, D, T) -> (N, heads * D).  `weights(x)` gives (N, heads, T), which sum to 1 over positions.

    tied: for an embedding in which rc(x) = x.flip(1, 2); a position and its mirror image then get the same
        weight, and pooling the other strand gives the same numbers in reverse order.
    """

    def __init__(self, channels: int, heads: int = 1, tied: bool = False):
        super().__init__()
        if tied and channels % 2:
            raise ContractError(f"tied channels come in pairs: {channels} are not even")
        self.tied = tied
        self.score = nn.Conv1d(channels, heads, 1, bias=False)

    def weights(self, x: Tensor) -> Tensor:
        """x: (N, D, T) -> (N, heads, T), positive, summing to 1 over T."""
        return torch.softmax(self.score(x + x.flip(1) if self.tied else x), dim=2)

    def forward(self, x: Tensor) -> Tensor:
        """x: (N, D, T) -> (N, heads * D)."""
        if not self.tied:
            return self._pool(x, x.shape[1])
        half = x.shape[1] // 2
        return torch.cat([self._pool(x, half), self._pool(x.flip(1, 2), half).flip(1)], dim=1)

    def _pool(self, x: Tensor, channels: int) -> Tensor:
        """The first channels of x, pooled: (N, D, T) -> (N, heads * channels)."""
        return torch.matmul(self.weights(x), x[:, :channels].transpose(1, 2)).flatten(1)
