"""How much of a planted interaction networks learn: R2 on held-out rows of simulated exons, beside the additive model.

    python benchmarks/grammar_interaction.py --seeds 0 1 2 --folder runs/grammar

Trains `experiment=grammar_simulated` with every seed, unless the folder holds it already, and measures
f(both) - f(one) - f(other) + f(none) on the test rows that hold an enhancer and a silencer.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

import zoo
from zoo.config import compose
from zoo.training.run import train
from zoo_splice.interaction import LearntInteraction, additive_predictor, learnt_interaction, predictor
from zoo_splice.simulated_exons import SimulatedExons


def line(name: str, learnt: LearntInteraction) -> str:
    """One row of the table."""
    return f"{name:12}{learnt.r2:8.3f}  [{learnt.low:.3f}, {learnt.high:.3f}]  n = {learnt.n:,}"


def main() -> None:
    """Train where needed, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--folder", type=Path, default=Path("runs/grammar"))
    options = parser.parse_args()
    source, values = SimulatedExons(), []
    for seed in options.seeds:
        folder = options.folder / str(seed)
        if not (folder / "metrics.json").exists():
            train(compose(["experiment=grammar_simulated", f"seed={seed}", f"output_dir={folder}"]))
        learnt = learnt_interaction(predictor(zoo.load(str(folder / "model"))), source)
        values.append(learnt.r2)
        print(line(f"seed {seed}", learnt), flush=True)
    print(f"{'mean':12}{np.mean(values):8.3f}")
    print(line("additive", learnt_interaction(additive_predictor(source), source)))


if __name__ == "__main__":
    main()
