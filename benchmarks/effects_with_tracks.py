"""Effects of substitutions on models that read a track beside the sequence: carried beside computed in full.

    python benchmarks/effects_with_tracks.py

The towers of sequence are those of a BPNet (64 channels, eight dilated layers, 2,112 bp).  `joined` joins it with
convolutions of a track at 32-bp bins, which are upsampled; `multi_modal` is the plugin's encoder, joined by attention.
`naive` runs the model on mutants in one batch; `in full` is what zoo does without a rule, in small batches.
All ways run in this process in turn, on mutants spaced evenly over the window; rates are per CPU second, because the
machine may be shared, and without what is done once (recording the model, compiling).  Every effect is held against
full inference in float64.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor, nn

from zoo.data.edits import Edits
from zoo.effects.engine.incremental import incremental
from zoo.fields import ONE_HOT, Field, Grid
from zoo.heads.scalar import ScalarHead
from zoo.interfaces import Encoder
from zoo.model import Model
from zoo.outputs import Output
from zoo.spec import ModelSpec

LENGTH, BIN = 2_112, 32


class Joined(Encoder):
    """A dilated network of the sequence beside convolutions of a track."""

    def __init__(self) -> None:
        super().__init__()
        from zoo_dilated_cnn.encoder import DilatedCNN

        self.inputs = {"one_hot": ONE_HOT, "signal": Field("CT", channels=("atac",), bin_size=BIN, transform="log1p")}
        self.out_channels, self.receptive_field = 64, None
        self.sequence = DilatedCNN()
        self.track = nn.Sequential(
            nn.Conv1d(1, 16, 5, padding=2), nn.ReLU(), nn.Conv1d(16, 16, 5, padding=2), nn.ReLU()
        )
        self.join = nn.Conv1d(80, 64, 1)

    def grid(self, length: int) -> Grid:
        """One position a base."""
        return Grid(0, 1, length)

    def forward(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """inputs: {one_hot (N, 4, L), signal (N, 1, T)} -> (N, 64, L)."""
        track = self.track(inputs["signal"]).repeat_interleave(BIN, 2)
        return torch.relu(self.join(torch.cat([self.sequence(inputs), track], 1)))


def _multi_modal() -> Encoder:
    from zoo_multimodal.encoder import MultiModalTowers

    return MultiModalTowers(layers=8, pool=4, signal={"channels": ["atac"], "bin_size": BIN, "transform": "log1p"})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mutants", type=int, default=600, help="carried in a turn (600)")
    parser.add_argument("--full", type=int, default=64, help="computed in full in a turn (64)")
    parser.add_argument("--repeats", type=int, default=3)
    args = parser.parse_args()
    torch.set_num_threads(1)
    for name, build in {"joined": Joined, "multi_modal": _multi_modal}.items():
        try:
            encoder = build()
        except ImportError as error:
            print(f"{name}: absent ({error})")
            continue
        _measure(name, encoder, args)


def _measure(name: str, encoder: Encoder, args: argparse.Namespace) -> None:
    torch.manual_seed(0)
    head = ScalarHead(in_channels=encoder.out_channels, tasks=("bound",))
    model = Model(ModelSpec(name, {"name": name}, {"binding": {"name": "scalar"}}, LENGTH), encoder, {"binding": head})
    model.eval()
    output = Output.parse("bound", model.spec)
    codes = np.random.default_rng(1).integers(0, 4, (1, LENGTH)).astype(np.uint8)
    inputs = {"signal": torch.rand(1, 1, LENGTH // BIN)}
    every = Edits.substitutions(codes)
    many, few = (every[np.linspace(0, len(every) - 1, n).astype(int)] for n in (args.mutants, args.full))
    optional = {k: tuple(x.shape[1:]) for k, x in inputs.items() if not model.input_fields[k].required}
    since = time.process_time()
    engine = incremental(model, output, optional=optional)
    engine.effects(codes, few, inputs=inputs)
    once = time.process_time() - since
    rates: dict[str, list[float]] = {"carried": [], "naive": [], "in full": []}
    beside = {k: x.expand(len(few), *x.shape[1:]) for k, x in inputs.items()}
    batch = {"codes": torch.from_numpy(few.apply(codes)), **beside}
    for _ in range(args.repeats):
        since = time.process_time()
        effects = engine.effects(codes, many, inputs=inputs)
        rates["carried"].append(len(many) / (time.process_time() - since))
        since = time.process_time()
        with torch.inference_mode():
            output.of(model, batch)
        rates["naive"].append(len(few) / (time.process_time() - since))
        since = time.process_time()
        engine.full(few.apply(codes), beside)
        rates["in full"].append(len(few) / (time.process_time() - since))
    exact = incremental(model, output, carry=False, dtype=torch.float64, optional=optional)
    sample = np.arange(0, len(many), max(1, len(many) // 16))
    true = exact.effects(codes, many[sample], inputs=inputs)
    error = float((effects[torch.from_numpy(sample)].double() - true).abs().max() / true.abs().max())
    carried, naive, full = (statistics.median(r) for r in rates.values())
    ratios = [
        statistics.median(a / b for a, b in zip(rates["carried"], rates[k], strict=True)) for k in ("naive", "in full")
    ]
    print(f"{name}: mutants per CPU second {carried:,.0f} carried, {naive:,.1f} naive, {full:,.1f} in full")
    print(f"  {ratios[0]:.1f} times naive, {ratios[1]:.1f} times in full (n = {args.repeats} turns), {once:.1f} s once")
    print(f"  largest error {error:.1g} of the largest effect; {engine.report}", flush=True)


if __name__ == "__main__":
    main()
