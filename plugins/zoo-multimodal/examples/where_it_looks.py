"""A signal 400 bp off the centre counts where the motif stands at the centre: does the attention lie on it?

python examples/where_it_looks.py
"""

import numpy as np
import torch
from torch.nn import functional

from zoo.model import build
from zoo.registry import registry
from zoo.spec import ModelSpec
from zoo_multimodal.attention_weights import attention_weights
from zoo_multimodal.simulation.distant_signal import SimulatedDistantSignal


def train(source: SimulatedDistantSignal, epochs: int):
    """A small model with towers for sequence and signal, trained on the source."""
    torch.manual_seed(0)
    arguments = {"channels": 16, "layers": 1, "sequence_window": 64, "heads": 2, "modality_dropout": 0.0}
    encoder = {"name": "multi_modal", **registry().resolve("encoder", "multi_modal", arguments)}
    encoder["signal"] = source.inputs["signal"].to_dict()
    head = registry().resolve("head", "scalar", {}, {"in_channels": 32, "tasks": ["bound"]})
    model = build(ModelSpec("towers", encoder, {"bound": {"name": "scalar", **head}}, source.input_length))
    examples, optimizer = source.examples("train"), torch.optim.Adam(model.parameters(), lr=5e-3)
    rng = np.random.default_rng(0)
    for _ in range(epochs):
        for rows in np.array_split(rng.permutation(len(examples)), len(examples) // 50):
            batch = {key: torch.from_numpy(x) for key, x in examples.batch(rows).items()}
            loss = functional.binary_cross_entropy_with_logits(model(batch)["bound"], batch["target/bound"])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return model.eval()


if __name__ == "__main__":
    source = SimulatedDistantSignal(n_train=1_000, n_test=200)
    model = train(source, epochs=4)
    batch = {key: torch.from_numpy(x) for key, x in source.examples("test").batch(np.arange(200)).items()}
    weights = attention_weights(model, batch)
    off = np.abs(np.abs(weights.signal_distance) - source.distance) < weights.signal_bin
    mean = weights.signal.mean((0, 1))[0]
    print(f"a bin of the signal {source.distance} bp off the centre has {mean[off].mean() / mean[~off].mean():.1f} "
          f"times the weight of another")  # fmt: skip
