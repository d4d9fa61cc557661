"""What a run learns from, told before its first step: examples, labels, what was left out; impossible ones are refused.

source, loss -> one pass over the examples of all splits -> lines for a person, or a ConfigError
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from zoo.data.sequences import canonical_hash
from zoo.data.source import SPLITS, Examples, Source
from zoo.errors import ConfigError, ZooError
from zoo.evaluation.split_predictions import labels_of, read
from zoo.fields import Field
from zoo.model import Model
from zoo.training.composition_baseline import CompositionAuroc, composition_baseline
from zoo.training.label_statistics import LabelStatistics, disagreements, listed
from zoo.training.loss import Term, Terms
from zoo.training.sample_size import small_splits

_TURNED = np.uint64(0x9E3779B97F4A7C15)
_CONTEXT = np.uint64(0xD1B54A32D192ED03)


@dataclass(frozen=True)
class DataSummary:
    """Lines for a person.  n: examples of every split.  statistics: labels of every target.
    composition: what GC content and dinucleotides tell of them.
    """

    lines: list[str]
    n: Mapping[str, int]
    statistics: Mapping[str, LabelStatistics]
    composition: list[CompositionAuroc]


def summarise(source: Source, model: Model, loss: Terms, both_strands: bool) -> DataSummary:
    """The data of a run.

    both_strands: the model answers alike for a sequence and its reverse complement, or learns to.
    Raises ConfigError for labels outside what an objective takes (its `target_range`), where all training labels are
    alike or missing, and for examples of a length that the encoder does not read.
    """
    reader = _Reader(source, both_strands)
    notes = list(_refused_or_noted(loss, reader.statistics))
    _require_something_to_learn(loss, reader.statistics)
    n = {split: len(source.examples(split)) for split in SPLITS}
    lengths = np.concatenate([np.asarray(source.examples(s).lengths) for s in SPLITS if n[s]])
    _require_lengths(model, lengths)
    first = ", ".join(f"{n[split]:,} {split}" for split in SPLITS)
    composition = composition_baseline(source)
    lines = [
        f"{first} examples of {source.input_length:,} bp",
        *(f"{name} ({source.targets[name].values}): {s.describe()}" for name, s in reader.statistics.items()),
        *source.notes,
        *(f"left out: {number:,} {reason.replace('_', ' ')}" for reason, number in source.dropped.items() if number),
        *notes,
        *reader.notes(lengths),
        *map(str, composition),
        *small_splits(reader.statistics, n),
    ]
    return DataSummary(lines, n, reader.statistics, composition)


class _Reader:
    """One pass over every split: statistics of the labels, keys of the sequences.

    keys: (n,) that equal sequences share, over all splits; labels: {target: (n, C)} of those without positions.
    """

    def __init__(self, source: Source, both_strands: bool):
        self.source, self.both_strands = source, both_strands
        self.statistics = {name: LabelStatistics(field) for name, field in source.targets.items()}
        self.with_n = 0
        self.splits: dict[str, Examples] = {s: e for s in SPLITS if len(e := source.examples(s))}
        values = [
            read(examples, self._per_batch(split), label=f"looking at {split}")
            for split, examples in self.splits.items()
        ]
        keys = set.intersection(*map(set, values)) if values else set()
        self.values = {key: np.concatenate([part[key] for part in values]) for key in keys}

    def _per_batch(self, split: str):
        def per_batch(batch: Mapping[str, np.ndarray]) -> dict[str, Any]:
            labels = labels_of(batch, self.source.targets)
            for name, statistics in self.statistics.items():
                statistics.add(split, labels[f"target/{name}"])
            kept = {k: _scalars(labels[k], field) for k, field in self._scalar_targets().items()}
            if "codes" in batch:
                self.with_n += int((batch["codes"] == 4).any(1).sum())
                if kept:
                    hashes, turned = canonical_hash(batch["codes"])
                    kept["key"] = hashes if self.both_strands else hashes ^ (turned.astype(np.uint64) * _TURNED)
                    # The labels of one sequence may differ from one context to another, which the model is told.
                    context = np.asarray(batch.get("context", np.zeros(1)), np.int64).astype(np.uint64)
                    kept["example"] = kept["key"] ^ (context * _CONTEXT)
            return kept or {"nothing": np.zeros(len(next(iter(batch.values()))))}

        return per_batch

    def _scalar_targets(self) -> dict[str, Field]:
        return {f"target/{name}": f for name, f in self.source.targets.items() if not f.position_axes}

    def notes(self, lengths: np.ndarray) -> Iterator[str]:
        """Sentences on lengths, N, splits of one class, and contradictions."""
        other = int((lengths != self.source.input_length).sum())
        if other:
            shortest, longest = int(lengths.min()), int(lengths.max())
            yield f"{other:,} of {len(lengths):,} examples have another length: {shortest:,} to {longest:,} bp"
        if self.with_n:
            yield f"{self.with_n:,} examples hold an N"
        for name, statistics in self.statistics.items():
            yield from _one_sided(name, statistics)
        if "validation" not in self.splits:
            yield "no validation examples: the last epoch is kept, whether it is the best or not"
        if "test" not in self.splits:
            yield "no test examples"
        yield from self._leaks()
        yield from self._contradictions()

    def _leaks(self) -> Iterator[str]:
        """Sequences that are in an earlier split too, by the split that they judge."""
        if "key" not in self.values:
            return
        ends = np.cumsum([len(examples) for examples in self.splits.values()])
        earlier, *later = np.split(self.values["key"], ends[:-1])
        of = " or their reverse complements" if self.both_strands else ""
        for split, keys in zip(list(self.splits)[1:], later, strict=True):
            number = int(np.isin(keys, earlier).sum())
            if number:
                yield f"{number:,} of the {split} sequences{of} are in an earlier split too, which flatters the model"
            earlier = np.concatenate([earlier, keys])

    def _contradictions(self) -> Iterator[str]:
        if "key" not in self.values:
            return
        for target, field in self._scalar_targets().items():
            number, pair = disagreements(self.values["example"], self.values[target])
            if number:
                of = " (or their reverse complements)" if self.both_strands else ""
                names = " and ".join(self._name(row) for row in pair)
                kind = "several values" if field.values in ("real", "count") else "contradictory labels"
                yield (
                    f"{kind} of {target.removeprefix('target/')!r} for {number:,} of the sequences{of}, such as {names}"
                )

    def _name(self, row: int) -> str:
        """Place or name of an example, counted over all splits."""
        for split, examples in self.splits.items():
            if row < len(examples):
                known = {key: column[0] for key, column in examples.identity(np.array([row])).items()}
                place = f"{known['chrom']}:{known['start']}-{known['end']}" if known.get("chrom") else known.get("name")
                return f"{place} ({split})"
            row -= len(examples)
        return str(row)


def _scalars(labels: np.ndarray, field: Field) -> np.ndarray:
    """(N, C) float, NaN where missing."""
    y = labels.astype(np.float64).reshape(len(labels), -1)
    return np.where(y < 0, np.nan, y) if field.values == "class" else y


def _fitting(loss: Terms) -> Iterator[Term]:
    """The terms that fit a head to its target."""
    yield from (term for term in loss.terms.values() if term.is_main and term.head is not None)


def _refused_or_noted(loss: Terms, statistics: Mapping[str, LabelStatistics]) -> Iterator[str]:
    """Notes on labels that an objective takes though it is not meant for them; ConfigError for what it cannot take."""
    for term in _fitting(loss):
        labels, takes = statistics[term.head or ""], getattr(term.objective, "target_range", None)
        name = getattr(term.objective, "part", type(term.objective).__name__)
        for c, column in enumerate(labels.columns):
            low, high, n = labels.low[:, c].min(), labels.high[:, c].max(), int(labels.n[:, c].sum())
            what = f"column {column!r} of target {term.head!r}" if column else f"target {term.head!r}"
            if n and not np.isfinite([low, high]).all():
                raise ConfigError(f"{what} holds an infinite label: correct it, or leave it empty if it is missing")
            if takes is None or not n:
                continue
            if not takes.allows(labels.field.values, low, high):
                signs = ", or write 0 and 1 for labels of -1 and 1" if labels.signs[c] == n and low < 0 else ""
                kind = "class ids" if labels.is_class and "class" not in takes.values else f"{low:.4g} to {high:.4g}"
                raise ConfigError(
                    f"objective {name} needs {takes.labels}, but {what} holds {kind}: set {takes.instead}{signs}"
                )
            if labels.fractions[c] and (takes.whole or takes.fractions):
                meant = "counts" if takes.whole else "probabilities"
                yield (
                    f"{what} holds {low:.4g} to {high:.4g}, which objective {name} learns as {meant}: "
                    "set objective=squared_error if they are measured values"
                )


def _require_lengths(model: Model, lengths: np.ndarray) -> None:
    """ConfigError for a length that the encoder refuses."""
    for length, number in zip(*np.unique(lengths, return_counts=True), strict=True):
        try:
            model.encoder.grid(int(length))
        except ZooError as error:
            raise ConfigError(
                f"{number:,} of {len(lengths):,} examples are {length:,} bp long, which encoder "
                f"{model.spec.encoder['name']!r} does not read ({error}): leave them out, or choose another encoder"
            ) from error


def _require_something_to_learn(loss: Terms, statistics: Mapping[str, LabelStatistics]) -> None:
    """ConfigError where no column of any target that is learned varies in training."""
    learned = {term.head: statistics[term.head] for term in _fitting(loss) if term.head is not None}
    if not learned or any(((s.n[0] > 0) & ~s.constant("train")).any() for s in learned.values()):
        return
    head, labels = next(iter(learned.items()))
    column = f" of column {labels.columns[0]!r}" if labels.columns[0] else ""
    if not labels.n[0].any():
        raise ConfigError(f"no training example has a label{column} of target {head!r}: look at the data's splits")
    raise ConfigError(
        f"all {int(labels.n[0, 0]):,} training labels{column} of target {head!r} are {labels.low[0, 0]:.4g}: there is "
        "nothing to learn, look at the data and their splits"
    )


def _one_sided(name: str, labels: LabelStatistics) -> Iterator[str]:
    """A sentence a split that lacks a class, or the labels, of some columns."""
    for split in SPLITS:
        n = labels.n[SPLITS.index(split)]
        if not n.any():
            continue
        of = [c or name for c, none in zip(labels.columns, n == 0, strict=True) if none]
        if of:
            yield f"{split} has no label of {listed(of)}"
        has_classes = labels.is_binary | labels.is_class
        for kind, among in (("class", has_classes), ("value", ~has_classes)):
            alike = labels.constant(split) & among
            of = [c or name for c, one in zip(labels.columns, alike, strict=True) if one]
            if of:
                lacking = "" if split == "train" else ": metrics that need several have no value there"
                yield f"{split} has one {kind} only of {listed(of)}{lacking}"
