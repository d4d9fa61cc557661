"""Outputs for alternate alleles on a reference that was passed over: only what an allele changes is computed.

    ReferencePass, edits of one shape -> probabilities (N, K, outputs + shift)

At the left of what changes, a layer holds what the reference does, at the right the same by `shift` bases further: so
that insertions and deletions are as exact as substitutions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from zoo_splice.variants.reference_pass import Interval, Layer, ReferencePass
from zoo_splice.variants.residual_stack import convolve


@dataclass(frozen=True)
class Shape:
    """Edits that differ in their place and letters alone; bases count from the first output of the reference.

    begin, end: what changes, in the alternate allele; empty for a deletion.  shift: bases that the allele is longer.
    outputs: of the reference.
    """

    begin: int
    end: int
    shift: int
    outputs: int


def alternate_outputs(passed: ReferencePass, shape: Shape, first: Sequence[int], one_hot: Tensor) -> Tensor:
    """first: (N,) where the outputs of each begin in the sequence.  one_hot: (N, 4, end - begin), what is put there.

    Returns (N, K, outputs + shift) probabilities.
    """
    stack = passed.stack
    length = shape.outputs + shape.shift
    stitch = _Stitching(shape, first)
    changed = shape.begin, shape.end
    if shape.end > shape.begin:
        x = convolve(one_hot.unsqueeze(2).contiguous(memory_format=torch.channels_last), stack.stem)
    else:
        x = one_hot.new_empty(len(first), len(stack.stem[1]), 1, 0)
    skip = convolve(stitch(passed.streams[0], x, changed, (0, length)), stack.start)
    for i, block in enumerate(stack.blocks):
        halo, rest = block.halo, stack.rest[i]
        within = _clip(_wider(changed, halo), (halo - rest, length + rest - halo))
        entering = stack.enter(stitch(passed.streams[i], x, changed, _wider(within, halo)), block)
        middle = stack.middle(entering, block)
        after = _clip(_wider(within, halo), (-stack.rest[i + 1], length + stack.rest[i + 1]))
        y = stack.leave(stitch(passed.middles[i], middle, within, _wider(after, halo)), block)
        x, changed = y.add_(stitch(passed.streams[i], x, changed, after)), after
        if i in stack.skips:
            whole = stitch(passed.streams[i + 1], x, changed, (0, length))
            skip = skip + convolve(whole, stack.skips[i])
    return stack.classes(skip).squeeze(2)


class _Stitching:
    def __init__(self, shape: Shape, first: Sequence[int]):
        self.shift, self.first = shape.shift, list(first)

    def __call__(self, reference: Layer, alternate: Tensor, changed: Interval, of: Interval) -> Tensor:
        """alternate (N, C, 1, changed) -> (N, C, 1, of): the layer of every allele at these positions."""
        (a, b), (low, high) = of, changed
        if low <= a and b <= high:
            return alternate[..., a - low : b - low]
        n, channels = alternate.shape[:2]
        out = alternate.new_empty(n, b - a, 1, channels).permute(0, 3, 2, 1)
        left, right = min(low, b), max(high, a)
        for row, first in enumerate(self.first):
            if a < left:
                out[row, :, :, : left - a] = reference.at(first + a, first + left)[0]
            if right < b:
                at = first - self.shift
                out[row, :, :, right - a :] = reference.at(at + right, at + b)[0]
        begin, end = max(a, low), min(b, high)
        if begin < end:
            out[..., begin - a : end - a] = alternate[..., begin - low : end - low]
        return out


def _wider(interval: Interval, by: int) -> Interval:
    return interval[0] - by, interval[1] + by


def _clip(interval: Interval, to: Interval) -> Interval:
    low = min(max(interval[0], to[0]), to[1])
    return low, max(low, min(interval[1], to[1]))
