"""A model whose truth is known: it reads a few bases of its window and nothing else."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from zoo.fields import Field, Grid
from zoo.interfaces import Encoder, Head
from zoo.model import Model
from zoo.spec import ModelSpec

LENGTH = 40
READ = (12, 20)


class _Window(Encoder):
    out_channels = 2
    receptive_field = None
    pools = True

    def __init__(self) -> None:
        super().__init__()
        weight = torch.randn(2, 4, READ[1] - READ[0], generator=torch.Generator().manual_seed(0))
        self.weight = torch.nn.Parameter(weight)

    def grid(self, length: int) -> Grid:
        return Grid(0, length, 1)

    def forward(self, inputs: Mapping[str, Tensor]) -> Tensor:
        x = inputs["one_hot"][:, :, READ[0] : READ[1]]
        return torch.tanh(torch.einsum("ncl,dcl->nd", x, self.weight)).unsqueeze(2)


class _Sum(Head):
    field = Field("C", channels=("output",))

    def forward(self, embedding: Tensor, inputs: Mapping[str, Tensor]) -> Tensor:
        return embedding.sum((1, 2)).unsqueeze(1)


def probe_model() -> Model:
    """Reads bases READ of a window of LENGTH bp; one output, called `output`."""
    spec = ModelSpec("probe", {"name": "probe"}, {"output": {"name": "probe"}}, LENGTH)
    return Model(spec, _Window(), {"output": _Sum()})
