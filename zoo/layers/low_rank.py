"""Low-rank difference to a weight (LoRA): weight + B A, with B and A far smaller than the weight.

weight (out, in, width), A (rank, in * width), B (out, rank) -> add_low_rank -> weight (out, in, width)

Hu et al. 2022, "LoRA: Low-Rank Adaptation of Large Language Models".  Of a convolution, A is a convolution of `rank`
filters of the same width, and B one of width 1 behind it.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional


def add_low_rank(weight: Tensor, down: Tensor, up: Tensor) -> Tensor:
    """weight: (out, ...), down (A): (rank, numel / out), up (B): (out, rank) -> weight + up @ down, shaped alike."""
    return weight + torch.matmul(up, down).view_as(weight)


class LowRank(nn.Module):
    """A parametrisation of a weight: what it was plus `scale` * B A, which begins as 0.

    It changes the weight and not the layer's output, so that a layer that uses its weight in its own way (tied to the
    other strand, in groups, inside attention) stays what it is, and the sum can take the weight's place afterwards.

    weight: the one that is adapted; of at least two dimensions, the first its outputs.
    rank: of B A; no more than the weight's own rank can be.
    scale: alpha / rank in the paper.
    dropout: probability with which one of the `rank` terms is left out of a forward in training.
    """

    def __init__(self, weight: Tensor, rank: int, scale: float = 1.0, dropout: float = 0.0):
        super().__init__()
        out, rest = weight.shape[0], weight[0].numel()
        rank = min(rank, out, rest)
        self.scale, self.dropout = scale, dropout
        self.down = nn.Parameter(weight.new_empty(rank, rest))
        self.up = nn.Parameter(weight.new_zeros(out, rank))
        nn.init.kaiming_uniform_(self.down, a=math.sqrt(5))

    @property
    def pair(self) -> tuple[Tensor, Tensor]:
        """A (rank, rest) and B (out, rank), the scale in B, on the CPU."""
        return self.down.detach().cpu().clone(), (self.scale * self.up).detach().cpu().clone()

    def forward(self, weight: Tensor) -> Tensor:
        """weight: (out, ...) -> the same shape."""
        up = self.scale * self.up
        if self.training and self.dropout:
            up = up * functional.dropout(up.new_ones(up.shape[1]), self.dropout)
        return add_low_rank(weight, self.down, up)
