"""How far the letters of a splice site go: a matrix and a Markov chain on genes whose decoys look like sites.

python examples/what_a_site_says.py
"""

import numpy as np

from zoo.evaluation.metrics import metrics_for
from zoo_splice.simulated_genes import SimulatedSpliceSites

if __name__ == "__main__":
    for decoys in (0, 1):
        source = SimulatedSpliceSites(n_train=100, n_test=40, decoys=decoys)
        examples = source.examples("test")
        batch = examples.batch(np.arange(len(examples)))
        labels = np.where(batch["weight/splice"] > 0, batch["target/splice"], np.nan)
        auprc = next(metric for metric in metrics_for(source.targets["splice"]) if metric.name == "auprc")
        for baseline in source.baselines("splice"):
            score = baseline.features(batch["codes"])
            values = [float(auprc.function(labels[:, k], score[:, k], np.ones((1, len(labels))))[0]) for k in (0, 1)]
            print(f"decoys {decoys}, {baseline.name}: AUPRC {values[0]:.2f} of acceptors, {values[1]:.2f} of donors")
