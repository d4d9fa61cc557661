"""A judge: a model that had no part in the search, and how well it does on examples that it has not learned from.

model, "2*leaf - root" -> Judge -> values of sequences, values by each member, Skill
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.evaluation.comparison import CHANCE, METRICS, Comparison, clean_rows, compare_rows, number

if TYPE_CHECKING:
    from zoo.model import Model
    from zoo.outputs import Output


@dataclass(frozen=True)
class Skill:
    """How well a judge predicts held-out examples, by its card.

    good: whether the interval of its main metric lies above chance and above what composition alone (GC, dinucleotides)
        reaches on the same examples, for every output that the objective names.
    words: the number with its n and split; notes: what a reader should know beside it.
    """

    good: bool
    words: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Judge:
    """name: in tables.  output: the objective, read in the judge's own outputs; one number a sequence."""

    name: str
    model: Model
    output: Output

    @classmethod
    def of(cls, model: Model, objective: str, name: str | None = None) -> Judge:
        """Raises ConfigError where the model has no such output."""
        from zoo.outputs import Output

        return cls(name or model.spec.name, model, Output.one(objective, model.spec))

    @property
    def members(self) -> list[Model]:
        """The networks of an ensemble, or the model alone."""
        return list(getattr(self.model, "members", None) or [self.model])

    def values(self, sequences: Sequence[str]) -> np.ndarray:
        """(N,) float64; NaN for a sequence of another length than the model reads, or where it gives no number."""
        return self._values(self.model, sequences)

    def member_values(self, sequences: Sequence[str]) -> np.ndarray:
        """(members, N) float64."""
        return np.stack([self._values(member, sequences) for member in self.members])

    def _values(self, model: Model, sequences: Sequence[str]) -> np.ndarray:
        from zoo.data.codes import encode
        from zoo.prediction.predict import predict_codes

        values = np.full(len(sequences), np.nan)
        rows = [i for i, sequence in enumerate(sequences) if len(sequence) == model.spec.input_length]
        if rows:
            codes = np.stack([encode(sequences[i]) for i in rows])
            values[rows] = predict_codes(model, codes, self.output)[:, 0]
        values[~np.isfinite(values)] = np.nan
        return values

    def skill(self) -> Skill:
        """From the metrics of the card; of several outputs the one nearest to chance decides."""
        spec = self.model.spec
        rows = clean_rows(spec.metrics)
        worst: tuple[float, Skill] | None = None
        for head, channel in {(term.head, term.channel): None for term in self.output.terms[0]}:
            field = spec.outputs[head][0]
            names = field.channels or field.vocabulary
            task = names[channel] if names else ""
            comparison = compare_rows(rows, head, task)
            composition = _composition(rows, head, task, comparison)
            margin, skill = _skill(comparison, composition, f"{head}/{task}" if task else head)
            if worst is None or margin < worst[0]:
                worst = margin, skill
        assert worst is not None
        return worst[1]


def _composition(
    rows: Sequence[Mapping[str, Any]], head: str, task: str, comparison: Comparison | None
) -> tuple[str, float] | None:
    """Name of the stronger of GC content and dinucleotides, and how far from chance it is, in either direction.

    A model of shuffled labels has a slope on composition too, whose sign is one of chance: with labels that composition
    predicts, its metric often lies off chance, and never above that of composition itself.
    """
    if comparison is None or comparison.metric not in CHANCE:
        return None
    model, metric = comparison.model, comparison.metric
    distances = [
        (row["predictor"], abs(row["value"] - CHANCE[metric]))
        for row in rows
        if row["baseline"] and (row["predictor"] == "GC" or row["predictor"].startswith("2-mer"))
        if (row["head"], row["task"], row["metric"], row["stratum"]) == (head, task, metric, "all")
        if row["value"] is not None and (row["n"], row["split"]) == (model["n"], model["split"])
    ]
    return max(distances, key=lambda pair: pair[1], default=None)


def _skill(comparison: Comparison | None, composition: tuple[str, float] | None, task: str) -> tuple[float, Skill]:
    """How far the low end of the interval lies above chance and composition, and the skill in words."""
    if comparison is None:
        return -np.inf, Skill(False, f"its card has no held-out metric of {task}: run zoo evaluate and publish it")
    row = comparison.model
    words = f"{METRICS[comparison.metric][0]} {number(row)} on {row['n']:,} {row['split'] or 'recorded'} examples"
    if row["split"] == "train":
        return -np.inf, Skill(False, f"{words}, which it has learned from")
    chance = CHANCE.get(comparison.metric)
    if chance is None or row["low"] is None:
        return -np.inf, Skill(False, f"{words}, of which no interval against chance is known")
    margin = row["low"] - chance
    if margin <= 0:
        return margin, Skill(False, f"{words}: no better than chance")
    notes = [] if row["split"] == "test" else ["its metric is not of test examples"]
    if composition is None:
        notes.append("its card has no baseline of composition beside its metric")
    elif margin <= composition[1]:
        name, distance = composition
        tail = f"no better than composition alone ({name}, {distance:.3f} from chance)"
        return margin - distance, Skill(False, f"{words}: {tail}")
    else:
        margin -= composition[1]
    return margin, Skill(True, words, tuple(notes))
