"""The heteroscedastic objective against squared error where replicates differ in quality, on test rows without noise.

    python benchmarks/unequal_replicates.py [--seeds 3] [--set data.noise.replicates=3 ...]

Every seed simulates its own rows and trains `experiment=simulated_replicates` with both objectives.  A line a seed:
Pearson of both, and their paired difference with its bootstrap interval over the test rows.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import tempfile
from pathlib import Path

import zoo
from zoo.config import compose
from zoo.evaluation.model_comparison import compare_models
from zoo.training.plan import TrainingPlan
from zoo.training.run import train


def main() -> int:
    """Train, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--set", nargs="*", default=[], help="further words of `zoo train`")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(args.seeds):
            print(compare_objectives(Path(folder), seed, args.set), flush=True)
    return 0


def compare_objectives(folder: Path, seed: int, further: list[str]) -> str:
    """One seed of data and training, as a line."""
    words = [
        "experiment=simulated_replicates",
        f"seed={seed}",
        f"data.seed={seed}",
        "evaluation.bootstrap=20",
        *further,
    ]
    models = []
    for objective in ("heteroscedastic", "squared_error"):
        run = compose([*words, f"objective={objective}", f"output_dir={folder}/{objective}_{seed}"])
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            models.append(zoo.load(str(train(run).model_folder)))
    source = TrainingPlan.of(compose(words)).source
    rows = compare_models(models[0], {"squared_error": models[1]}, source).rows
    (row,) = [r for r in rows if r["metric"] == "pearson"]
    interval = f"{row['difference']:+.3f} [{row['low']:.3f}, {row['high']:.3f}]"
    return (
        f"seed {seed}  heteroscedastic {row['value']:.3f}  squared_error {row['other_value']:.3f}  "
        f"difference {interval}  n = {row['n']:,}"
    )


if __name__ == "__main__":
    raise SystemExit(main())
