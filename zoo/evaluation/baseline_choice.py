"""Which baselines stand beside a model: by what its targets are, the motifs named, and the slow rivals asked for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from zoo.data.motifs import get_motifs
from zoo.data.source import Examples, Source
from zoo.errors import ConfigError, did_you_mean, need
from zoo.evaluation.baselines import Baseline, baselines
from zoo.evaluation.best_motif import best_motifs
from zoo.evaluation.gapped_kmers import GappedKmerSVM, sequences
from zoo.fields import Field

RIVALS = ("gkm-svm",)
"""Baselines that take a minute or more: fitted only where they are asked for."""

BEST = "best"
"""In place of a motif's name: the one that separates the training rows best."""


def choose_baselines(
    source: Source,
    examples: Examples,
    targets: Mapping[str, Field],
    *,
    k: int = 6,
    motif: str | Sequence[str] | None = None,
    rivals: Sequence[str] | Mapping[str, int | None] = (),
    seed: int = 0,
) -> dict[str, list[Baseline]]:
    """{target: its baselines}; those that read the sequence only where the examples have one.

    rivals: names in RIVALS, or a mapping with the training rows that each is fitted to (None for the default).
    Raises ConfigError for an unknown rival or fewer than 2 rows for it, DataError for an unknown motif, and ZooError
    where a rival needs a library that is not installed.
    """
    names = [motif] if isinstance(motif, str) else list(motif or ())
    motifs = get_motifs([name for name in names if name != BEST])
    slow = _slow(rivals, seed)
    chosen = {
        head: [*baselines(field, k, motifs), *source.baselines(head), *_fitting(slow, field)]
        for head, field in targets.items()
    }
    if "codes" not in examples.batch(np.arange(1)):
        return {head: [b for b in several if not b.features] for head, several in chosen.items()}
    if BEST in names:
        for head, best in best_motifs(source, targets, seed).items():
            chosen[head] += best
    return chosen


def require_rivals(rivals: Iterable[str]) -> None:
    """Raise what `choose_baselines` would, before anything has taken time."""
    for name in rivals:
        if name not in RIVALS:
            raise ConfigError(f"no rival {name!r}" + did_you_mean(str(name), RIVALS))
        need("the rival gkm-svm", "gkmsvm", install="zoo-core[gkm]")


def _slow(rivals: Sequence[str] | Mapping[str, int | None], seed: int) -> list[Baseline]:
    require_rivals(rivals)
    rows = rivals if isinstance(rivals, Mapping) else dict.fromkeys(rivals)
    for name, n in rows.items():
        if n is not None and n < 2:
            raise ConfigError(f"rival {name!r} fitted to {n} rows learns nothing: give it at least 2, or no number")
    return [Baseline("gkm-SVM", sequences, fit=GappedKmerSVM(n, seed).fit, slow=True) for n in rows.values()]


def _fitting(slow: Sequence[Baseline], field: Field) -> Sequence[Baseline]:
    """Of targets with one number a task."""
    return slow if field.values in ("binary", "real", "count") and field.axes in ("C", "") else ()
