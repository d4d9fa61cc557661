"""Strand flip: a tensor as it reads from the other strand, positions reversed and channels exchanged.

one-hot (N, 4, L), A C G T       -> the reverse complement
profile (N, 2, L), plus minus    -> reversed, minus and plus exchanged
embedding (N, D, T) of an equivariant encoder -> both axes reversed

`Field.flip` knows the axes and the table of an input or a target; codes in NumPy: zoo.data.codes.reverse_complement.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def flip_strand(x: Tensor, positions: Sequence[int], channel: int | None, rc: Sequence[int] | None) -> Tensor:
    """x of any shape -> the same shape.

    positions: axes that are reversed.
    channel: axis of the channels; None for class ids, which the table maps themselves (negative ids stay).
    rc: `flipped[c] = x[rc[c]]`; None leaves the channels in place.

    >>> flip_strand(torch.tensor([[0, 0, 1, 4]]), [1], None, [3, 2, 1, 0, 4]).tolist()
    [[4, 2, 3, 3]]
    """
    if positions:
        x = x.flip(list(positions))
    if rc is None:
        return x
    table = torch.as_tensor(rc, device=x.device)
    if channel is not None:
        return x.index_select(channel, table)
    return torch.where(x >= 0, table[x.clamp(min=0).long()].to(x.dtype), x)


def flip_embedding(embedding: Tensor) -> Tensor:
    """(N, D, T) of an equivariant encoder -> its embedding of the other strand."""
    return embedding.flip(1, 2)
