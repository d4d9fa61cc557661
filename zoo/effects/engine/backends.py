"""The few loops over windows, twice: compiled for a CPU, and in plain torch for any device and as a second opinion.

Everything else in the rules is a matrix product or an elementwise call.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from zoo.effects.engine import kernels
from zoo.effects.engine.windows import Windows

LONG, WIDE = 150, 16
"""Rows a mutant and channels from which a convolution is done tap by tap."""


def gather(reference: Tensor, base: np.ndarray, windows: Windows) -> Tensor:
    """The reference at the windows: (R * T, F) -> (rows, F).  base: (M,) row at which a mutant's reference begins."""
    device = reference.device
    start = torch.from_numpy(base).to(device)
    return reference.index_select(0, start[windows.mutant(device)] + windows.position(device))


class Backend(Protocol):
    """Loops over windows.  Values are (rows, F) matrices, one row a position of a mutant."""

    def convolve(
        self,
        x: Tensor,
        weight: Tensor,
        shifts: Sequence[int],
        windows: Windows,
        out: Windows,
        *,
        relu: tuple[Tensor, np.ndarray] | None = None,
        rest: tuple[Tensor, Windows] | None = None,
    ) -> Tensor:
        """x (rows, C), weight (C, K * O): the sum over k of x @ weight_k, moved by shifts[k] -> (out.rows, O).

        relu: reference (R * T, O) and base, for relu(reference + sum) - relu(reference).  rest: what is added then.
        """
        ...

    def add(self, values: Tensor, windows: Windows, out: Tensor, to: Windows, shift: int = 0, column: int = 0) -> None:
        """Add values at position p to those of `out` at p + shift, features from `column` on."""

    def relu(self, values: Tensor, windows: Windows, reference: Tensor, base: np.ndarray) -> Tensor:
        """relu(reference + values) - relu(reference)."""
        ...

    def max_pool(
        self, values: Tensor, windows: Windows, reference: Tensor, base: np.ndarray, out: Windows, pool: tuple[int, ...]
    ) -> Tensor:
        """Maxima of windows of the reference with the values, less those without.  pool: size, stride, padding, T."""
        ...

    def segment_sum(self, values: Tensor, windows: Windows) -> Tensor:
        """Sum over the rows of each mutant: (rows, F) -> (M, F)."""
        ...

    def maximum(
        self, values: Tensor, windows: Windows, reference: Tensor, row: np.ndarray, sides: tuple[Tensor, Tensor]
    ) -> Tensor:
        """The maximum over all positions with the values, less that without: (M, F).

        row: (M,) the reference of each mutant.  sides: of `running_maxima`.
        """
        ...

    def running_maxima(self, reference: Tensor, length: int) -> tuple[Tensor, Tensor]:
        """(R * T, F) -> maxima before each position, and from it on: two of (R * (T + 1), F)."""
        ...


class Compiled:
    """numba loops; tensors must be on the CPU."""

    def convolve(self, x, weight, shifts, windows, out, *, relu=None, rest=None) -> Tensor:
        channels = weight.shape[1] // len(shifts)
        if len(x) < LONG * len(windows.low) or channels < WIDE:
            y = x.new_empty(out.rows, channels)
            where = windows.low, windows.high, windows.first, out.low, out.high, out.first
            kernels.sum_taps((x @ weight).numpy(), np.asarray(shifts, np.int64), *where, y.numpy())
        else:
            y = _tap_by_tap(x, weight, shifts, windows, out)
        if relu is not None or rest is not None:
            self._finish(y, out, relu, rest)
        return y

    @staticmethod
    def _finish(y: Tensor, out: Windows, relu, rest) -> None:
        reference, base = relu or (y, out.low)
        added, where = rest or (y[:0], Windows(out.low, out.low, out.first))
        kernels.finish(
            *(out.low, out.high, out.first, relu is not None, reference.numpy(), base),
            *(added.contiguous().numpy(), where.low, where.high, where.first, y.numpy()),
        )

    def add(self, values, windows, out, to, shift=0, column=0) -> None:
        where = windows.low, windows.high, windows.first, to.low, to.high, to.first
        kernels.add_rows(values.contiguous().numpy(), *where, shift, column, out.numpy())

    def relu(self, values, windows, reference, base) -> Tensor:
        y = values.clone(memory_format=torch.contiguous_format)
        self._finish(y, windows, (reference, base), None)
        return y

    def max_pool(self, values, windows, reference, base, out, pool) -> Tensor:
        y = values.new_empty(out.rows, values.shape[1])
        where = windows.low, windows.high, windows.first
        to = out.low, out.high, out.first
        kernels.max_pool(values.contiguous().numpy(), *where, reference.numpy(), base, *to, *pool, y.numpy())
        return y

    def segment_sum(self, values, windows) -> Tensor:
        y = values.new_empty(len(windows.low), values.shape[1])
        kernels.segment_sum(values.contiguous().numpy(), windows.first, y.numpy())
        return y

    def maximum(self, values, windows, reference, row, sides) -> Tensor:
        y = values.new_empty(len(windows.low), values.shape[1])
        base, side_base, top = _bases(reference, row, sides)
        where = windows.low, windows.high, windows.first
        kernels.outside_maximum(
            *(values.contiguous().numpy(), *where, reference.numpy(), base),
            *(sides[0].numpy(), sides[1].numpy(), side_base, top.numpy(), y.numpy()),
        )
        return y

    def running_maxima(self, reference, length) -> tuple[Tensor, Tensor]:
        rows = len(reference) // length * (length + 1)
        before, after = (reference.new_empty(rows, reference.shape[1]) for _ in range(2))
        kernels.running_maxima(reference.numpy(), length, before.numpy(), after.numpy())
        return before, after


class Eager:
    """The same in torch."""

    def convolve(self, x, weight, shifts, windows, out, *, relu=None, rest=None) -> Tensor:
        channels = weight.shape[1] // len(shifts)
        taps = x @ weight
        each = torch.cat([taps, taps.new_zeros(1, taps.shape[1])]).view(-1, len(shifts), channels)
        y = taps.new_zeros(out.rows, channels)
        for k, shift in enumerate(shifts):
            y += each[_source(windows, out, shift, taps.device), k]
        if relu is not None:
            y = self.relu(y, out, *relu)
        if rest is not None:
            self.add(*rest, y, out)
        return y

    def add(self, values, windows, out, to, shift=0, column=0) -> None:
        padded = torch.cat([values, values.new_zeros(1, values.shape[1])])
        out[:, column : column + values.shape[1]] += padded[_source(windows, to, shift, out.device)]

    def relu(self, values, windows, reference, base) -> Tensor:
        r = gather(reference, base, windows)
        return torch.relu(r + values) - torch.relu(r)

    def max_pool(self, values, windows, reference, base, out, pool) -> Tensor:
        size, stride, padding, length = pool
        device = values.device
        padded = torch.cat([values, values.new_zeros(1, values.shape[1])])
        mutant, q = out.mutant(device), out.position(device)
        start = torch.from_numpy(base).to(device)[mutant]
        new = old = reference.new_full((out.rows, reference.shape[1]), -torch.inf)
        for k in range(size):
            p = q * stride - padding + k
            exists = ((p >= 0) & (p < length))[:, None]
            r = reference[start + p.clamp(0, length - 1)].masked_fill(~exists, -torch.inf)
            x = r + padded[_row_of(windows, mutant, p, device)]
            new, old = torch.maximum(new, x), torch.maximum(old, r)
        return new - old

    def segment_sum(self, values, windows) -> Tensor:
        y = values.new_zeros(len(windows.low), values.shape[1])
        return y.index_add_(0, windows.mutant(values.device), values)

    def maximum(self, values, windows, reference, row, sides) -> Tensor:
        base, side_base, top = _bases(reference, row, sides)
        device = values.device
        start = torch.from_numpy(side_base).to(device)
        y = torch.maximum(
            sides[0][start + windows.tensor("low", device)], sides[1][start + windows.tensor("high", device)]
        )
        inside = gather(reference, base, windows) + values
        index = windows.mutant(device)[:, None].expand_as(inside)
        return y.scatter_reduce(0, index, inside, "amax") - top

    def running_maxima(self, reference, length) -> tuple[Tensor, Tensor]:
        x = reference.view(-1, length, reference.shape[1])
        rim = torch.full_like(x[:, :1], -torch.inf)
        before = torch.cat([rim, x.cummax(1).values], 1)
        after = torch.cat([x.flip(1).cummax(1).values.flip(1), rim], 1)
        return before.flatten(0, 1), after.flatten(0, 1)


def _tap_by_tap(x: Tensor, weight: Tensor, shifts: Sequence[int], windows: Windows, out: Windows) -> Tensor:
    """A matrix product for each tap and each run of mutants with the same windows, over the rows that count.

    Near the rims of what the output follows, a row is read by some taps only.
    """
    y = x.new_zeros(out.rows, weight.shape[1] // len(shifts))
    taps = weight.view(len(weight), len(shifts), -1).transpose(0, 1)
    ends = np.stack([windows.low, windows.high, out.low, out.high])
    changes = np.flatnonzero((np.diff(ends) != 0).any(0)) + 1
    for a, b in pairwise([0, *changes.tolist(), ends.shape[1]]):
        low, high, out_low, out_high = ends[:, a].tolist()
        if high <= low or out_high <= out_low:
            continue
        n = b - a
        source = x[int(windows.first[a]) : int(windows.first[b])].view(n, high - low, -1)
        target = y[int(out.first[a]) : int(out.first[b])].view(n, out_high - out_low, -1)
        for k, shift in enumerate(shifts):
            first, last = max(low, out_low - shift), min(high, out_high - shift)
            if last > first:
                moved = target[:, first + shift - out_low : last + shift - out_low]
                moved.baddbmm_(source[:, first - low : last - low], taps[k].expand(n, -1, -1))
    return y


def _source(windows: Windows, out: Windows, shift: int, device: torch.device) -> Tensor:
    """Row of `windows` that each row of `out` comes from; one past the last where there is none."""
    return _row_of(windows, out.mutant(device), out.position(device) - shift, device)


def _row_of(windows: Windows, mutant: Tensor, position: Tensor, device: torch.device) -> Tensor:
    low, high, first = (windows.tensor(k, device) for k in ("low", "high", "first"))
    inside = (position >= low[mutant]) & (position < high[mutant])
    return torch.where(inside, first[mutant] + position - low[mutant], windows.rows)


def _bases(reference: Tensor, row: np.ndarray, sides: tuple[Tensor, Tensor]) -> tuple:
    """Where each mutant's reference and sides begin, and the reference's maxima (M, F)."""
    references = sides[0].shape[0] - reference.shape[0]
    length = reference.shape[0] // references
    side_base = row * (length + 1)
    return row * length, side_base, sides[1][torch.from_numpy(side_base).to(reference.device)]
