"""A small model that reads a track and a context beside the sequence, and files to run it on."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor, nn

from zoo.fields import ONE_HOT, Field, Grid
from zoo.heads.scalar import ScalarHead
from zoo.interfaces import Encoder
from zoo.model import Model
from zoo.spec import ModelSpec

LENGTH, BIN = 128, 16


class TwoTowers(Encoder):
    """Convolutions of the sequence, pooled to bins; those of the track; a context's vector: joined by a convolution."""

    def __init__(self, *, required: bool = False, fuse: str = "cat"):
        super().__init__()
        signal = Field("CT", channels=("atac", "dnase"), bin_size=BIN, required=required, transform="log1p")
        context = Field("", values="class", vocabulary=("liver", "heart"), required=required)
        self.inputs = {"one_hot": ONE_HOT, "signal": signal, "context": context}
        self.out_channels, self.receptive_field, self.fuse = 6, None, fuse
        self.first, self.second = nn.Conv1d(4, 8, 7, padding=3), nn.Conv1d(8, 6, 5, padding=2)
        self.track = nn.Conv1d(2, 6, 3, padding=1)
        self.context, self.missing = nn.Embedding(2, 6), nn.Parameter(torch.randn(2, 6))
        self.join = nn.Conv1d(12 if fuse == "cat" else 6, 6, 3, padding=1)

    def grid(self, length: int) -> Grid:
        return Grid(0, 1, length).pool(BIN)

    def forward(self, inputs: Mapping[str, Tensor]) -> Tensor:
        x = torch.relu(self.second(torch.relu(self.first(inputs["one_hot"]))))
        x = nn.functional.max_pool1d(x, BIN)
        track, context = torch.relu(self.track(inputs["signal"])), self.context(inputs["context"])
        if "present/signal" in inputs:
            there = inputs["present/signal"][:, None, None]
            track = there * track + (1 - there) * self.missing[0, :, None]
            there = inputs["present/context"][:, None]
            context = there * context + (1 - there) * self.missing[1]
        if self.fuse == "cat":
            x = torch.cat([x + context[:, :, None], track], 1)
        elif self.fuse == "gate":
            x = x * torch.sigmoid(track) + context[:, :, None] * x
        else:  # the middle of the sequence asks, the positions of both towers answer
            both = torch.cat([x, track], 2).transpose(1, 2)
            weight = torch.softmax(both @ x[:, :, x.shape[2] // 2, None] / 6**0.5, 1)
            x = x + (weight * both).sum(1)[:, :, None] + context[:, :, None]
        return torch.relu(self.join(x))


def two_towers(seed: int = 0, name: str = "towers", **arguments) -> Model:
    """The model, with weights that make a difference."""
    torch.manual_seed(seed)
    spec = ModelSpec(name, {"name": "two_towers"}, {"binding": {"name": "scalar"}}, LENGTH)
    encoder = TwoTowers(**arguments)
    model = Model(spec, encoder, {"binding": ScalarHead(in_channels=6, tasks=("a", "b"))})
    with torch.no_grad():
        for p in model.parameters():
            p.normal_(0, 0.5)
    return model.eval()


def write_genome(folder, contigs=(("chr1", 3000), ("chr2", 900)), seed=0):
    """A FASTA file of random letters."""
    rng = np.random.default_rng(seed)
    path = folder / "genome.fa"
    path.write_text("".join(f">{name}\n{''.join(rng.choice(list('ACGT'), n))}\n" for name, n in contigs))
    return path


def write_tracks(folder, seed=1):
    """{name: file} of the two tracks, one a bedGraph and one of fragments."""
    rng = np.random.default_rng(seed)
    atac, dnase = folder / "atac.bedGraph", folder / "dnase.frag"
    with atac.open("w") as out:
        for chrom, size in (("chr1", 3000), ("chr2", 900)):
            for a in range(0, size - 10, 10):
                out.write(f"{chrom}\t{a}\t{a + 10}\t{rng.gamma(1.0, 3.0):.3f}\n")
    with dnase.open("w") as out:
        for chrom, size in (("chr1", 3000), ("chr2", 900)):
            for a in rng.integers(0, size - 60, size // 5):
                out.write(f"{chrom}\t{a}\t{a + rng.integers(10, 60)}\tAAAC\t1\n")
    return {"atac": str(atac), "dnase": str(dnase)}
