"""Features that know their place: every channel is scaled and shifted by where it stands in the construct.

x (N, D, T) -> (N, D, T)
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from zoo.layers.distance_waves import distance_waves

WAVELENGTHS = tuple(2.0**k for k in range(4, 11))
"""bp of the waves that a place is written in."""


class ByPosition(nn.Module):
    """x * (1 + scale(t)) + shift(t), both of them functions of the distances to the two ends of the construct.

    Aligned constructs have their parts in one place: a box 35 bp upstream of the start counts there and not elsewhere.
    The distance to either end is known, so that constructs of other lengths are read too.  A new layer changes nothing.

    tied: each strand counts from its own 5' end and scales half of the channels.
    """

    def __init__(self, channels: int, *, bin_size: int, tied: bool = False):
        super().__init__()
        self.bin_size, self.tied = bin_size, tied
        self.of_place = nn.Conv1d(4 * len(WAVELENGTHS), 2 * channels // (2 if tied else 1), 1)
        nn.init.zeros_(self.of_place.weight)
        nn.init.zeros_(self.of_place.bias)  # type: ignore[arg-type]  # this one has a bias

    def forward(self, x: Tensor, length: int) -> Tensor:
        """x: (N, D, T) of a window of `length` bp -> (N, D, T)."""
        middle = self.bin_size * (torch.arange(x.shape[2]).to(device=x.device, dtype=x.dtype) + 0.5)
        ends = [distance_waves(distance, WAVELENGTHS) for distance in (middle, length - middle)]
        both = self.of_place(torch.cat(ends, 1).t().unsqueeze(0))
        scale, shift = both[:, : both.shape[1] // 2], both[:, both.shape[1] // 2 :]
        if self.tied:
            scale, shift = (torch.cat([y, y.flip(1, 2)], 1) for y in (scale, shift))
        return x * (1 + scale) + shift
