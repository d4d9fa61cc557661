"""A network of SpliceAI's shape in a file of PyTorch, in the names of `splice_residual`.

WeightFile, names of its layers -> {"encoder.towers.0.stages.0.0.convolution1.weight": tensor, ...}
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from zoo.importing.weight_file import WeightFile
from zoo_splice.networks.specification import ENCODER

NORM = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")


@dataclass(frozen=True)
class LayerNames:
    """What another program calls the layers; {unit} is a residual block, {i} 1 or 2 in it, {skip} the skip of a stage.

    step: by how much the number of a block grows from one stage to the next.
    skip_step: the same of the skips, and `skip_start` the number of the first.
    """

    first: str
    first_skip: str
    convolution: str
    norm: str
    skip: str
    step: int
    skip_step: int
    skip_start: int

    def stages(self, file: WeightFile) -> int:
        """How many stages of blocks a file has, at most as many as SpliceAI-10k."""
        held = [file.holds(f"{self.skip_of(stage)}.weight") for stage in range(len(ENCODER["kernels"]))]
        return sum(held)

    def skip_of(self, stage: int) -> str:
        """Name of the skip behind a stage."""
        return self.skip.format(skip=self.skip_start + self.skip_step * stage)


def take_network(file: WeightFile, names: LayerNames, stages: int, tower: int = 0) -> dict[str, Tensor]:
    """Every tensor before the last layer of a network of so many stages; ZooError where one is missing or too large."""
    channels, blocks = ENCODER["channels"], ENCODER["blocks"]
    weights: dict[str, Tensor] = {}

    def convolution(ours: str, theirs: str, width: int, inputs: int = channels) -> None:
        weights[f"encoder.towers.{tower}.{ours}.weight"] = file.take(f"{theirs}.weight", channels, inputs, width)
        weights[f"encoder.towers.{tower}.{ours}.bias"] = file.take(f"{theirs}.bias", channels)

    convolution("first", names.first, 1, 4)
    convolution("first_skip", names.first_skip, 1)
    for stage, width in enumerate(ENCODER["kernels"][:stages]):
        for block in range(blocks):
            for i in (1, 2):
                unit = names.step * stage + block
                convolution(f"stages.{stage}.{block}.convolution{i}", names.convolution.format(unit=unit, i=i), width)
                norm, theirs = (
                    f"encoder.towers.{tower}.stages.{stage}.{block}.norm{i}",
                    names.norm.format(unit=unit, i=i),
                )
                for part in NORM:
                    shape = () if part == "num_batches_tracked" else (channels,)
                    weights[f"{norm}.{part}"] = file.take(f"{theirs}.{part}", *shape)
        convolution(f"skips.{stage}", names.skip_of(stage), 1)
    return weights
