"""Choose the learning rate and the filter width of a small network on simulated data, and look at what was tried.

python examples/tune_a_motif_cnn.py
"""

import tempfile
from pathlib import Path

from zoo_tune.leaderboard import table
from zoo_tune.tune import open_study, tune

SPACE = """
optimizer.lr: {low: 1e-3, high: 3e-2, log: true}
encoder.width: {choices: [9, 15]}
"""

SMALL = [
    *("data.n_train=200", "data.n_validation=100", "data.n_test=100", "data.length=40", "encoder=motif_cnn"),
    *("encoder.filters=8", "trainer.max_epochs=2", "trainer.logger=none", "evaluation.bootstrap=10", "name=mine"),
]


def main() -> None:
    """Three trials, the default first; the best of them beside the default on the test split."""
    with tempfile.TemporaryDirectory() as folder:
        space = Path(folder) / "space.yaml"
        space.write_text(SPACE)
        study, _ = open_study(SMALL, storage=Path(folder) / "search", search_file=space)
        tune(study, minutes=None, trials=3, confirm=0)
        print(table(study))


if __name__ == "__main__":
    main()
