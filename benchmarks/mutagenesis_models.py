"""The networks that benchmarks of mutagenesis are about, with random weights: only speed and exactness are measured."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import nn
from torch.nn import functional

__all__ = ["MODELS", "Model"]


class Do(nn.Module):
    """A function of x and of modules."""

    def __init__(self, function, *parts: nn.Module):
        super().__init__()
        self.function, self.parts = function, nn.ModuleList(parts)

    def forward(self, x):
        return self.function(x, *self.parts)


def _bpnet(*head: nn.Module) -> nn.Module:
    convs = [nn.Conv1d(64, 64, 3, padding=2**i, dilation=2**i) for i in range(1, 9)]
    dilated = [Do(lambda x, conv: x + torch.relu(conv(x)), conv) for conv in convs]
    return nn.Sequential(nn.Conv1d(4, 64, 21, padding=10), nn.ReLU(), *dilated, *head)


def _basset() -> nn.Module:
    layers, channels = [], 4
    for out, kernel, pool in ((300, 19, 3), (200, 11, 4), (200, 7, 4)):
        conv = nn.Conv1d(channels, out, kernel, padding=kernel // 2)
        layers += [conv, nn.BatchNorm1d(out), nn.ReLU(), nn.MaxPool1d(pool)]
        channels = out
    layers += [nn.Flatten(), nn.Linear(200 * 12, 1000), nn.ReLU(), nn.Linear(1000, 1000), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(1000, 164))


def _splice() -> nn.Module:
    def block(kernel: int, dilation: int) -> nn.Module:
        convs = [nn.Conv1d(32, 32, kernel, padding=kernel // 2 * dilation, dilation=dilation) for _ in range(2)]
        inner = nn.Sequential(*(layer for conv in convs for layer in (nn.BatchNorm1d(32), nn.ReLU(), conv)))
        return Do(lambda x, inner: x + inner(x), inner)

    def forward(x, last, *parts):
        total = 0
        for group, skip in zip(parts[::2], parts[1::2], strict=True):
            x = group(x)
            total = total + skip(x)
        return functional.softmax(last(total[:, :, 5000:10_000]), 1)

    parts = [nn.Conv1d(4, 32, 1), nn.Conv1d(32, 32, 1)]
    for kernel, dilation in ((11, 1), (11, 4), (21, 10), (41, 25)):
        parts += [nn.Sequential(*(block(kernel, dilation) for _ in range(4))), nn.Conv1d(32, 32, 1)]
    return Do(forward, nn.Conv1d(32, 3, 1), *parts)


def _lstm() -> nn.Module:
    lstm = Do(lambda x, lstm: lstm(x.transpose(1, 2))[0], nn.LSTM(320, 320, batch_first=True, bidirectional=True))
    dense = [nn.Flatten(), nn.Linear(75 * 640, 925), nn.ReLU(), nn.Linear(925, 919)]
    return nn.Sequential(nn.Conv1d(4, 320, 26), nn.ReLU(), nn.MaxPool1d(13), lstm, *dense)


def _attention() -> nn.Module:
    stem = [nn.Conv1d(4, 64, 15, padding=7), nn.ReLU(), nn.MaxPool1d(8), Do(lambda x: x.transpose(1, 2))]
    layers = [nn.TransformerEncoderLayer(64, 4, 128, batch_first=True, dropout=0) for _ in range(2)]
    return nn.Sequential(*stem, *layers, Do(lambda x: x.mean(1)), nn.Linear(64, 1))


class Model(NamedTuple):
    """sample: mutants of full inference; many: those of ours and tangermeme, all where None."""

    build: Any
    length: int
    sample: int
    batch: int = 64
    many: int | None = None


MODELS = {
    "bpnet-counts": Model(lambda: _bpnet(Do(lambda x: x[:, :, 557:-557].mean(2)), nn.Linear(64, 1)), 2114, 192),
    "bpnet-profile": Model(lambda: _bpnet(Do(lambda x: x[:, :, 520:-520]), nn.Conv1d(64, 1, 75)), 2114, 192),
    "basset": Model(_basset, 600, 512),
    "splice": Model(_splice, 15_000, 16, batch=8, many=96),
    "lstm": Model(_lstm, 1000, 128),
    "attention": Model(_attention, 1024, 128),
}
