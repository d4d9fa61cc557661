"""Greedy design, 20 edits of sequences of 165 bp: ours beside tangermeme's greedy substitution and a plain loop.

    python benchmarks/design_speed.py --n 100 --naive 10

Two networks with random weights: convolutions that see 26 bp, and one with a recurrent layer.  Cases take turns in one
process and thread; the unit is designs per CPU second.  The plain loop runs all 3 L mutants of every step in batches of
512.  The peers, which do one sequence after another, design the first `--naive` of the sequences; all three must give
the same sequences, or the share that differs is printed (effects that are equal to float32's rounding may be taken in
another order).
"""

from __future__ import annotations

import argparse
import os
import time
import warnings
from importlib.metadata import version

# The peer's compiled loops start numba's OpenMP threads, which also sets how many torch uses, whatever it was told.
os.environ["NUMBA_NUM_THREADS"] = "1"

import numpy as np
import torch
from tangermeme.design import greedy_substitution
from torch import Tensor, nn
from torch.nn import functional

from zoo.config import compose
from zoo.data.codes import decode
from zoo.model import Model
from zoo.training.plan import TrainingPlan
from zoo_design.objective import Objective
from zoo_design.run import design
from zoo_design.search.settings import Settings
from zoo_design.starts import Start

LENGTH, EDITS, BATCH = 165, 20, 512
NETWORKS = {
    "convolutions, 26 bp": ["encoder=residual_cnn", "encoder.filters=64"],
    "with a recurrent layer": ["encoder=cnn_rnn_attention"],
}


class Plain(nn.Module):
    """one-hot (N, 4, L) -> the objective (N, 1), as peers call a model."""

    def __init__(self, objective: Objective):
        super().__init__()
        self.objective = objective
        self.model = next(iter(objective.models.values()))

    def forward(self, x: Tensor) -> Tensor:
        """One number a sequence."""
        return self.objective.of_one_hot(x.float())[:, None]


def main() -> None:
    """Print designs per CPU second and their ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, default=100, help="sequences")
    parser.add_argument("--naive", type=int, default=5, help="of them for the peers")
    parser.add_argument("--edits", type=int, default=EDITS)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    print(f"tangermeme {version('tangermeme')}, torch {torch.__version__}, n = {arguments.n} and {arguments.naive}")
    codes = np.random.default_rng(0).integers(0, 4, (arguments.n, LENGTH)).astype(np.uint8)
    for name, words in NETWORKS.items():
        objective = Objective.parse("CTCF:raw", {"network": network(words)})
        ours, own = timed(lambda o=objective: zoo_designs(o, codes, arguments.edits))
        few = codes[: arguments.naive]
        theirs, peer = timed(lambda o=objective, x=few: tangermeme_designs(o, x, arguments.edits))
        plain, naive = timed(lambda o=objective, x=few: plain_loop(o, x, arguments.edits))
        rates = [arguments.n / ours, arguments.naive / theirs, arguments.naive / plain]
        differ = (
            sum(a != b for a, b in zip(own, naive, strict=False)),
            sum(a != b for a, b in zip(own, peer, strict=False)),
        )
        print(
            f"{name}: zoo {rates[0]:.3g}, tangermeme {rates[1]:.3g}, plain loop {rates[2]:.3g} designs per CPU second; "
            f"zoo / tangermeme {rates[0] / rates[1]:.1f}, zoo / plain loop {rates[0] / rates[2]:.1f}; "
            f"other sequences than the plain loop {differ[0]}, than tangermeme {differ[1]} of {arguments.naive}"
        )
    if torch.get_num_threads() != 1:
        raise SystemExit(f"torch ended with {torch.get_num_threads()} threads: these rates are not of one")


def network(words: list[str]) -> Model:
    """Random weights, of seed 0."""
    torch.manual_seed(0)
    config = compose(["data=simulated", f"data.length={LENGTH}", "data.n_train=64", "strand=none", *words])
    return TrainingPlan.of(config).model.eval()


def timed(run) -> tuple[float, list[str]]:
    """CPU seconds of a second call, and its result."""
    run()
    began = time.process_time()
    result = run()
    return time.process_time() - began, result


def zoo_designs(objective: Objective, codes: np.ndarray, edits: int) -> list[str]:
    """All sequences side by side."""
    starts = [Start(f"s{i}", decode(row)) for i, row in enumerate(codes)]
    return [one.sequence for one in design(starts, objective, (), Settings("greedy", edits=edits))]


def tangermeme_designs(objective: Objective, codes: np.ndarray, edits: int) -> list[str]:
    """One sequence after another; single letters, the strongest response."""
    model, designs = Plain(objective).eval(), []
    for row in codes:
        x = functional.one_hot(torch.from_numpy(row[None]).long(), 4).transpose(1, 2).float()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            x = greedy_substitution(
                model, x, reverse_complement=False, max_iter=edits, batch_size=BATCH, device="cpu", tol=-np.inf
            )
        designs.append(decode(x[0].argmax(0).numpy().astype(np.uint8)))
    return designs


@torch.no_grad()
def plain_loop(objective: Objective, codes: np.ndarray, edits: int) -> list[str]:
    """All 3 L mutants of every step."""
    model, designs = Plain(objective).eval(), []
    for row in codes:
        row = row.copy()
        for _ in range(edits):
            position, base = (row[:, None] != np.arange(4)).nonzero()
            mutants = np.repeat(row[None], len(base), 0)
            mutants[np.arange(len(base)), position] = base
            values = []
            for i in range(0, len(mutants), BATCH):
                x = functional.one_hot(torch.from_numpy(mutants[i : i + BATCH]).long(), 4).transpose(1, 2).float()
                values.append(model(x)[:, 0].numpy())
            best = int(np.concatenate(values).argmax())
            row[position[best]] = base[best]
        designs.append(decode(row))
    return designs


if __name__ == "__main__":
    main()
