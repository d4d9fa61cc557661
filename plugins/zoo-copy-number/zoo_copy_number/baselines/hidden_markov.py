"""A hidden Markov model of copies: Gaussian log2 ratios around the means that copies and purity give.

The states are 0 to 5 copies.  The purity is not known: it is the one, of a grid, under which the sample is most
likely.  The machinery is hmmlearn's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from zoo.errors import need
from zoo_copy_number.baselines.correction import Ratio
from zoo_copy_number.event_accuracy import find_runs

_STATES = np.arange(6)
_FLOOR = 0.05
"""Copies that mismapped reads make of none."""


@dataclass(frozen=True)
class HiddenMarkov:
    """The Viterbi path, contig by contig.

    leave: chance that a bin's copies differ from those of the bin before.
    widen: standard deviation of a state over the noise between neighbours, since waves and outliers add to it.
    least_purity: the lowest of the grid, whose step is 0.1.
    bins: runs of fewer bins are dropped, and so are runs whose mean log2 ratio stays in a band around 0:
    least: the band in log2.  sds: the band in standard errors of the mean; the wider one holds.
    """

    leave: float = 1e-5
    widen: float = 1.2
    least_purity: float = 0.3
    bins: int = 3
    least: float = 0.2
    sds: float = 6.0

    prepares: ClassVar[dict] = {
        "leave": (1e-3, 1e-5, 1e-8, 1e-12),
        "widen": (1.2, 1.5, 2.0),
        "least_purity": (0.3, 0.5, 0.7),
    }
    decides: ClassVar[dict] = {"bins": (1, 3, 4), "least": (0.0, 0.1, 0.15, 0.2, 0.25), "sds": (0.0, 4.0, 6.0)}

    def prepare(self, ratio: Ratio) -> np.ndarray:
        """(m,) copies on the path."""
        log2 = np.clip(ratio.log2, -3, 2.5)[:, None]
        copies, two = ratio.expected.astype(int), ratio.expected == 2
        if not len(log2):
            return copies
        purities = np.arange(self.least_purity, 1.001, 0.1) if two.any() else [1.0]
        likely = [self._model(ratio, p, 2).score(log2[two], _lengths(ratio.contig[two])) for p in purities]
        purity = purities[int(np.argmax(likely))]
        for normal in np.unique(ratio.expected):
            here = ratio.expected == normal
            model = self._model(ratio, purity, int(normal))
            copies[here] = model.decode(log2[here], _lengths(ratio.contig[here]))[1]
        return copies

    def decide(self, ratio: Ratio, prepared: np.ndarray) -> np.ndarray:
        """(n,) float32 copies, NaN where none can be given."""
        first, last = find_runs(np.sign(prepared - ratio.expected), ratio.contig)
        size = last - first
        level = np.add.reduceat(ratio.log2, first) / size if len(first) else np.zeros(0)
        kept = (size >= self.bins) & (np.abs(level) > np.maximum(self.least, self.sds * ratio.noise / size**0.5))
        return ratio.expand(np.where(np.repeat(kept, size), prepared, ratio.expected))

    def _model(self, ratio, purity, normal):
        need("the hidden Markov model", "hmmlearn", install="zoo-copy-number[baselines]")
        from hmmlearn.hmm import GaussianHMM

        k = len(_STATES)
        model = GaussianHMM(k, covariance_type="spherical", init_params="", params="")
        away = self.leave / (k - 1)
        model.transmat_ = np.full((k, k), away) + np.eye(k) * (1 - self.leave - away)
        model.startprob_ = model.transmat_[normal]
        seen = np.maximum(purity * _STATES + (1 - purity) * normal, _FLOOR)
        model.means_ = np.maximum(np.log2(seen / normal), -3)[:, None]
        model.covars_ = np.full(k, (self.widen * ratio.noise) ** 2)
        return model


def _lengths(contig):
    return np.unique(contig, return_counts=True)[1]
