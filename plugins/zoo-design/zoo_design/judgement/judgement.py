"""`judge`: designs as models see them that had no part in the search, beside natural and random sequences.

designs, objective, judges, controls -> Verdict (a table with a row a design, one sentence)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from zoo.errors import ConfigError
from zoo.evaluation.bootstrap import MIN_EXAMPLES
from zoo_design.judgement.controls import Controls
from zoo_design.judgement.gain import QUANTILE, measure_gain, percentiles
from zoo_design.judgement.independence import Relation, relation
from zoo_design.judgement.judges import Judge
from zoo_design.judgement.samples import Samples, Values, disagreement
from zoo_design.judgement.table import tabulate
from zoo_design.judgement.verdict import Opinion, Verdict, decide, obstacle

if TYPE_CHECKING:
    from zoo.model import Model
    from zoo_design.design import Design


class Objective(Protocol):
    """What is read of the search's objective: its models by name, bp of a sequence, and its values of sequences."""

    @property
    def models(self) -> Mapping[str, Model]:
        """All networks that the search has climbed on."""
        ...

    @property
    def length(self) -> int:
        """bp that the models read."""
        ...

    def values(self, sequences: Sequence[str]) -> np.ndarray:
        """(N,) of sequences of this length."""
        ...


def judge(designs: Sequence[Design], objective: Objective, judges: Sequence[Judge], controls: Controls) -> Verdict:
    """Every design beside its start by every judge, its novelty, and a verdict by the rule of `verdict.py`.

    Designs without status ok, those that break a constraint and repeats of another are in the table and do not count.
    Raises ConfigError where two judges have one name.
    """
    names = [one.name for one in judges]
    if len(set(names)) < len(names):
        raise ConfigError(f"two judges are called {max(names, key=names.count)!r}: give them names of their own")
    samples = Samples.of(list(designs), controls)
    values = [Values.of(one, samples) for one in judges]
    search = [_search_values(objective, samples.controls())] if judges else []
    opinions = []
    for one, own in zip(judges, values, strict=True):
        kin = relation(one.model, objective.models.values(), own.controls(), search)
        opinions.append(_opinion(one, own, samples, kin, controls.seed))
    status, words = decide(opinions)
    columns, rows, facts = tabulate(samples, judges, values, controls)
    return Verdict(
        status, words, tuple(opinions), columns, rows, facts, tuple(_notes(opinions, values, samples, facts))
    )


def _search_values(objective: Objective, sequences: Sequence[str]) -> np.ndarray:
    """(N,); NaN for a sequence of another length, as a start that could not be designed from."""
    values = np.full(len(sequences), np.nan)
    rows = [i for i, sequence in enumerate(sequences) if len(sequence) == objective.length]
    if rows:
        values[rows] = objective.values([sequences[i] for i in rows])
    return values


def _opinion(judge: Judge, own: Values, samples: Samples, kin: Relation, seed: int) -> Opinion:
    n = samples.counts
    gain = measure_gain(own.designs[n], own.starts[n], own.random()[n], own.natural, samples.groups[n], seed)
    groups = {
        "designs": own.designs[n],
        "starts": own.starts[n],
        "random edits": own.edited,
        "shuffles": own.shuffled,
        "natural": own.natural,
    }
    summary = [(group, v[np.isfinite(v)]) for group, v in groups.items()]
    lines = [
        (g, len(v), float(v.mean()), float(np.median(v)), float(np.quantile(v, QUANTILE))) for g, v in summary if len(v)
    ]
    return Opinion(judge.name, kin, judge.skill(), gain, tuple(lines))


def _notes(
    opinions: Sequence[Opinion], values: Sequence[Values], samples: Samples, facts: Mapping[str, Any]
) -> list[str]:
    """What does not decide, but should be read."""
    notes = []
    for opinion, own in zip(opinions, values, strict=True):
        notes += [f"{opinion.judge}: {note}" for note in opinion.skill.notes]
        if not opinion.counts:
            notes.append(f"{opinion.judge} does not count: {obstacle(opinion)}")
        elif opinion.relation.kind != "independent":
            notes.append(f"{opinion.judge} is {opinion.relation.kind} to the search's model: {opinion.relation.words}")
        beyond = (own.designs - own.composition())[samples.counts]
        if (beyond := beyond[np.isfinite(beyond)]).size and beyond.mean() <= 0:
            notes.append(f"{opinion.judge} values shuffles of the designs as high: the gain is one of dinucleotides")
    if sum(len(own.members) for own in values) == 1:
        notes.append("one network has judged: how far judges disagree is not known")
    elif values and samples.counts.any():
        spread, usual = disagreement(values)
        percent = percentiles(spread[samples.counts], usual)
        if (percent := percent[np.isfinite(percent)]).size and np.median(percent) > 100 * QUANTILE:
            notes.append(
                f"judges disagree on the designs as on the most uncertain natural sequences "
                f"(median percentile {np.median(percent):.0f}): they have left what the judges know"
            )
    if left := facts["n"] - facts["judged"]:
        notes.append(f"{left:,} of {facts['n']:,} designs do not count, as the column judge_status says")
    if copies := facts.get("copies_of_training"):
        notes.append(f"{copies:,} designs are training sequences, letter by letter")
    if samples.counts.any() and len(set(samples.groups[samples.counts])) < MIN_EXAMPLES:
        notes.append(f"the designs come of fewer than {MIN_EXAMPLES} starts: the verdict says nothing of other starts")
    return notes
