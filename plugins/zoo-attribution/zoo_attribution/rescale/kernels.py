"""ReLU and its multipliers in one pass over memory."""

from __future__ import annotations

import numba
import torch
from torch import Tensor


def relu_multipliers(z: Tensor, at_sequence: Tensor, row: Tensor) -> tuple[Tensor, Tensor] | None:
    """ReLU of z (B, ...), and its multipliers against the sequences' own z (E, ...), row (B,) telling which.

    None where the tensors are not of one memory layout on a CPU.
    """
    order = sorted(range(z.dim()), key=lambda axis: (axis != 0, -z.stride(axis)))
    own, other = z.permute(order), at_sequence.permute(order)
    if z.device.type != "cpu" or not (own.is_contiguous() and other.is_contiguous()) or z.dtype.itemsize < 4:
        return None
    y, m = torch.empty_like(z), torch.empty_like(z)
    flat = [t.permute(order).reshape(len(t), -1).numpy() for t in (z.detach(), y, m)]
    if not all(t.permute(order).is_contiguous() for t in (y, m)):
        return None
    _relu(flat[0], other.reshape(len(other), -1).numpy(), row.numpy(), flat[1], flat[2])
    return y, m


@numba.njit(nogil=True, cache=True, error_model="numpy", fastmath={"contract", "nsz"})
def _relu(z, at_sequence, row, y, m):
    zero, one = z.dtype.type(0), z.dtype.type(1)
    for b in range(z.shape[0]):
        mine, theirs, value, slope = z[b], at_sequence[row[b]], y[b], m[b]
        for i in range(z.shape[1]):
            r, x = mine[i], theirs[i]
            up_r, up_x = max(r, zero), max(x, zero)
            ratio = (up_x - up_r) / (x - r)
            value[i] = up_r
            slope[i] = ratio if x != r else (one if r > zero else zero)
