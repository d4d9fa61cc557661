"""What composition alone tells: GC content and dinucleotides against the labels, before anything is trained.

2-mer frequencies -> logistic regression fitted to training -> AUROC on validation
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any

import numpy as np

from zoo.data.source import Source
from zoo.evaluation.baselines import fit, gc_content, kmer_frequencies
from zoo.evaluation.metrics import auroc
from zoo.evaluation.split_predictions import labels_of, read, sample_rows
from zoo.fields import Field

TELLING = 0.7
"""AUROC of dinucleotides alone from which negatives are called of another composition."""
_MOST_ROWS, _FEWEST_ROWS, _MOST_BASES = 10_000, 1_000, 10_000_000
_MOST_TASKS = 8


@dataclass(frozen=True)
class CompositionAuroc:
    """AUROC of GC content and of a dinucleotide model for one task, on so many validation examples."""

    target: str
    task: str
    gc: float
    dinucleotides: float
    positives: int
    negatives: int

    def __str__(self) -> str:
        text = (
            f"dinucleotides alone reach an AUROC of {self.dinucleotides:.3f} for {self.task or self.target!r}, "
            f"GC alone {self.gc:.3f} (validation, {self.positives:,} positive, {self.negatives:,} negative)"
        )
        if self.dinucleotides <= TELLING:
            return text
        return (
            f"{text}; warning: positives and negatives differ in composition, which a model may learn in place of "
            "motifs: compare it with this number, not with 0.5, or take negatives of the same composition"
        )


def composition_baseline(source: Source) -> list[CompositionAuroc]:
    """A row for each of the first 8 tasks with labels of 0 and 1, where training and validation hold both.

    At most 10,000 examples of a split are used, or 10 Mb of long ones, drawn with a fixed seed.
    """
    targets = {name: f for name, f in source.targets.items() if f.values == "binary" and not f.position_axes}
    if not targets:
        return []
    parts = [_read(source, split, targets) for split in ("train", "validation")]
    if not all(parts):
        return []
    rows = (row for name, field in targets.items() for row in _tasks(name, field, *parts))
    return list(islice(rows, _MOST_TASKS))


def describe_composition(rows: list[CompositionAuroc]) -> list[dict[str, Any]]:
    """Plain JSON for the model card."""
    names = {"gc": "auroc_of_gc", "dinucleotides": "auroc_of_dinucleotides"}
    return [
        {names.get(k, k): round(v, 4) if isinstance(v, float) else v for k, v in asdict(row).items()}
        | {"split": "validation"}
        for row in rows
    ]


def _read(source: Source, split: str, targets: Mapping[str, Field]) -> dict[str, Any]:
    """Labels and features of one split, {} where it is empty or has no sequences."""
    examples = source.examples(split)
    n = len(examples)
    if not n or "codes" not in examples.batch(np.arange(1)):
        return {}
    most = min(_MOST_ROWS, max(_FEWEST_ROWS, int(_MOST_BASES / np.mean(examples.lengths))))
    rows = sample_rows(n, most)

    def per_batch(batch: Mapping[str, np.ndarray]) -> dict[str, Any]:
        codes = batch["codes"]
        return labels_of(batch, targets) | {"gc": gc_content(codes), "pairs": kmer_frequencies(codes, 2).toarray()}

    return read(examples, per_batch, rows, label=f"composition of {split}")


def _tasks(
    target: str, field: Field, train: Mapping[str, Any], validation: Mapping[str, Any]
) -> Iterator[CompositionAuroc]:
    labels = [part[f"target/{target}"].reshape(len(part["gc"]), -1) for part in (train, validation)]
    for task, *columns in zip(field.channels or ("",), *(y.T for y in labels), strict=True):
        known = [np.flatnonzero(np.isin(y, (0, 1))) for y in columns]
        (y, truth), (x, features) = (
            [values[at] for values, at in zip(several, known, strict=True)]
            for several in (columns, [train["pairs"], validation["pairs"]])
        )
        if len(np.unique(y)) < 2 or len(np.unique(truth)) < 2:
            continue
        predict = fit("binary", x, y, features, truth)
        if predict is None:
            continue
        once, positives = np.ones((1, len(truth))), int(truth.sum())
        scores = (validation["gc"][known[1], 0], predict(features))
        gc, pairs = (float(auroc(truth, score, once)[0]) for score in scores)
        yield CompositionAuroc(target, task, gc, pairs, positives, len(truth) - positives)
