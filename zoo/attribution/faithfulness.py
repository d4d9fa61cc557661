"""Faithfulness: how well attribution scores agree with the effects of substitutions, sequence by sequence.

scores (N, K, L), effects (N, K, L), known (N, L)  ->  {measure: (N,)}

K is 4 where scores are compared as effects of substitutions, and 1 where they are compared base by base; what is not
known (an N, the reference base itself) is left out.
"""

from __future__ import annotations

import numpy as np

MEASURES = ("pearson", "spearman", "top_k", "sign")
TOP = 0.05
"""Share of the positions that are the top k."""


class Compared:
    """Scores and effects of one sequence, brought to one form.

    scores, effects: (P, K) by position; used: (P, K) bool; only known positions are here.
    importance: scores and effects by position, (P,) each, for the top k.
    """

    def __init__(self, scores: np.ndarray, effects: np.ndarray, used: np.ndarray, importance: tuple):
        self.scores, self.effects, self.used = scores.astype(np.float64), effects.astype(np.float64), used
        self.importance = tuple(np.abs(x.astype(np.float64)) for x in importance)
        self.k = max(1, round(TOP * len(scores)))

    def shuffled(self, rng: np.random.Generator) -> Compared:
        """The scores of the positions in another order: the letters' scores of a position stay together."""
        order = rng.permutation(len(self.scores))
        found = object.__new__(Compared)
        found.scores, found.effects, found.used, found.k = self.scores[order], self.effects, self.used, self.k
        found.importance = self.importance[0][order], self.importance[1]
        return found


def agreement(one: Compared) -> tuple[float, float, float, float]:
    """Pearson, Spearman, overlap of the top k positions, and sign agreement where the effects are largest.

    Scores that do not vary agree with nothing: their correlation is 0.  NaN where the effects do not vary.
    The sign is compared at the top 5 % of the effects; a score of 0 agrees with none.
    """
    scores, effects = one.scores[one.used], one.effects[one.used]
    if not len(effects) or np.ptp(effects) == 0:
        return np.nan, np.nan, np.nan, np.nan
    top = [np.argsort(-x, kind="stable")[: one.k] for x in one.importance]
    overlap = len(np.intersect1d(*top)) / one.k if np.ptp(one.importance[0]) > 0 else 0.0
    largest = np.argsort(-np.abs(effects), kind="stable")[: max(1, round(TOP * len(effects)))]
    sign = float((np.sign(scores[largest]) == np.sign(effects[largest])).mean())
    ranks = _ranks(scores), _ranks(effects)
    return _correlation(scores, effects), _correlation(*ranks), overlap, sign


def shuffled(many: list[Compared], n: int, seed: int) -> np.ndarray:
    """(n, 4) the mean measures of n shuffles of every sequence's scores: what agreement by chance looks like."""
    rng = np.random.default_rng(seed)
    with np.errstate(invalid="ignore"):
        return np.array([np.nanmean([agreement(one.shuffled(rng)) for one in many], axis=0) for _ in range(n)])


def pooled(many: list[Compared], counts: np.ndarray) -> dict[str, np.ndarray]:
    """Pearson and Spearman over all sequences' numbers together, {measure: (R,)}.

    counts: (R, N) how often each sequence is drawn; ranks are those of all numbers, each sequence once.
    """
    scores = [one.scores[one.used] for one in many]
    effects = [one.effects[one.used] for one in many]
    cuts = np.cumsum([len(x) for x in scores])[:-1]
    ranked = [np.split(_ranks(np.concatenate(x)), cuts) for x in (scores, effects)]
    return {"pearson": _weighted(scores, effects, counts), "spearman": _weighted(*ranked, counts)}


def _weighted(a: list[np.ndarray], b: list[np.ndarray], counts: np.ndarray) -> np.ndarray:
    """Correlation (R,) from each sequence's sums."""
    shift = np.concatenate(a).mean(), np.concatenate(b).mean()
    each = [(x - shift[0], y - shift[1]) for x, y in zip(a, b, strict=True)]
    sums = np.array([[len(x), x.sum(), y.sum(), x @ x, y @ y, x @ y] for x, y in each])
    n, sa, sb, saa, sbb, sab = (counts @ sums).T
    with np.errstate(invalid="ignore", divide="ignore"):
        r = (sab - sa * sb / n) / np.sqrt((saa - sa**2 / n) * (sbb - sb**2 / n))
    return np.where(np.isfinite(r), r, 0.0)


def _ranks(x: np.ndarray) -> np.ndarray:
    """x (n,) -> (n,) ranks from 1; equal numbers share the mean of theirs, and with a NaN there are none."""
    _, place, counts = np.unique(x, return_inverse=True, return_counts=True)
    return np.where(np.isnan(x).any(), np.nan, (np.cumsum(counts) - (counts - 1) / 2)[place])


def _correlation(a: np.ndarray, b: np.ndarray) -> float:
    a, b = a - a.mean(), b - b.mean()
    size = np.sqrt((a @ a) * (b @ b))
    return float(a @ b / size) if size > 0 else 0.0
