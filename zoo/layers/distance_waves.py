"""Distances in bp as sine and cosine waves, for attention and for features that know their place.

distance (...) in bp -> (..., 2 wavelengths)
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor


def distance_waves(distance: Tensor, wavelengths: Sequence[float]) -> Tensor:
    """distance: (...) in bp -> (..., F): its sines, then its cosines, one of each a wavelength (Vaswani et al. 2017).

    >>> distance_waves(torch.tensor([0.0, 8.0]), [32.0]).round(decimals=2).tolist()
    [[0.0, 1.0], [1.0, 0.0]]
    """
    waves = torch.tensor(tuple(wavelengths)).to(device=distance.device, dtype=distance.dtype)
    phase = distance.unsqueeze(-1) * (2 * math.pi / waves)
    return torch.cat([phase.sin(), phase.cos()], -1)
