"""A ChromBPNet in bpnet-lite's names -> a model folder -> what a substitution does, with and without the bias.

The weights are random: this shows the way, not biology.
"""

import numpy as np
import torch

import zoo
from zoo.importing.import_model import import_model


def bpnet(filters: int, layers: int) -> dict[str, torch.Tensor]:
    """Random weights as bpnet-lite names them."""
    layer = {f"rconvs.{i}": (filters, filters, 3) for i in range(layers)}
    shapes = {"iconv": (filters, 4, 21), **layer, "fconv": (1, filters, 75), "linear": (1, filters)}
    weights = {f"{name}.weight": 0.2 * torch.randn(shape) for name, shape in shapes.items()}
    return weights | {f"{name}.bias": torch.zeros(shape[0]) for name, shape in shapes.items()}


torch.manual_seed(0)
parts = {"accessibility": bpnet(8, 4), "bias": bpnet(4, 2)}
state = {f"{part}.{name}": x for part, weights in parts.items() for name, x in weights.items()}
torch.save(state, "chrombpnet.torch")
report = import_model(["chrombpnet.torch"], "chrombpnet", "chrombpnet", settings={"length": 400, "output_length": 200})
print(f"{report.used} tensors are mapped, {len(report.left_out)} left out")

model = zoo.load("./chrombpnet")
sequence = "".join(np.random.default_rng(0).choice(list("ACGT"), 400))
for output in ("counts:raw", "counts_with_bias:raw"):
    effects = zoo.mutate(model, sequence, output=output, start=190, end=210)
    print(f"{output}: the strongest of 60 substitutions changes it by {effects.abs().max().item():.4f}")
