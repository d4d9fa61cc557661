"""The rule by which designs are supported or not, written before anything was measured.

gains by every judge, relations, skills -> Verdict

1. A judge counts if its card shows it to know more than composition on held-out examples: the interval of its main
   metric lies above chance, and above what GC content and dinucleotides alone reach on the same examples, for every
   output that the objective names.
2. A counting judge finds for the designs if the 95 % intervals of three differences lie above 0: mean gain over the
   starts, mean gain over as many random edits of the same starts, and the median design less the 95th percentile of the
   natural sequences.
3. "not supported" where any counting judge finds against them, one that is akin to the search's model too: such a judge
   errs in favour.
4. "supported" where every counting judge finds for them and at least one is independent or related: neither the same
   weights, run, base or behaviour, nor the same architecture on the same data.
5. "not judged" otherwise, with the reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from zoo.terminal.columns import align
from zoo_design.judgement.gain import QUANTILE, Gain
from zoo_design.judgement.independence import Relation
from zoo_design.judgement.judges import Skill

Status = Literal["supported", "not supported", "not judged"]


@dataclass(frozen=True)
class Opinion:
    """What one judge says.  gain: None where it could judge too few designs."""

    judge: str
    relation: Relation
    skill: Skill
    gain: Gain | None
    summary: tuple[tuple[str, int, float, float, float], ...] = ()
    """(group, n, mean, median, 95th percentile) of designs, starts and controls."""

    @property
    def counts(self) -> bool:
        """Whether it may say anything at all."""
        return self.relation.kind != "same" and self.skill.good and self.gain is not None

    @property
    def against(self) -> bool:
        """Whether it finds against the designs: without natural sequences it does so by the other differences alone."""
        if not self.counts or self.gain is None:
            return False
        parts = (self.gain.over_start, self.gain.over_random, self.gain.over_natural)
        return not all(part.positive for part in parts if part is not None)

    def words(self) -> str:
        """Skill, relation and the three differences, or why there are none."""
        head = f"{self.judge} ({self.skill.words}; {self.relation.words})"
        if self.gain is None:
            return f"{head}: too few designs that it can read, 10 distinct ones are needed"
        gain = self.gain
        natural = f"{gain.over_natural} over the {100 * QUANTILE:.0f}th percentile of natural ones, by their median"
        return (
            f"{head}: {gain.over_start} over their starts, {gain.over_random} over as many random edits, "
            f"{natural if gain.over_natural else 'no natural ones to compare with'} "
            f"(n = {gain.n:,}, resampling {gain.n_units:,} {gain.units})"
        )


@dataclass(frozen=True)
class Verdict:
    """status, and words that give the reason.  columns, rows: a row a design, in their order.

    facts: {name: number} of the set as a whole.  notes: what a reader should know beside it.
    """

    status: Status
    words: str
    opinions: tuple[Opinion, ...] = ()
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[Any, ...], ...] = ()
    facts: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.status}: {self.words}"

    def extra(self) -> dict[str, list[Any]]:
        """{column: (N,)} of what a design does not hold itself, to be written beside it."""
        own = ("name", "status", "start_value", "value", "edits")
        return {name: [row[i] for row in self.rows] for i, name in enumerate(self.columns) if name not in own}

    def lines(self) -> list[str]:
        """For the console: a table a judge, then the verdict and its notes."""
        lines = []
        for opinion in self.opinions:
            table = [[opinion.judge, "n", "mean", "median", "95 %"]]
            table += [
                [g, f"{n:,}", f"{mean:.3g}", f"{m:.3g}", f"{high:.3g}"] for g, n, mean, m, high in opinion.summary
            ]
            lines += [*align(table, numbers=True), f"  {opinion.words()}"]
        lines += [f"{key.replace('_', ' ')}: {_text(value)}" for key, value in self.facts.items()]
        return [*lines, *(f"  {note}" for note in self.notes), str(self)]

    def comments(self) -> dict[str, str]:
        """Lines above a table: the verdict, each judge's opinion, facts and notes."""
        lines = {"verdict": str(self)}
        for o in self.opinions:
            lines[f"judge.{o.judge}"] = o.words()
            lines |= {f"judge.{o.judge}.{group}": _group(*values) for group, *values in o.summary}
        lines |= {
            f"designs.{key}": f"{value:.4g}" if isinstance(value, float) else str(value)
            for key, value in self.facts.items()
        }
        return lines | {f"note.{i}": note for i, note in enumerate(self.notes, 1)}


def decide(opinions: Sequence[Opinion]) -> tuple[Status, str]:
    """Status and sentence, by the rule above."""
    if not opinions:
        return "not judged", "no judge was given: name a model that had no part in the search with --judge"
    against = [o for o in opinions if o.against]
    if against:
        return "not supported", "; ".join(_failure(o) for o in against)
    counting = [o for o in opinions if o.counts]
    able = [o for o in counting if o.relation.can_support]
    lacking = [o.judge for o in counting if o.gain is None or o.gain.over_natural is None]
    if able and not lacking:
        names = ", ".join(o.judge for o in able)
        return "supported", (
            f"every judge that counts finds the designs better than their starts and than random edits, and their "
            f"median above the 95th percentile of natural sequences ({names})"
        )
    if lacking:
        return "not judged", "fewer than 200 natural sequences that the judge can read: name more with --natural"
    return "not judged", "; ".join(obstacle(o) for o in opinions)


def _failure(opinion: Opinion) -> str:
    gain = opinion.gain
    if gain is None:
        return opinion.words()
    failed = []
    if not gain.over_start.positive:
        failed.append(f"no gain over the starts ({gain.over_start})")
    if not gain.over_random.positive:
        failed.append(f"no gain over as many random edits ({gain.over_random})")
    if gain.over_natural and not gain.over_natural.positive:
        failed.append(f"their median is not above the 95th percentile of natural sequences ({gain.over_natural})")
    return f"{opinion.judge} sees {' and '.join(failed)}"


def obstacle(opinion: Opinion) -> str:
    """Why a judge's agreement counts for nothing."""
    if opinion.relation.kind == "same":
        return f"{opinion.judge} is the model of the search itself: {opinion.relation.words}"
    if not opinion.skill.good:
        return f"{opinion.judge} supports nothing: {opinion.skill.words}"
    if opinion.gain is None:
        return f"{opinion.judge} can read fewer than 10 distinct designs"
    return f"{opinion.judge} is not independent: {opinion.relation.words}"


def _group(n: int, mean: float, median: float, high: float) -> str:
    return f"n {n:,}, mean {mean:.4g}, median {median:.4g}, {100 * QUANTILE:.0f}th percentile {high:.4g}"


def _text(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
