"""One pass of a network over a stretch of sequence, at the positions of every layer that some outputs follow.

one-hot (4, L), intervals of outputs -> ReferencePass: what every layer gives there, kept for the alleles of the stretch
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

from zoo_splice.variants.residual_stack import ResidualStack, convolve

Interval = tuple[int, int]
"""First base, and one past the last, of a stretch."""


class Layer:
    """What a layer gives in some intervals of a stretch; pieces: (first base, (1, C, 1, T)), ascending."""

    def __init__(self, pieces: Sequence[tuple[int, Tensor]]):
        self.pieces = pieces
        self._starts = [start for start, _ in pieces]

    def at(self, a: int, b: int) -> Tensor:
        """(1, C, 1, b - a), without a copy; the bases must lie in one piece."""
        start, x = self.pieces[bisect_right(self._starts, a) - 1]
        return x[..., a - start : b - start]


class ReferencePass:
    """outputs: intervals, `stack.reach` bases or more from the ends of the sequence.

    streams: of every block its input, and last what the last one gives; middles: what its first convolution gives,
    activated.  probabilities: of the outputs.
    """

    def __init__(self, stack: ResidualStack, one_hot: Tensor, outputs: Sequence[Interval]):
        self.stack = stack
        sequence = one_hot[None, :, None].contiguous(memory_format=torch.channels_last)
        own = grown(outputs, 0)
        x = Layer([(a, convolve(sequence[..., a:b], stack.stem)) for a, b in grown(outputs, stack.reach)])
        self.streams, self.middles = [x], []
        skip = [convolve(x.at(a, b), stack.start) for a, b in own]
        for i, block in enumerate(stack.blocks):
            halo, rest = block.halo, stack.rest[i]
            entering = Layer([(start, stack.enter(piece, block)) for start, piece in x.pieces])
            inner = grown(outputs, rest - halo)
            middle = Layer([(a, stack.middle(entering.at(a - halo, b + halo), block)) for a, b in inner])
            pieces = []
            for a, b in grown(outputs, stack.rest[i + 1]):
                y = stack.leave(middle.at(a - halo, b + halo), block)
                pieces.append((a, y.add_(x.at(a, b))))
            x = Layer(pieces)
            self.streams.append(x)
            self.middles.append(middle)
            if i in stack.skips:
                skip = [s + convolve(x.at(a, b), stack.skips[i]) for s, (a, b) in zip(skip, own, strict=True)]
        self.probabilities = Layer([(a, stack.classes(s)) for s, (a, _) in zip(skip, own, strict=True)])


def grown(intervals: Iterable[Interval], by: int) -> list[Interval]:
    """Intervals with `by` bases more on either side, those that meet as one.

    >>> grown([(20, 30), (0, 5)], 8)
    [(-8, 38)]
    """
    out: list[list[int]] = []
    for a, b in sorted(intervals):
        if out and a - by <= out[-1][1]:
            out[-1][1] = max(out[-1][1], b + by)
        else:
            out.append([a - by, b + by])
    return [(a, b) for a, b in out]
