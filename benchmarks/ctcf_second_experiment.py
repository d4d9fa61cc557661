"""What limits a network of CTCF peaks: how many a second experiment has too, and how well each kind is told apart.

chrX and chr20 windows of experiment=ctcf, genome-wide bound sequences of another experiment -> shares, AUROC by kind

    python benchmarks/ctcf_second_experiment.py --data FOLDER
"""

from __future__ import annotations

import argparse
import gzip
import re
from pathlib import Path

import numpy as np
from sklearn.metrics import roc_auc_score

import zoo
from zoo.config import compose
from zoo.training.plan import TrainingPlan

RESAMPLES = 1_000


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of experiment=ctcf")
    parser.add_argument("--model", default="ctcf-dilated-cnn")
    arguments = parser.parse_args()
    source = TrainingPlan.of(compose(["experiment=ctcf", f"data.root={arguments.data}"])).source
    bound = bound_regions(arguments.data / "ctcf/CTCF_peaks_100bp.fa.gz")
    for split in ("validation", "test"):
        examples = source.examples(split)
        rows = np.arange(len(examples))
        batch, where = examples.batch(rows), examples.identity(rows)
        label = batch["target/binding"][:, 0] > 0.5
        also = overlaps(where, bound)
        print(
            f"{split}: {int(label.sum()):,} peaks, {also[label].mean():.3f} of them bound in the other experiment, "
            f"as are {also[~label].mean():.3f} of {int((~label).sum()):,} negatives"
        )
        if split == "validation":
            print_auroc(predict(arguments.model, batch["codes"]), label, also)


def bound_regions(path: Path) -> dict[str, np.ndarray]:
    """{contig without chr: (n, 2) starts and ends, 0-based half-open}."""
    regions: dict[str, list[tuple[int, int]]] = {}
    with gzip.open(path, "rt") as lines:
        for contig, start, end in re.findall(r"(?m)^>chr(\w+):(\d+)-(\d+)", lines.read()):  # 0-based half-open: 100 bp
            regions.setdefault(contig, []).append((int(start), int(end)))
    return {contig: np.array(sorted(several)) for contig, several in regions.items()}


def overlaps(where: dict[str, np.ndarray], regions: dict[str, np.ndarray]) -> np.ndarray:
    """(N,) bool: a region overlaps the window."""
    none = np.empty((0, 2), int)
    several = [regions.get(str(contig).removeprefix("chr"), none) for contig in where["chrom"]]
    return np.array(
        [
            bool(((r[:, 0] < end) & (r[:, 1] > start)).any())
            for r, start, end in zip(several, where["start"], where["end"], strict=True)
        ]
    )


def predict(name: str, codes: np.ndarray) -> np.ndarray:
    """(N,) probabilities of CTCF."""
    sequences = ["".join("ACGTN"[i] for i in row) for row in codes]
    return zoo.predict(zoo.load(name), sequences=sequences)["CTCF"].to_numpy(float)


def print_auroc(score: np.ndarray, label: np.ndarray, also: np.ndarray) -> None:
    """AUROC of each kind of peak against all negatives, rows resampled."""
    rng = np.random.default_rng(0)
    kinds = {"all": label, "bound in both": label & also, "bound here alone": label & ~also}
    for name, positive in kinds.items():
        rows = np.flatnonzero(positive | ~label)
        draws = [rng.choice(rows, len(rows)) for _ in range(RESAMPLES)]
        low, high = np.percentile([roc_auc_score(label[d], score[d]) for d in draws], [2.5, 97.5])
        value = roc_auc_score(label[rows], score[rows])
        print(f"  {name:17} {int(positive.sum()):4} peaks  AUROC {value:.3f} [{low:.3f}, {high:.3f}]")


if __name__ == "__main__":
    main()
