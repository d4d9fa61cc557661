"""Is the model worth explaining?  Its test metric against those of its baselines."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from zoo.attribution.verdict import Verdict
from zoo.evaluation.comparison import CHANCE, METRICS, Comparison, clean_rows, compare_rows, number, tasks

if TYPE_CHECKING:
    from zoo.outputs import Output
    from zoo.spec import ModelSpec

QUESTION = "Is the model worth explaining?"


def check_baselines(rows: Iterable[Any], head: str = "", task: str = "") -> Verdict:
    """The verdict on the main metric of one task, the first one by default.

    rows: of an evaluation, or of a model's card, which is a stranger's text.  Baselines count that were evaluated on as
        many rows of the same split; members of an ensemble do not.

    yes: a paired test on the same rows finds the model better than the best baseline; of older rows, without one, the
    lower end of the model's interval is above the baseline's upper end (above chance, if there is no baseline, is not
    enough).  no: its value is not above the best baseline's, or its interval holds chance.
    unsure: between, or nothing was measured on held-out data.
    """
    known = clean_rows(rows)
    for split in ("test", "validation"):
        part = [r for r in known if r["split"] == split]
        target = (head, task) if head or task else next(iter(tasks(part)), ("", ""))
        comparison = compare_rows(part, *target)
        if comparison is not None:
            return _verdict(comparison)
    return Verdict(
        QUESTION, "unsure", "no metric of it on held-out data is at hand: give its data, or a card that states them"
    )


def task_of(output: Output, spec: ModelSpec) -> tuple[str, str]:
    """(head, task) that an output's first term reads; "" for a task without a name."""
    term = output.terms[0][0]
    field = spec.outputs[term.head][0]
    names = field.channels or field.vocabulary
    return term.head, names[term.channel] if names else ""


def _verdict(comparison: Comparison) -> Verdict:
    own, best = comparison.model, comparison.baseline
    words = f"{METRICS[comparison.metric][0]} on the {own['split']} split is {number(own)}, n = {own['n']:,}"
    if best is not None:
        words += f"; the best baseline, {best['predictor']}, has {number(best)}"
    chance = CHANCE.get(comparison.metric)
    least = own["value"] if own["low"] is None else own["low"]
    if chance is not None and least <= chance:
        return Verdict(QUESTION, "no", f"{words}: that is chance ({chance})")
    if best is None:
        return Verdict(QUESTION, "unsure", f"{words}; there is no baseline to hold it against")
    if comparison.difference:
        words += f"; the model is {comparison.verdict()}"
    if own["value"] <= best["value"]:
        return Verdict(QUESTION, "no", f"{words}: something simpler does as well")
    if comparison.better == "yes":
        return Verdict(QUESTION, "yes", words)
    return Verdict(QUESTION, "unsure", words if comparison.difference else f"{words}: the intervals are not apart")
