"""What the core's own modules do, said in calls that have rules."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from zoo.effects.engine.rules.operation import at_reference, layer
from zoo.layers.attention_pooling import AttentionPooling
from zoo.layers.tied_conv import TiedBatchNorm1d, TiedConv1d


@layer(TiedConv1d)
def tied_convolution(conv: TiedConv1d, x: Tensor) -> Tensor:
    """Both strands' filters in one convolution."""
    return functional.conv1d(x, *conv.both_strands(), conv.stride, conv.padding, conv.dilation)


@layer(TiedBatchNorm1d)
def tied_batch_norm(norm: TiedBatchNorm1d, x: Tensor) -> Tensor:
    """A channel and its twin share their statistics."""
    statistics = [norm.running_mean, norm.running_var, norm.weight, norm.bias]
    both = [None if s is None else torch.cat([s, s.flip(0)]) for s in statistics]
    return functional.batch_norm(x, *both, False, 0.0, norm.eps)


@layer(AttentionPooling)
def attention_pooling(pooling: AttentionPooling, x: Tensor) -> Tensor:
    """Numerator and denominator of the softmax are sums over positions, of which a mutant changes a few terms."""
    if not pooling.tied:
        return _pooled(pooling, x, x.shape[1])
    half = x.shape[1] // 2
    return torch.cat([_pooled(pooling, x, half), _pooled(pooling, x.flip(1, 2), half).flip(1)], dim=1)


def _pooled(pooling: AttentionPooling, x: Tensor, channels: int) -> Tensor:
    score = pooling.score(x + x.flip(1) if pooling.tied else x)
    weight = torch.exp(score - at_reference(score.amax(2, keepdim=True)))
    sums = (weight.unsqueeze(2) * x[:, :channels].unsqueeze(1)).sum(3)
    return (sums / weight.sum(2).unsqueeze(2)).flatten(1)
