"""Does the network know which two sites work together, 60 to 120 bp apart, and does its attention show it?

    python benchmarks/distal_pair.py [--seeds 3] [--set trainer.max_epochs=12 ...]

Every seed simulates rows and trains `experiment=simulated_distal_pair` and, on the same rows, a network of convolutions
with as many weights, which have no recurrent layer and no attention but know their place.  A line a network:

interaction   R2 of f(both sites) - f(first) - f(second) + f(neither) against what was planted, over the test rows that
              hold both; in place of a site that is taken away stands random background
attribution   share of the arranged rows in which the contributions that change most when the first site is taken away
              lie on the second, 60 to 120 bp away; contributions are gradient times sequence, in bins of 8 bp
attention     likewise, where the positions of the first site look outside of its neighbourhood (30 bp), or those of the
              second; the head that does so most often on validation rows
"""

from __future__ import annotations

import argparse
import contextlib
import io
import tempfile
from pathlib import Path

import numpy as np
import torch

import zoo
from zoo.config import compose
from zoo.data.motif_pair import stands_as
from zoo.data.sources.simulation import Simulated
from zoo.training.plan import TrainingPlan
from zoo.training.run import train
from zoo_cnn_rnn_attention.attention_weights import attention_weights

BIN = 8
NEAR = 30
CNN = ["encoder.hidden=0", "encoder.heads=0", "encoder.position=true", "encoder.layers=3", "encoder.filters=40"]


def train_on_pairs(folder: Path, seed: int, further: list[str]) -> tuple[zoo.Model, Simulated]:
    """The network of a seed, and its data."""
    run = [f"seed={seed}", f"data.seed={seed}", "evaluation.bootstrap=20", f"output_dir={folder}"]
    config = compose(["experiment=simulated_distal_pair", *run, *further])
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        model = zoo.load(str(train(config).model_folder))
    source = TrainingPlan.of(config).source
    assert isinstance(source, Simulated)
    return model, source


class Sites:
    """The rows of a split that hold both motifs: codes (n, L), start and width of each site, what was planted."""

    def __init__(self, source: Simulated, split: str, seed: int = 0):
        truth = source.truth(split)
        first = {int(r): i for i, r in enumerate(truth["row"]) if truth["index"][i] == 0}
        second = {int(r): i for i, r in enumerate(truth["row"]) if truth["index"][i] == 1}
        rows = sorted(first.keys() & second.keys())
        at = np.array([[first[r], second[r]] for r in rows])
        self.codes = source.examples(split).batch(np.array(rows))["codes"]
        self.start, self.end = truth["start"][at], truth["end"][at]
        pair = source._pair
        assert pair is not None
        self.arranged = stands_as(pair, source.motifs, [0, 1], self.start, truth["strand"][at])
        self.planted = pair.synergy * self.arranged
        gc = source._rows.gc
        self.background = np.array([1 - gc, gc, gc, 1 - gc]) / 2
        self.rng = np.random.default_rng(seed)

    def without(self, *sites: int) -> np.ndarray:
        """The codes with random background in place of these sites."""
        codes = self.codes.copy()
        for i in range(len(codes)):
            for site in sites:
                place = slice(self.start[i, site], self.end[i, site])
                codes[i, place] = self.rng.choice(4, self.end[i, site] - self.start[i, site], p=self.background)
        return codes

    def middle(self, site: int) -> np.ndarray:
        """(n,) bins of the middles of a site."""
        return (self.start[:, site] + self.end[:, site]) // 2 // BIN


def interaction(model: zoo.Model, sites: Sites) -> float:
    """R2 of the interaction of the two sites."""
    both, first, second, neither = (
        predict(model, codes) for codes in (sites.codes, sites.without(1), sites.without(0), sites.without(0, 1))
    )
    error = both - first - second + neither - sites.planted
    return float(1 - np.square(error).sum() / np.square(sites.planted - sites.planted.mean()).sum())


def predict(model: zoo.Model, codes: np.ndarray) -> np.ndarray:
    """(n,) activities."""
    with torch.no_grad():
        return model.predict({"codes": torch.from_numpy(codes)})["activity"][:, 0].numpy().astype(np.float64)


def contributions(model: zoo.Model, codes: np.ndarray) -> np.ndarray:
    """(n, bins) sums of gradient times sequence."""
    inputs = model.prepare({"codes": torch.from_numpy(codes)})
    one_hot = inputs["one_hot"].detach().requires_grad_()
    model({**inputs, "one_hot": one_hot})["activity"].sum().backward()
    assert one_hot.grad is not None
    product = (one_hot.grad * one_hot).sum(1).detach().numpy()
    return product.reshape(len(codes), -1, BIN).sum(2)


def attribution_at_partner(model: zoo.Model, sites: Sites) -> float:
    """Share of the arranged rows in which taking the first site away changes the contributions of the second most."""
    change = np.abs(contributions(model, sites.codes) - contributions(model, sites.without(0)))
    return peaks_at_partner(change[sites.arranged], sites.middle(0)[sites.arranged], sites.middle(1)[sites.arranged])


def attention_by_head(model: zoo.Model, sites: Sites) -> np.ndarray:
    """(2 heads,) share of the arranged rows in which one site looks at the other most, first to second, then back."""
    chosen = np.flatnonzero(sites.arranged)
    weights = attention_weights(model, {"codes": torch.from_numpy(sites.codes[chosen])}).between
    shares = []
    for looks, partner in ((0, 1), (1, 0)):
        own, other = sites.middle(looks)[chosen], sites.middle(partner)[chosen]
        for head in range(weights.shape[1]):
            beside = (np.clip(own + d, 0, weights.shape[2] - 1) for d in (-1, 0, 1))
            rows = np.stack([weights[np.arange(len(chosen)), head, at] for at in beside])
            shares.append(peaks_at_partner(rows.mean(0), own, other))
    return np.array(shares)


def peaks_at_partner(values: np.ndarray, own: np.ndarray, other: np.ndarray) -> float:
    """Share of rows (n, bins) whose largest value, more than 30 bp from `own`, lies within two bins of `other`."""
    far = np.abs(np.arange(values.shape[1]) - own[:, None]) * BIN > NEAR
    peak = np.where(far, values, -np.inf).argmax(1)
    return float((np.abs(peak - other) <= 2).mean())


def main() -> int:
    """Train both networks of every seed and print what they know."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--set", nargs="*", default=[], help="further words of `zoo train`")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(args.seeds):
            for name, words in (("construct_cnn_rnn", []), ("convolutions", CNN)):
                model, source = train_on_pairs(Path(folder) / f"{name}_{seed}", seed, [*words, *args.set])
                sites = Sites(source, "test")
                weights = sum(p.numel() for p in model.parameters())
                line = f"seed {seed}  {name}  {weights:,} weights  interaction R2 {interaction(model, sites):.3f}"
                line += f"  attribution {attribution_at_partner(model, sites):.2f}"
                if not words:
                    best = attention_by_head(model, Sites(source, "validation")).argmax()
                    line += f"  attention {attention_by_head(model, sites)[best]:.2f}"
                print(f"{line}  n = {len(sites.codes)}, {int(sites.arranged.sum())} arranged", flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
