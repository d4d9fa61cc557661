"""`ResidualStack`: a network of dilated residual blocks as plain tensors, for passes over parts of its positions.

    one-hot (4, L) -> stem (1 tap) -> blocks: x + conv(relu(norm(conv(relu(norm x))))) -> skips (1 tap) -> classes

Convolutions are read without padding: a base of the output follows `reach` bases on either side and nothing else, so
that any positions of any layer may be computed alone.  Numbers equal those of the padded, cropped network to rounding.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from zoo.errors import ConfigError
from zoo_splice.networks.probabilities import BaseProbabilities
from zoo_splice.networks.residual import SpliceResidual

if TYPE_CHECKING:
    from zoo.model import Model

Tap = tuple[Tensor, Tensor]
"""Weight (O, C, 1, W) and bias (O,) of a convolution along the sequence."""


@dataclass(frozen=True, eq=False)
class Block:
    """A residual block.  scale, shift: (C,) of the normalisation in front; that between the convolutions is in `first`.

    first, second: its convolutions.  dilation: of both.
    """

    scale: Tensor
    shift: Tensor
    first: Tap
    second: Tap
    dilation: int

    @property
    def halo(self) -> int:
        """bp on either side that one convolution reads."""
        return self.dilation * (self.first[0].shape[3] - 1) // 2


@dataclass(frozen=True, eq=False)
class ResidualStack:
    """stem: of the sequence.  start: of the stem's output to the sum of skips; skips: {block: tap}, of what that block
    gives.  last: of the sum of skips to classes.  slope: of the activation below zero.  softmax: or a sigmoid.
    """

    stem: Tap
    start: Tap
    blocks: Sequence[Block]
    skips: Mapping[int, Tap]
    last: Tap
    slope: float = 0.0
    softmax: bool = True

    @cached_property
    def rest(self) -> list[int]:
        """bp on either side of an output that it follows in the input of every block, and in what the last gives."""
        rest = [0]
        for block in reversed(self.blocks):
            rest.append(rest[-1] + 2 * block.halo)
        return rest[::-1]

    @property
    def reach(self) -> int:
        """bp on either side of an output that it follows in the sequence."""
        return self.rest[0]

    def activate(self, x: Tensor) -> Tensor:
        """In place, (N, C, 1, T)."""
        return functional.leaky_relu_(x, self.slope) if self.slope else functional.relu_(x)

    def enter(self, x: Tensor, block: Block) -> Tensor:
        """What the first convolution of a block reads of its input (N, C, 1, T)."""
        scale, shift = block.scale[:, None, None], block.shift[:, None, None]
        return self.activate(torch.addcmul(shift, x, scale))

    def middle(self, x: Tensor, block: Block) -> Tensor:
        """The first convolution: (N, C, 1, T) -> (N, C, 1, T - 2 halo)."""
        return self.activate(convolve(x, block.first, block.dilation))

    def leave(self, x: Tensor, block: Block) -> Tensor:
        """The second: (N, C, 1, T) -> (N, C, 1, T - 2 halo)."""
        return convolve(x, block.second, block.dilation)

    def classes(self, skip: Tensor) -> Tensor:
        """The sum of skips (N, C, 1, T) -> probabilities (N, K, 1, T)."""
        y = convolve(skip, self.last)
        return torch.softmax(y, 1) if self.softmax else torch.sigmoid(y)

    def whole(self, one_hot: Tensor) -> Tensor:
        """(N, 4, L) -> (N, K, L - 2 reach): every position of every layer that the output follows."""
        x = convolve(one_hot.unsqueeze(2).contiguous(memory_format=torch.channels_last), self.stem)
        length = one_hot.shape[2] - 2 * self.reach
        skip = convolve(_middle(x, length), self.start)
        for i, block in enumerate(self.blocks):
            y = self.leave(self.middle(self.enter(x, block), block), block)
            x = y + _middle(x, y.shape[3])
            if i in self.skips:
                skip = skip + convolve(_middle(x, length), self.skips[i])
        return self.classes(skip).squeeze(2)


def convolve(x: Tensor, tap: Tap, dilation: int = 1) -> Tensor:
    """(N, C, 1, T) -> (N, O, 1, T'), without padding; both with the channels contiguous in memory."""
    return functional.conv2d(x, *tap, dilation=(1, dilation))


def is_stack(model: Model) -> bool:
    """Whether a model has the encoder `splice_residual`, of one tower, and the head `base_probabilities`."""
    encoder, heads = model.encoder, dict(model.heads.items())
    one = isinstance(encoder, SpliceResidual) and len(encoder.towers) == 1
    return one and isinstance(heads.get("splice"), BaseProbabilities)


def stacks_of(model: Model) -> list[ResidualStack]:
    """The networks of a model, members one by one; ConfigError for one that is no stack."""
    if not is_stack(model):
        raise ConfigError(
            f"model {model.spec.name!r} is no network of acceptors and donors by base (encoder splice_residual with "
            "one tower, head base_probabilities): scores by gene need one, such as ci-spliceai"
        )
    stacks = []
    for member in getattr(model, "members", [model]):
        head = member.heads["splice"]
        tower: Any = member.encoder.towers[0]
        blocks, skips = [], {}
        for stage, skip in zip(tower.stages, tower.skips, strict=True):
            blocks += [_block(block) for block in stage]
            skips[len(blocks) - 1] = _tap(skip)
        rest = {"slope": tower.stages[0][0].slope, "softmax": head.activation == "softmax"}
        stacks.append(
            ResidualStack(_tap(tower.first), _tap(tower.first_skip), blocks, skips, _tap(head.output), **rest)
        )
    return stacks


def _tap(convolution: nn.Conv1d) -> Tap:
    bias = convolution.bias
    assert bias is not None
    return _in_channels_last(convolution.weight.detach()), bias.detach()


def _in_channels_last(weight: Tensor) -> Tensor:
    """(O, C, W) -> (O, C, 1, W), a CPU's convolutions being half as fast in any other order."""
    return weight.unsqueeze(2).contiguous(memory_format=torch.channels_last)


def _affine(norm: nn.BatchNorm1d) -> Tap:
    """Scale and shift (C,) of a normalisation by running moments."""
    assert norm.running_mean is not None
    assert norm.running_var is not None
    scale = (norm.weight / torch.sqrt(norm.running_var + norm.eps)).detach()
    return scale, (norm.bias - norm.running_mean * scale).detach()


def _block(block: Any) -> Block:
    (scale, shift), (between, moved) = _affine(block.norm1), _affine(block.norm2)
    weight, bias = _tap(block.convolution1)
    first = weight * between[:, None, None, None], bias * between + moved
    return Block(scale, shift, first, _tap(block.convolution2), block.convolution1.dilation[0])


def _middle(x: Tensor, length: int) -> Tensor:
    cut = (x.shape[3] - length) // 2
    return x[..., cut : cut + length]


def random_stack(
    widths: Sequence[tuple[int, int, int]] = ((11, 1, 4), (11, 4, 4), (21, 10, 4), (41, 25, 4)),
    channels: int = 32,
    classes: int = 3,
    seed: int = 0,
) -> ResidualStack:
    """Of random weights; widths: (taps, dilation, blocks) of every group, with a skip behind each."""
    draw = torch.Generator().manual_seed(seed)

    def tap(out: int, into: int, taps: int = 1) -> Tap:
        weight = torch.randn(out, into, taps, generator=draw) / (2 * into * taps) ** 0.5
        return _in_channels_last(weight), torch.randn(out, generator=draw) / 10

    blocks, skips = [], {}
    for taps, dilation, n in widths:
        for _ in range(n):
            scale = torch.rand(channels, generator=draw) + 0.5
            shift = torch.randn(channels, generator=draw) / 4
            blocks.append(Block(scale, shift, tap(channels, channels, taps), tap(channels, channels, taps), dilation))
        skips[len(blocks) - 1] = tap(channels, channels)
    return ResidualStack(tap(channels, 4), tap(channels, channels), blocks, skips, tap(classes, channels))
