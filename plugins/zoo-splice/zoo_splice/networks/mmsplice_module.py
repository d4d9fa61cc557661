"""The modules of MMSplice (Cheng et al. 2019): one part of an exon and its flanks each, to one number.

one_hot (N, 4, L) -> convolution or dense layers -> features of the part (N, D, 1)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import torch
from torch import Tensor, nn

from zoo.errors import ConfigError, ContractError
from zoo.fields import Grid
from zoo.interfaces import Encoder

LENGTHS = {"acceptor": 53, "donor": 18}
"""bp that a module of a splice site reads; those of exon and intron read any length."""

_FEATURES = {"acceptor": 32 * 53, "donor": 64, "exon": 128, "intron": 256}


class MMSpliceModule(Encoder):
    """One of four small networks; head=scalar behind it is the last dense layer of the original.

    acceptor: 50 bp of the intron and 3 of the exon; 32 filters of 15 bp, a 1-bp convolution, every position for itself.
    donor: 5 bp of the exon and 13 of the intron; two dense layers of 128 and 64.
    exon: an exon, 128 filters of 11 bp, their mean over bases that are no N: what is padded with N scores alike.
    intron: the rest of an intron, 256 filters of 13 bp, their mean over all positions.

    Differs from the original in nothing that changes a number.
    """

    pools = True
    receptive_field = None

    def __init__(self, *, module: Literal["acceptor", "donor", "exon", "intron"] = "intron"):
        super().__init__()
        if module not in _FEATURES:
            raise ConfigError(f"module {module!r} of mmsplice_module must be one of {', '.join(_FEATURES)}")
        self.module, self.out_channels = module, _FEATURES[module]
        if module == "donor":
            self.dense1, self.norm1 = nn.Linear(4 * LENGTHS["donor"], 128), nn.BatchNorm1d(128, eps=1e-3)
            self.dense2, self.norm2 = nn.Linear(128, 64), nn.BatchNorm1d(64, eps=1e-3)
            return
        filters, width = {"acceptor": (32, 15), "exon": (128, 11), "intron": (256, 13)}[module]
        self.convolution = nn.Conv1d(4, filters, width, padding=width // 2)
        if module != "intron":
            self.norm1 = nn.BatchNorm1d(filters, eps=1e-3)
        if module == "acceptor":
            self.pointwise, self.norm2 = nn.Conv1d(32, 32, 1), nn.BatchNorm1d(32, eps=1e-3)

    def grid(self, length: int) -> Grid:
        """One position, the whole window."""
        own = LENGTHS.get(self.module, length)
        if length != own:
            raise ContractError(f"module {self.module!r} of MMSplice reads {own} bp, not {length:,}: give it those")
        return Grid(0, length, 1)

    def forward(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """inputs: {one_hot (N, 4, L)} -> (N, D, 1)."""
        x = inputs["one_hot"]
        match self.module:
            case "donor":
                # Keras flattens position by position.
                x = torch.relu(self.norm1(self.dense1(x.transpose(1, 2).flatten(1))))
                return torch.relu(self.norm2(self.dense2(x))).unsqueeze(2)
            case "acceptor":
                x = self.norm1(torch.relu(self.convolution(x)))
                x = self.norm2(torch.relu(self.pointwise(x)))
                return x.transpose(1, 2).flatten(1).unsqueeze(2)
            case "exon":
                known = x.amax(1, keepdim=True)
                features = torch.relu(self.norm1(self.convolution(x))) * known
                return features.sum(2, keepdim=True) / known.sum(2, keepdim=True).clamp(min=1e-7)
            case _:
                return torch.relu(self.convolution(x)).mean(2, keepdim=True)
