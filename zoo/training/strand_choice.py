"""strand=auto: do these labels read the same from both strands?  k-mers of one strand against those of both.

source -> fits to half of the training rows, compared row by row on the others and on validation -> "conjoined" or
"none", and why
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from zoo.data.source import Source
from zoo.evaluation.baselines import fit, kmer_frequencies, row_losses
from zoo.evaluation.split_predictions import labels_of, read, sample_rows
from zoo.fields import Field

_LENGTHS = (4, 6)
_MOST_TRAIN, _MOST_VALIDATION, _MOST_TASKS = 20_000, 4_000, 5
_LEAST_Z = 2.0


def choose_strand(source: Source) -> tuple[str, str]:
    """(strand, reason): "none" where k-mers of one strand predict held-out rows better than k-mers of both, else
    "conjoined"; "augmented" where it cannot be measured (targets with positions or strand tables, no validation rows).

    RNA is read from one strand, and so are promoters with a direction; most binding sites are read from both.  The
    prior is both: one strand must win by two standard errors of the mean difference in loss over the rows.
    """
    fields = {name: field for name, field in source.targets.items() if not field.position_axes and field.rc is None}
    n = {split: len(source.examples(split)) for split in ("train", "validation")}
    if len(fields) < len(source.targets):
        return "augmented", "targets with positions"
    if not n["train"] or not n["validation"]:
        return "augmented", "no validation rows to choose by"
    rows = {"train": _rows(source, "train", _MOST_TRAIN), "validation": _rows(source, "validation", _MOST_VALIDATION)}
    differences = [
        difference
        for name, field in fields.items()
        for channel in range(1 if field.values == "class" else min(_MOST_TASKS, max(1, len(field.channels))))
        if (difference := _difference(rows, name, field, channel)) is not None
    ]
    if not differences:
        return "conjoined", "labels from which no k-mer model can be fitted"
    gain = np.concatenate(differences)
    z = gain.mean() / max(gain.std(ddof=1) / np.sqrt(len(gain)), 1e-12) if len(gain) > 1 else 0.0
    measured = f"{z:+.1f} standard errors on {len(gain):,} labels"
    if z > _LEAST_Z:
        return "none", f"k-mers of one strand predict better than k-mers of both, by {measured}"
    return "conjoined", f"k-mers of one strand predict no better than k-mers of both: {measured}"


def _rows(source: Source, split: str, most: int) -> dict[str, Any]:
    examples = source.examples(split)
    chosen = sample_rows(len(examples), most)

    def per_batch(batch: Mapping[str, np.ndarray]) -> dict[str, Any]:
        labels = {k: y.reshape(len(y), -1) for k, y in labels_of(batch, source.targets).items()}
        both = {f"both{k}": kmer_frequencies(batch["codes"], k) for k in _LENGTHS}
        one = {f"one{k}": kmer_frequencies(batch["codes"], k, one_strand=True) for k in _LENGTHS}
        return labels | both | one

    return read(examples, per_batch, chosen, label=f"looking at the strands of {split}")


def _difference(rows: Mapping[str, Any], name: str, field: Field, channel: int) -> np.ndarray | None:
    """(n,) loss of the better fit to both strands less that of the better fit to one, by held-out row."""
    labels = [rows[split][f"target/{name}"][:, channel] for split in ("train", "validation")]
    train, validation = (np.flatnonzero(y >= 0 if field.values == "class" else np.isfinite(y)) for y in labels)
    if len(train) < 2 or not len(validation):
        return None
    half = np.random.default_rng(1).permutation(train)
    fitted, judged = half[: len(half) // 2], half[len(half) // 2 :]
    best = {}
    for what in ("both", "one"):
        losses = []
        for k in _LENGTHS:
            x, held_out = (rows[split][f"{what}{k}"] for split in ("train", "validation"))
            chosen_by = held_out[validation], labels[1][validation]
            model = fit(field.values, x[fitted], labels[0][fitted], *chosen_by)
            if model is not None:
                both = ((x[judged], labels[0][judged]), chosen_by)
                losses.append(np.concatenate([row_losses(model(features), y, field.values) for features, y in both]))
        if not losses:
            return None
        best[what] = min(losses, key=lambda x: x.mean())
    return best["both"] - best["one"]
