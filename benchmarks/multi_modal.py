"""What multi-modal models make of planted signals: python benchmarks/multi_modal.py --seeds 0 1 2

Trains experiment=simulated_multimodal (three cell types, the third never trained) and
experiment=simulated_distant_signal (a signal 400 bp away counts, and where the motif stands at the centre) once for
each seed, on one thread, and prints what zoo_multimodal.simulation.planted_truth measures on the test rows.
"""

from __future__ import annotations

import argparse
import tempfile

import zoo
from zoo_multimodal.simulation.cells import SimulatedCells
from zoo_multimodal.simulation.distant_signal import SimulatedDistantSignal
from zoo_multimodal.simulation.planted_truth import accuracy_in_unseen_cell, attention_at_peak

EXPERIMENTS = {
    "simulated_multimodal": lambda model: accuracy_in_unseen_cell(model, SimulatedCells()),
    "simulated_distant_signal": lambda model: attention_at_peak(model, SimulatedDistantSignal()),
}


def main() -> None:
    """Train and measure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--experiments", nargs="+", choices=list(EXPERIMENTS), default=list(EXPERIMENTS))
    arguments = parser.parse_args()
    for name in arguments.experiments:
        for seed in arguments.seeds:
            with tempfile.TemporaryDirectory() as folder:
                changes = [f"seed={seed}", f"output_dir={folder}/run", "trainer.threads=1"]
                result = zoo.train(zoo.compose([f"experiment={name}", *changes]))
                numbers = EXPERIMENTS[name](zoo.load(str(result.model_folder)))
            shown = ", ".join(f"{key} {value:.4g}" for key, value in numbers.items())
            print(f"{name}, seed {seed}: {shown}", flush=True)


if __name__ == "__main__":
    main()
