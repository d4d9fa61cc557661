"""Pooling over positions: the mean, the maximum, or both side by side.

embedding (N, D, T) -> features (N, D), or (N, 2 D) for max_mean
"""

from __future__ import annotations

import torch
from torch import Tensor

from zoo.errors import ConfigError, did_you_mean

POSITION_POOLS = ("mean", "max", "max_mean")
"""Pools without weights of their own."""


def pool_positions(embedding: Tensor, pool: str = "max_mean") -> Tensor:
    """embedding: (N, D, T) -> (N, D), or (N, 2 D), the maxima first, for max_mean.

    >>> pool_positions(torch.tensor([[[1.0, 3.0]]])).tolist()
    [[3.0, 2.0]]
    """
    if pool == "max":
        return embedding.amax(2)
    if pool == "max_mean":
        return torch.cat([embedding.amax(2), embedding.mean(2)], 1)
    return embedding.mean(2)


def pooled_channels(in_channels: int, pool: str, owner: str) -> int:
    """Features that `pool_positions` makes of D channels; ConfigError for another pool, whose argument `owner` is."""
    if pool not in POSITION_POOLS:
        raise ConfigError(f"pool {pool!r} of {owner} is not known" + did_you_mean(str(pool), POSITION_POOLS))
    return 2 * in_channels if pool == "max_mean" else in_channels
