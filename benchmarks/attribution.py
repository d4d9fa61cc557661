"""Saliency, integrated gradients, DeepLIFT/SHAP of a BPNet-like network: ours beside captum, tangermeme and the limit.

    python benchmarks/attribution.py --repeats 5

The network has 64 channels, 8 dilated layers and 2,114 bp; its weights are random, since only speed and agreement are
measured.  Cases of one method take turns in one process, on one thread; medians are printed, per CPU second.  The
limit is one forward and backward pass of as many rows as the method needs, in one batch, without gradients of the
weights: 8 for saliency of 8 sequences, 20 for integrated gradients with 20 steps, 21 for DeepLIFT/SHAP with 20
references.  References are drawn beforehand for the peers and inside the clock for ours.
"""

from __future__ import annotations

import argparse
import time
import warnings
from importlib.metadata import version

import numpy as np
import torch
from torch import nn

from zoo.fields import Field, Grid
from zoo.interfaces import Encoder, Head
from zoo.layers.one_hot import one_hot
from zoo.model import Model
from zoo.outputs import Output
from zoo.registry import registry
from zoo.spec import ModelSpec

LENGTH, SEQUENCES, STEPS, REFERENCES = 2_114, 8, 20, 20


class Residual(nn.Module):
    def __init__(self, dilation: int):
        super().__init__()
        self.conv, self.relu = nn.Conv1d(64, 64, 3, padding=dilation, dilation=dilation), nn.ReLU()

    def forward(self, x):
        return x + self.relu(self.conv(x))


class Trunk(Encoder):
    out_channels = 64
    receptive_field = 1_041

    def __init__(self):
        super().__init__()
        first = [nn.Conv1d(4, 64, 21, padding=10), nn.ReLU()]
        self.layers = nn.Sequential(*first, *(Residual(2**i) for i in range(1, 9)))

    def grid(self, length):
        return Grid(0, 1, length)

    def forward(self, inputs):
        return self.layers(inputs["one_hot"])


class Counts(Head):
    field = Field("C", channels=("counts",))

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(64, 1)

    def forward(self, embedding, inputs):
        return self.linear(embedding[:, :, 557:-557].mean(2))


class Plain(nn.Module):
    """The same modules as peers take them: one-hot (N, 4, L) to (N, 1)."""

    def __init__(self, model: Model):
        super().__init__()
        self.layers, self.head = model.encoder.layers, model.heads["counts"]

    def forward(self, x):
        return self.head(self.layers(x), {})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(0)
    spec = ModelSpec("bpnet", {"name": "bpnet"}, {"counts": {"name": "counts"}}, LENGTH)
    model = Model(spec, Trunk(), {"counts": Counts()}).eval()
    codes = torch.from_numpy(np.random.default_rng(1).integers(0, 4, (SEQUENCES, LENGTH)).astype(np.uint8))
    print(f"torch {torch.__version__}, {arguments.threads} thread(s), n = {arguments.repeats}, L = {LENGTH:,} bp")
    for method, cases, items in _methods(model, codes):
        _report(method, cases, items, arguments.repeats)


def _methods(model: Model, codes: torch.Tensor):
    plain, x = Plain(model), one_hot(codes).contiguous()
    output = Output.parse("counts", model.spec)

    def limit(rows: int):
        z = x[:1].repeat(rows, 1, 1)

        def run():
            weights = [p for p in plain.parameters() if p.requires_grad]
            for p in weights:
                p.requires_grad_(False)
            leaf = z.clone().requires_grad_()
            plain(leaf).sum().backward()
            for p in weights:
                p.requires_grad_(True)

        return run

    def ours(name: str, n: int, **options):
        interpreter = registry().build("interpreter", name, options)
        return lambda: interpreter.attribute(model, {"codes": codes[:n]}, output).values["one_hot"]

    yield (
        "saliency",
        {
            "limit": limit(SEQUENCES),
            "zoo": ours("input_x_gradient", SEQUENCES, center=False),
            "captum": lambda: _captum().InputXGradient(plain).attribute(x.clone().requires_grad_(), target=0).detach(),
            "tangermeme": lambda: _tangermeme_saliency(plain, x),
        },
        SEQUENCES,
    )
    stepwise = {"n_steps": STEPS, "internal_batch_size": STEPS}
    yield (
        f"integrated gradients, {STEPS} steps",
        {
            "limit": limit(STEPS),
            "zoo": ours("integrated_gradients", 1, steps=STEPS, kind="contribution"),
            "captum": lambda: _captum().IntegratedGradients(plain).attribute(x[:1], target=0, **stepwise),
        },
        1,
    )
    from zoo_attribution.references import reference_codes

    drawn = torch.from_numpy(reference_codes(codes[0].numpy(), "dinucleotide", REFERENCES, 0))
    references = one_hot(drawn).contiguous()
    yield (
        f"DeepLIFT/SHAP, {REFERENCES} references",
        {
            "limit": limit(REFERENCES + 1),
            "zoo": ours("deeplift_shap", 1, n_references=REFERENCES, kind="contribution"),
            "captum": lambda: _captum().DeepLiftShap(plain).attribute(x[:1], references, target=0),
            "tangermeme": lambda: _tangermeme_dls(plain, x[:1], references[None]),
        },
        1,
    )


def _captum():
    import captum.attr

    return captum.attr


def _tangermeme_saliency(module: nn.Module, x: torch.Tensor) -> torch.Tensor:
    from tangermeme.saliency import saliency

    return saliency(module, x, batch_size=len(x), device="cpu", gradient_correction=False)


def _tangermeme_dls(module: nn.Module, x: torch.Tensor, references: torch.Tensor) -> torch.Tensor:
    from tangermeme.deep_lift_shap import deep_lift_shap

    n = references.shape[1]
    return deep_lift_shap(module, x, references=references, n_shuffles=n, batch_size=n, device="cpu")


def _report(method: str, cases: dict, items: int, repeats: int) -> None:
    spent: dict[str, list[float]] = {name: [] for name in cases}
    found, absent = {}, {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for turn in range(repeats + 1):
            for name, run in cases.items():
                if name in absent:
                    continue
                began = time.process_time()
                try:
                    found[name] = run()
                except ImportError as error:
                    absent[name] = str(error)
                    continue
                if turn:
                    spent[name].append(time.process_time() - began)
    print(f"\n{method}\n{'':12}{'sequences/CPU s':>18}{'x limit':>10}{'largest difference to zoo':>28}")
    fastest = float(np.median(spent["limit"]))
    for name in cases:
        if name in absent:
            print(f"{name:12}absent: {absent[name]}")
            continue
        seconds = float(np.median(spent[name]))
        label = name if name in ("zoo", "limit") else f"{name} {version(name)}"
        told = "" if name == "limit" else f"{_difference(found, name):.2g}"
        print(f"{label:18}{items / seconds:>12.3f}{fastest / seconds:>10.2f}{told:>28}")
    for name in cases:
        if name not in ("zoo", "limit") and spent[name]:
            print(f"zoo / {name}: {float(np.median(spent[name])) / float(np.median(spent['zoo'])):.2f}")


def _difference(found: dict, name: str) -> float:
    """Of the scores of bases, relative to the largest."""
    own = found["zoo"].detach().sum(1)
    other = found[name].detach()
    other = other.sum(1) if other.shape[1] == 4 else other
    return float((own - other).abs().max() / own.abs().max())


if __name__ == "__main__":
    main()
