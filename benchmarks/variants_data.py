"""What the benchmarks of variants read: a genome of random letters, VCFs, and a network like BPNet."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import nn

__all__ = ["LENGTH", "Network", "load_network", "make_genome", "make_model", "make_vcf", "read_vcf"]

LENGTH = 2114
CHANNELS, LAYERS = 64, 8
LONGEST = 10


def make_genome(path: Path, bp: int, seed: int = 0) -> str:
    """Write one contig, chr1, of 60 letters a line; the letters."""
    letters = np.frombuffer(b"ACGT", np.uint8)[np.random.default_rng(seed).integers(0, 4, bp // 60 * 60)]
    lines = np.hstack([letters.reshape(-1, 60), np.full((len(letters) // 60, 1), 10, np.uint8)])
    path.write_bytes(b">chr1\n" + lines.tobytes())
    return letters.tobytes().decode()


def make_vcf(path: Path, letters: str, places: np.ndarray, indels: float = 0.0, seed: int = 0) -> None:
    """Write a variant at each place (0-based), in its normal spelling: SNVs, and a share of short indels."""
    rng = np.random.default_rng(seed)
    chosen, size, turn = (
        rng.random(len(places)),
        rng.integers(1, LONGEST + 1, len(places)),
        rng.integers(1, 4, len(places)),
    )
    with path.open("w") as file:
        file.write(f"##fileformat=VCFv4.3\n##contig=<ID=chr1,length={len(letters)}>\n")
        file.write("#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n")
        for at, c, n, t in zip(places.tolist(), chosen.tolist(), size.tolist(), turn.tolist(), strict=True):
            ref = letters[at]
            other = "ACGT"[("ACGT".index(ref) + t) % 4]
            # An indel that ends in another base than its anchor cannot be moved to the left.
            while letters[at + n] == ref:
                n += 1
            gone, more = letters[at : at + n + 1], ref + letters[at + 1 : at + n] + other
            ref, alt = (ref, other) if c >= indels else (gone, ref) if c < indels / 2 else (ref, more)
            file.write(f"chr1\t{at + 1}\t.\t{ref}\t{alt}\t.\tPASS\t.\n")


def read_vcf(path: Path) -> list[tuple[str, int, str, str]]:
    """(contig, position from 0, REF, ALT) of every record, each of one alternate allele."""
    cells = (line.split("\t", 5) for line in path.read_text().splitlines() if not line.startswith("#"))
    return [(c[0], int(c[1]) - 1, c[3], c[4]) for c in cells]


class Network(nn.Module):
    """The encoder `dilated_cnn` and a scalar head, as plain torch."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv1d(4, CHANNELS, 21, padding=10)
        dilations = [2 * 2**i for i in range(LAYERS)]
        self.blocks = nn.ModuleList(nn.Conv1d(CHANNELS, CHANNELS, 3, padding=d, dilation=d) for d in dilations)
        self.dense = nn.Linear(CHANNELS, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """x: (N, 4, L) -> (N, 1)."""
        x = torch.relu(self.first(x))
        for block in self.blocks:
            x = x + torch.relu(block(x))
        return self.dense(x.mean(2))


def make_model(folder: Path) -> None:
    """Write the folder `model`, and its weights for a plain `Network`."""
    from zoo.hub.model_folder import save_bundle
    from zoo.model import build
    from zoo.spec import ModelSpec

    torch.manual_seed(0)
    encoder = {"name": "dilated_cnn", "channels": CHANNELS, "layers": LAYERS}
    head = {"name": "scalar", "in_channels": CHANNELS, "tasks": ["counts"]}
    model = build(ModelSpec("bpnet-like", encoder, {"counts": head}, LENGTH))
    save_bundle(model, folder / "model", {"codes": torch.randint(0, 4, (2, LENGTH), dtype=torch.uint8)})
    torch.save([p.detach() for p in model.parameters()], folder / "weights.pt")


def load_network(folder: Path) -> Network:
    """The network with the weights of `make_model`."""
    network = Network()
    with torch.no_grad():
        for own, weights in zip(network.parameters(), torch.load(folder / "weights.pt"), strict=True):
            own.copy_(weights)
    return network.eval()
