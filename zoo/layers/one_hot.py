"""Codes to one-hot, on whatever device the codes are on."""

from __future__ import annotations

import torch
from torch import Tensor


def one_hot(codes: Tensor, n_encoding: str = "zero", dtype: torch.dtype = torch.float32) -> Tensor:
    """codes (N, L) uint8, A C G T N = 0 1 2 3 4 -> (N, 4, L) with the channels contiguous in memory.

    n_encoding: an N is four zeros ("zero") or four quarters ("quarter").

    >>> one_hot(torch.tensor([[0, 4, 3]], dtype=torch.uint8))[0].tolist()
    [[1.0, 0.0, 0.0], [0.0, 0.0, 0.0], [0.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
    """
    table = torch.zeros(5, 4, dtype=dtype, device=codes.device)
    table[:4] = torch.eye(4, dtype=dtype, device=codes.device)
    if n_encoding == "quarter":
        table[4] = 0.25
    return table[codes.int()].transpose(1, 2)


def codes_of(x: Tensor) -> Tensor:
    """One-hot (N, 4, L) -> codes (N, L) uint8; a column that is not one base is an N.

    >>> codes_of(one_hot(torch.tensor([[0, 4, 3]], dtype=torch.uint8))).tolist()
    [[0, 4, 3]]
    """
    known = (x.amax(1) == 1) & (x.sum(1) == 1)
    return torch.where(known, x.argmax(1), 4).to(torch.uint8)
