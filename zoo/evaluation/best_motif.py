"""The motif of JASPAR CORE whose best match separates the training rows best, as a baseline.

some training rows -> best match of every matrix -> AUROC, or Spearman's rho, with the labels -> one matrix a task
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.data.motifs import Motif, core_motifs, scan
from zoo.data.source import SPLITS, Source
from zoo.evaluation.baselines import Baseline
from zoo.evaluation.split_predictions import labels_of, read, sample_rows

if TYPE_CHECKING:
    from zoo.fields import Field

MOST_ROWS = 2_000
MOST_BASES = 400_000
_MOST_TASKS = 20
_CHUNK = 1 << 24


def best_motifs(source: Source, targets: Mapping[str, Field], seed: int = 0) -> dict[str, list[Baseline]]:
    """{head: one baseline a task} of targets with one number a task.

    The choice is made on at most 2,000 training rows (400 kb of longer ones), drawn with `seed`; the first 20 tasks.
    A matrix may mark the rows by its absence: then less of it scores higher, and the name says so.
    """
    heads = {h: f for h, f in targets.items() if f.values in ("binary", "real", "count") and f.axes in ("C", "")}
    examples = source.examples("train")
    if not heads or not len(examples) or "codes" not in examples.batch(np.arange(1)):
        return {}
    shortest = min(int(np.min(e.lengths)) for e in map(source.examples, SPLITS) if len(e))
    motifs = [motif for motif in core_motifs() if len(motif) <= shortest]
    most = max(1, min(MOST_ROWS, MOST_BASES // int(np.max(examples.lengths))))
    rows = sample_rows(len(examples), most, seed)

    def per_batch(batch: Mapping[str, np.ndarray]) -> dict[str, Any]:
        return labels_of(batch, heads) | {"matches": best_matches(motifs, batch["codes"])}

    values = read(examples, per_batch, rows, label=f"matching {len(motifs):,} motifs") if motifs else {}
    best: dict[str, list[Baseline]] = {}
    for head, field in heads.items() if motifs else ():
        label = values[f"target/{head}"].reshape(len(rows), -1)
        names = field.channels or ("",)
        for task, truth in list(zip(names, label.T, strict=False))[:_MOST_TASKS]:
            known = np.isfinite(truth)
            agreement = _agreement(values["matches"][known], truth[known], field.values == "binary")
            if agreement is None:
                continue
            motif, up = motifs[int(np.abs(agreement).argmax())], agreement[np.abs(agreement).argmax()] > 0
            name = f"best PWM, {motif.name} {motif.id}" + ("" if up else " (absence)")
            note = f"chosen among {len(motifs):,} matrices on {known.sum():,} training rows"
            feature = partial(_match, motif.log_odds(), 1 if up else -1)
            best.setdefault(head, []).append(Baseline(name, feature, task, note=note))
    return best


def best_matches(motifs: Sequence[Motif], codes: np.ndarray) -> np.ndarray:
    """codes (N, L) -> (N, M) float32 best score of every motif on both strands, as `scan`; an N is the worst base."""
    import torch
    from torch.nn.functional import conv1d

    one_hot = (torch.from_numpy(np.array(codes))[:, None] == torch.arange(5, dtype=torch.uint8)[:, None]).float()
    out = np.empty((len(codes), len(motifs)), np.float32)
    order = sorted(range(len(motifs)), key=lambda i: len(motifs[i]))
    for width, group in groupby(order, key=lambda i: len(motifs[i])):
        members = list(group)
        odds = np.stack([motifs[i].log_odds() for i in members])
        both = np.concatenate([odds, odds[:, ::-1, ::-1]])
        filters = torch.from_numpy(np.concatenate([both, both.min(1, keepdims=True)], axis=1)).float()
        step = max(1, _CHUNK // (len(filters) * (codes.shape[1] - width + 1)))
        for first in range(0, len(codes), step):
            best = conv1d(one_hot[first : first + step], filters).amax(2)
            out[first : first + step, members] = best.view(len(best), 2, -1).amax(1).numpy()
    return out


def _match(log_odds: np.ndarray, sign: int, codes: np.ndarray) -> np.ndarray:
    return sign * scan(log_odds, codes)[:, None]


def _agreement(matches: np.ndarray, truth: np.ndarray, binary: bool) -> np.ndarray | None:
    """(M,) Spearman's rho, or 2 AUROC - 1, of every column with the labels; None where they are all alike."""
    from scipy.stats import rankdata

    if len(truth) < 2 or len(np.unique(truth)) < 2:
        return None
    ranks = rankdata(matches, axis=0)
    if binary:
        positive = truth > 0.5
        n, n_negative = positive.sum(), (~positive).sum()
        return 2 * (ranks[positive].sum(0) - n * (n + 1) / 2) / (n * n_negative) - 1
    x, y = ranks - ranks.mean(0), rankdata(truth)
    y = y - y.mean()
    spread = np.sqrt((x**2).sum(0) * (y**2).sum())
    return np.divide((x * y[:, None]).sum(0), spread, out=np.zeros(len(spread)), where=spread > 0)
