"""Section `validation`: faithfulness of the attributions, as zoo.attribution.validation measures it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.evaluation.comparison import METRICS
from zoo.pictures.curves import draw_agreement
from zoo.pictures.intervals import Estimate, draw_intervals
from zoo.prediction.further_inputs import take
from zoo.report.section import Picture, Section, Subject, Table, Text
from zoo.report.sequences import random_part

if TYPE_CHECKING:
    from zoo.attribution.validation import Validation
    from zoo.attribution.verdict import Verdict

TITLE = "Whether to believe the attributions"
TONES = {"yes": "good", "no": "bad", "unsure": "unsure"}
_COLUMNS = {"value": "value", "low": "95 % from", "high": "to", "null_high": "shuffled up to", "n": "n"}
_UNITS = {"sequences": "mean over sequences", "numbers": "all numbers pooled"}


def validation(subject: Subject) -> Section | None:
    """Verdicts in words, then the numbers behind them; a warning where validation was not wanted."""
    if subject.interpreter is None:
        return None
    if not subject.n_validation:
        text = "The attributions of this report were not validated: do not rely on them."
        return Section(TITLE, [Text(text, "unsure")])
    if needed := subject.other_inputs:
        text = (
            f"Not validated: the model reads {', '.join(needed)} beside the sequence, which this report was not given."
        )
        return Section(TITLE, [Text(text, "unsure")])
    from zoo.attribution.validation import validate

    # A random part, since the order of the sequences may mean something.
    rows = random_part(np.arange(len(subject.codes)), subject.n_validation, subject.seed)
    result = validate(
        subject.model,
        subject.codes[rows],
        interpreter=subject.interpreter,
        output=subject.output,
        names=[subject.names[i] for i in rows] if len(subject.names) else None,
        inputs=take(subject.inputs, rows),
        seed=subject.seed,
        progress=subject.progress,
    )
    subject.results["validation"] = result
    subject.results["verdicts"] = result.verdicts()
    parts: list[Text | Picture | Table] = [
        Text(
            "An attribution can look convincing and be wrong. Here it is held against a measurement on the model "
            f"itself: the effect of every substitution, in {_of(subject, len(rows))}."
        ),
        *_reservations(subject),
        *(verdict_text(verdict) for verdict in subject.results["verdicts"]),
        *_pictures(result),
        *_numbers(result.rows),
    ]
    return Section(TITLE, parts)


def _of(subject: Subject, n: int) -> str:
    every = len(subject.codes)
    return subject.origin if n == every else f"{n:,} of the {every:,} sequences of this report ({subject.origin})"


def verdict_text(verdict: Verdict) -> Text:
    """Question, answer and reason as one paragraph."""
    answer = {"yes": "Yes", "no": "No"}.get(verdict.answer, "Unsure")
    return Text(f"{verdict.question} {answer}: {_named(verdict.words)}.", TONES.get(verdict.answer, "unsure"))


def sentence(words: str) -> str:
    """A verdict's words with a capital and a full stop."""
    named = _named(words)
    return f"{named[:1].upper()}{named[1:]}."


def _named(words: str) -> str:
    """Without a full stop, and with the name of the metric that they begin with."""
    first, blank, rest = words.rstrip(".").partition(" ")
    return (METRICS[first][0] if first in METRICS else first) + blank + rest


def _reservations(subject: Subject) -> Iterator[Text]:
    """What weakens any verdict."""
    if subject.random:
        yield Text("The sequences are random: the answer says little of real ones.", "unsure")
    if (subject.interpreter or {}).get("name") == "ism":
        yield Text(
            "The attributions are the effects of substitutions themselves (ism), so that the agreement below is by "
            "definition and tests nothing.",
            "unsure",
        )


def _pictures(result: Validation) -> Iterator[Picture]:
    from zoo.attribution.validation import NAMES

    rows = [row for row in result.rows if row["unit"] == "sequences" and row["value"] is not None]
    if not rows:
        return
    lines = [
        Estimate(NAMES.get(r["measure"], r["measure"]), r["value"], r["low"], r["high"], True, r["null_high"])
        for r in rows
    ]
    text = "; ".join(f"{line.name} {line.value:.2f}" for line in lines)
    yield Picture(
        draw_intervals(lines, "agreement with the effects of substitutions", reference=(0.0, ""), limits=(-1, 1)),
        f"Agreement of the attributions with the effects of substitutions: {text}.",
        "Four measures of agreement, each the mean over sequences with its 95 % interval; 1 is perfect. Grey marks: "
        "what the same scores reach when they are shuffled within each sequence.",
    )
    yield Picture(
        draw_agreement(result.scores, result.effects),
        f"Attribution scores against effects of substitutions, {len(result.scores):,} pairs.",
        f"Each of {len(result.scores):,} scores (right) against the effect that was measured (up); darker is more. "
        "Of a faithful attribution the points lie along a rising line.",
    )


def _numbers(rows: Sequence[Mapping[str, Any]]) -> Iterator[Table]:
    from zoo.attribution.validation import NAMES

    if rows:
        lines = [
            [NAMES.get(r["measure"], r["measure"]), _UNITS.get(r["unit"], r["unit"]), *(r[key] for key in _COLUMNS)]
            for r in rows
        ]
        yield Table(["measure", "of", *_COLUMNS.values()], lines, "The numbers behind the answer.")
