"""One pass of a network over a stretch of sequence, at the positions of every layer that some outputs follow.

one-hot (4, L), intervals of outputs -> ReferencePass: what every layer gives there, kept for the alleles of the stretch
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor
from torch.nn import functional

from zoo_splice.variants.residual_stack import ResidualStack

Interval = tuple[int, int]
"""First base, and one past the last, of a stretch."""


class ReferencePass:
    """outputs: intervals, `stack.reach` bases or more from the ends of the sequence.

    streams: of every block its input (C, L), and last what the last one gives; middles: what its first convolution
    gives, activated.  probabilities: (K, L).  Positions that no output follows hold anything.
    """

    def __init__(self, stack: ResidualStack, one_hot: Tensor, outputs: Sequence[Interval]):
        self.stack = stack
        length = one_hot.shape[1]
        rest = stack.rest
        channels, classes = len(stack.stem[1]), len(stack.last[1])

        def empty(rows: int) -> Tensor:
            return one_hot.new_empty(rows, length)

        x = empty(channels)
        for a, b in grown(outputs, rest[0]):
            x[:, a:b] = functional.conv1d(one_hot[None, :, a:b], *stack.stem)[0]
        self.streams, self.middles = [x], []
        own = grown(outputs, 0)
        skip = [functional.conv1d(x[None, :, a:b], *stack.start) for a, b in own]
        for i, block in enumerate(stack.blocks):
            halo = block.halo
            middle, after = empty(channels), empty(channels)
            for a, b in grown(outputs, rest[i] - halo):
                middle[:, a:b] = stack.middle(stack.enter(x[None, :, a - halo : b + halo], block), block)[0]
            for a, b in grown(outputs, rest[i + 1]):
                y = stack.leave(middle[None, :, a - halo : b + halo], block)[0]
                torch.add(y, x[:, a:b], out=after[:, a:b])
            x = after
            self.streams.append(x)
            self.middles.append(middle)
            if i in stack.skips:
                skip = [
                    s + functional.conv1d(x[None, :, a:b], *stack.skips[i]) for s, (a, b) in zip(skip, own, strict=True)
                ]
        self.probabilities = empty(classes)
        for s, (a, b) in zip(skip, own, strict=True):
            self.probabilities[:, a:b] = stack.classes(s)[0]


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
