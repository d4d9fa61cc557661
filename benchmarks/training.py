"""Sequences a second of `zoo train` beside a bare eager torch loop, and whether both see the same losses.

    python benchmarks/training.py --losses 50

One BPNet-like network (64 channels, 8 dilated layers, 2,114 bp, a profile and a counts head), batch 64, Adam, on the
CPU with 2 threads.  Steps interleave: the bare loop takes a batch, then ours takes the same batch, so that both
meet the same load of the machine.  CPU seconds are those of this process; they hold on a machine that is shared.
"""

from __future__ import annotations

import argparse
import copy
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

import lightning.pytorch as pl
import numpy as np
import torch
from torch.nn import functional

from zoo.data.source import Examples, Source
from zoo.fields import Field
from zoo.layers.channels_last import channels_last
from zoo.layers.one_hot import one_hot
from zoo.training.plan import TrainingPlan
from zoo.training.run_folder import RunFolder
from zoo.training.settings import TrainerSettings
from zoo.training.trainer import fit, make_trainer


class Windows(Source):
    """Random sequence with reads that follow its G."""

    def __init__(self, n: int, length: int):
        self.input_length = length
        self.targets = {"profile": Field("CT", channels=("reads",), values="count"), "counts": Field("C", ("log",))}
        self._n = n

    def examples(self, split: str) -> Examples:
        """Only the training split has any."""
        return _Windows(self._n if split == "train" else 0, self.input_length)

    def describe(self) -> dict:
        """Nothing to tell."""
        return {}


class _Windows(Examples):
    def __init__(self, n: int, length: int):
        self.lengths = np.full(n, length)
        generator = np.random.default_rng(0)
        self._codes = generator.integers(0, 4, (n, length)).astype(np.uint8)
        self._reads = generator.poisson(0.2 + 0.5 * (self._codes == 2)).astype(np.float32)[:, None]

    def batch(self, indices: np.ndarray, margin: int = 0) -> dict[str, np.ndarray]:
        reads = self._reads[indices]
        return {"codes": self._codes[indices], "target/profile": reads, "target/counts": np.log1p(reads.sum(2))}


class BareLoop:
    """What one writes by hand: one-hot, forward, mean losses, backward, Adam."""

    def __init__(self, model: torch.nn.Module, lr: float):
        self.model = model
        self.optimizer = torch.optim.Adam(model.parameters(), lr=lr)

    def step(self, batch: dict[str, torch.Tensor]) -> float:
        self.optimizer.zero_grad()
        embedding = self.model.encoder({"one_hot": one_hot(batch["codes"]).contiguous()})
        heads = self.model.heads
        profile, counts = heads["profile"](embedding, {}), heads["counts"](embedding, {})
        loss = functional.poisson_nll_loss(profile, batch["target/profile"]) + functional.mse_loss(
            counts, batch["target/counts"]
        )
        loss.backward()
        self.optimizer.step()
        return loss.item()


class Beside(pl.Callback):
    """Takes each batch through the bare loop first, and keeps both clocks."""

    def __init__(self, bare: BareLoop):
        self.bare = bare
        self.losses, self.times = [], {"bare": [], "ours": []}
        self._since = None

    def on_train_batch_start(self, trainer, module, batch, batch_idx) -> None:
        self._stop()
        since = _clock()
        loss = self.bare.step(batch)
        self.times["bare"].append(_clock() - since)
        self.losses.append([loss])
        self._since = _clock()

    def on_train_batch_end(self, trainer, module, outputs, batch, batch_idx) -> None:
        ours = module.last_loss
        self.losses[-1].append(ours)
        wall = [t[-1][0] for t in self.times.values() if t]
        print(f"step {batch_idx + 1}: bare {wall[0]:.2f} s", end="\r", file=sys.stderr)

    def on_train_epoch_end(self, trainer, module) -> None:
        self._stop()

    def _stop(self) -> None:
        if self._since is not None:
            self.times["ours"].append(_clock() - self._since)
            self._since = None


def _clock() -> np.ndarray:
    """Wall and CPU seconds."""
    return np.array([time.perf_counter(), time.process_time()])


def main() -> int:
    """Print the table; 1 where the losses part."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--losses", type=int, default=5, help="steps that are timed and compared (default 5)")
    parser.add_argument("--length", type=int, default=2114, help="bp of a window")
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--lr", type=float, default=1e-3)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    config = {
        "encoder": {"name": "dilated_cnn"},
        "heads": {"profile": {"name": "profile", "kernel": 75}, "counts": {"name": "scalar"}},
        "objectives": {"profile": {"name": "poisson"}, "counts": {"name": "squared_error"}},
        "optimizer": {"lr": arguments.lr},
    }
    source = Windows(arguments.losses * arguments.batch_size, arguments.length)
    settings = TrainerSettings(
        max_epochs=1, batch_size=arguments.batch_size, log_every=1, logger="none", bar=False, patience=0
    )
    torch.manual_seed(0)
    plan = TrainingPlan.of(config, source)
    beside = Beside(BareLoop(copy.deepcopy(plan.model).train(), arguments.lr))
    channels_last(plan.model)
    module = plan.module(settings)
    with tempfile.TemporaryDirectory() as folder:
        run = RunFolder(Path(folder))
        run.checkpoints.mkdir()
        trainer = make_trainer(settings, run, module)
        trainer.callbacks.append(beside)
        fit(trainer, module, run)

    print(f"\n{'':24s}{'sequences/s':>14s}{'per CPU s':>12s}")
    rates = {}
    for name, times in beside.times.items():
        wall, cpu = (statistics.median(t[i] for t in times) for i in (0, 1))
        rates[name] = arguments.batch_size / wall, arguments.batch_size / cpu
        label = {"bare": "bare eager loop", "ours": f"zoo (micro-batch {module.micro_rows})"}[name]
        print(f"{label:24s}{rates[name][0]:14.1f}{rates[name][1]:12.1f}")
    ratios = [rates["ours"][i] / rates["bare"][i] for i in (0, 1)]
    print(f"{'ratio':24s}{ratios[0]:14.2f}{ratios[1]:12.2f}")
    apart = max(abs(a - b) for a, b in beside.losses)
    print(
        f"n = {arguments.losses} steps of {arguments.batch_size}, {arguments.length:,} bp, "
        f"{arguments.threads} threads, medians, load {os.getloadavg()[0]:.1f}, torch {torch.__version__}"
    )
    print(f"losses {beside.losses[0][0]:.4f} to {beside.losses[-1][0]:.4f}, largest difference {apart:.1e}")
    return int(apart > 1e-3)


if __name__ == "__main__":
    sys.exit(main())
