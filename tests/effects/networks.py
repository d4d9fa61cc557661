"""Small networks, one for each thing that a difference must pass through, and their window lengths."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

from zoo.layers.attention_pooling import AttentionPooling
from zoo.layers.recurrent import Bidirectional
from zoo.layers.tied_conv import TiedBatchNorm1d, TiedConv1d


class Net(nn.Module):
    """Parts by name, and a function of them and the one-hot sequence."""

    def __init__(self, function, **parts):
        super().__init__()
        self.function = function
        for name, part in parts.items():
            setattr(self, name, part)

    def forward(self, x):
        return self.function(self, x)


def conv(inputs, outputs, kernel, **options):
    return nn.Conv1d(inputs, outputs, kernel, **options)


def residual(n, x):
    x = torch.relu(n.a(x))
    x = x + torch.relu(n.b(x))
    x = x + n.drop(torch.relu(n.c(x)))
    return n.dense(x[:, :, 7:-9].mean(2))


def preactivation(n, x):
    x = n.first(x)
    skip = n.side(x)
    x = x + n.b(F.relu(n.norm2(n.a(F.relu(n.norm1(x))))))
    return torch.softmax(n.last((skip + n.side2(x))[..., 20:-20]), 1)


def unet(n, x):
    a = F.gelu(n.a(x))
    b = torch.cat([a, torch.tanh(n.b(a)), x], 1)
    return n.c(torch.sigmoid(b) * b.exp().clamp(max=5)).amax(2)


def gated(n, x):
    value, gate = n.a(x).chunk(2, dim=1)
    return n.dense((value * torch.sigmoid(gate)).sum(-1))


def transformer(n, x):
    x = n.pool(torch.relu(n.a(x))).transpose(1, 2)
    return n.dense(n.block(x).mean(1))


def layer_norms(n, x):
    x = n.a(x).transpose(1, 2)
    x = n.norm(x)
    x = F.gelu(n.up(x))
    return n.down(F.softmax(x, dim=-1)).permute(0, 2, 1)


def excited(n, x):
    x = torch.relu(n.a(x))
    gate = torch.sigmoid(n.dense(x.mean(2)))
    return n.b(x * gate.unsqueeze(2)).sum(2)


def flips(n, x):
    both = torch.stack([n.a(x), n.a(x.flip(1, 2)).flip(2)])
    return both.mean(0).index_select(1, torch.tensor([1, 0, 2])).amax(2)


def positional(n, x):
    x = n.a(x) + n.position
    x = x * n.weight
    return (x / 2 - 1).square().mean((1, 2)).unsqueeze(1)


def in_place(n, x):
    x = n.act(n.a(x))
    x += 1
    x = F.relu_(x)
    return n.dense(x.view(x.shape[0], -1))


def heads(n, x):
    x = n.a(x).view(x.shape[0], 2, 3, -1)
    return (x.unsqueeze(1)[:, 0].sum(2) * 3).max(dim=2).values


def picked(n, x):
    x = torch.relu(n.a(x))
    return n.dense(torch.cat([x[:, :, 20], x[:, 1:3, 25:27].flatten(1)], 1)) + x.select(2, 21)[:, :2]


def padded(n, x):
    return n.b(F.pad(torch.relu(n.a(F.pad(x, (5, 2)))), (-1, 3))).logsumexp(2)


def networks() -> dict[str, tuple[nn.Module, int]]:
    """{name: (module in eval mode, bp)}; weights are drawn with a fixed seed, running statistics too."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        made = _made()
        for module, _ in made.values():
            for part in module.modules():
                if isinstance(part, nn.BatchNorm1d):
                    part.running_mean.normal_()
                    part.running_var.uniform_(0.5, 2)
                    part.weight.data.normal_()
                    part.bias.data.normal_()
            module.eval()
    return made


def _made():
    return {
        "residual": (
            Net(
                residual,
                a=conv(4, 6, 5, padding=2),
                b=conv(6, 6, 3, padding=2, dilation=2),
                c=conv(6, 6, 3, padding=8, dilation=8),
                drop=nn.Dropout(0.5),
                dense=nn.Linear(6, 2),
            ),
            90,
        ),
        "pre-activation": (
            Net(
                preactivation,
                first=conv(4, 6, 1),
                side=conv(6, 6, 1),
                norm1=nn.BatchNorm1d(6),
                a=conv(6, 6, 7, padding=9, dilation=3),
                norm2=nn.BatchNorm1d(6),
                b=conv(6, 6, 7, padding="same", dilation=3),
                side2=conv(6, 6, 1),
                last=conv(6, 3, 1),
            ),
            96,
        ),
        "strided and grouped": (
            nn.Sequential(
                conv(4, 8, 6, stride=2, padding=3),
                nn.ReLU(),
                conv(8, 8, 3, groups=4, padding=1, dilation=1),
                nn.ELU(),
                conv(8, 4, 5, stride=3, dilation=2),
                nn.Flatten(),
                nn.Linear(4 * 15, 3),
            ),
            101,
        ),
        "basset": (
            nn.Sequential(
                conv(4, 7, 9, padding=4),
                nn.BatchNorm1d(7),
                nn.ReLU(),
                nn.MaxPool1d(3),
                conv(7, 5, 5, padding=2),
                nn.BatchNorm1d(5),
                nn.ReLU(inplace=True),
                nn.MaxPool1d(4, stride=3, padding=1),
                nn.Flatten(),
                nn.Dropout(),
                nn.Linear(5 * 11, 9),
                nn.ReLU(),
                nn.Linear(9, 4),
            ),
            100,
        ),
        "average pooling": (
            nn.Sequential(conv(4, 5, 4), nn.Softplus(), nn.AvgPool1d(3, 2, 1), conv(5, 3, 2), nn.AdaptiveAvgPool1d(1)),
            70,
        ),
        "adaptive maximum": (nn.Sequential(conv(4, 5, 4), nn.AdaptiveMaxPool1d(1), nn.Flatten(), nn.Linear(5, 1)), 70),
        "concatenation": (Net(unet, a=conv(4, 5, 3, padding=1), b=conv(5, 3, 5, padding=2), c=conv(12, 3, 3)), 60),
        "gate": (Net(gated, a=conv(4, 8, 5, padding="same"), dense=nn.Linear(4, 2)), 64),
        "attention pooling": (
            nn.Sequential(conv(4, 6, 5, padding=2), nn.ReLU(), AttentionPooling(6, 2), nn.Linear(12, 2)),
            64,
        ),
        "tied": (
            nn.Sequential(
                TiedConv1d(4, 6, 5, padding=2),
                TiedBatchNorm1d(6),
                nn.ReLU(),
                TiedConv1d(6, 4, 3, padding=2, dilation=2),
                AttentionPooling(4, 2, tied=True),
            ),
            64,
        ),
        "transformer": (
            Net(
                transformer,
                a=conv(4, 8, 7, padding=3),
                pool=nn.MaxPool1d(4),
                block=nn.TransformerEncoderLayer(8, 2, 16, batch_first=True, dropout=0.0),
                dense=nn.Linear(8, 2),
            ),
            64,
        ),
        "recurrent": (
            nn.Sequential(conv(4, 6, 5, padding=2), nn.MaxPool1d(4), Bidirectional(6, 5, cell="lstm"), nn.Flatten()),
            64,
        ),
        "layer norm": (
            Net(layer_norms, a=conv(4, 6, 5), norm=nn.LayerNorm(6), up=nn.Linear(6, 9), down=nn.Linear(9, 2)),
            40,
        ),
        "squeeze and excitation": (
            Net(excited, a=conv(4, 6, 5), dense=nn.Linear(6, 6), b=conv(6, 2, 3)),
            50,
        ),
        "flips": (Net(flips, a=conv(4, 3, 5, padding=2)), 50),
        "positional": (
            Net(
                positional,
                a=conv(4, 3, 5, padding=2),
                position=nn.Parameter(torch.randn(3, 50)),
                weight=nn.Parameter(torch.randn(1, 3, 50)),
            ),
            50,
        ),
        "in place": (Net(in_place, a=conv(4, 3, 5), act=nn.ReLU(inplace=True), dense=nn.Linear(3 * 46, 2)), 50),
        "views": (Net(heads, a=conv(4, 6, 5)), 50),
        "positions": (Net(picked, a=conv(4, 6, 5, padding=2), dense=nn.Linear(10, 2)), 50),
        "padding": (Net(padded, a=conv(4, 3, 5), b=conv(3, 2, 3)), 50),
        "circular": (nn.Sequential(conv(4, 3, 5, padding=2, padding_mode="circular"), nn.Flatten()), 30),
        "instance norm": (nn.Sequential(conv(4, 3, 5), nn.InstanceNorm1d(3), nn.ReLU(), nn.Flatten()), 30),
        "group norm": (nn.Sequential(conv(4, 4, 5), nn.GroupNorm(2, 4), nn.Sigmoid(), nn.AdaptiveAvgPool1d(1)), 30),
        "prelu": (nn.Sequential(conv(4, 4, 5), nn.PReLU(4), nn.AdaptiveAvgPool1d(2)), 32),
        "upsampling": (nn.Sequential(conv(4, 4, 5), nn.Upsample(scale_factor=2), nn.ConvTranspose1d(4, 2, 4, 2)), 32),
    }
