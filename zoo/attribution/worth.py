"""Is the model worth explaining?  Its test metric is held against its baselines'."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from zoo.attribution.verdict import Verdict

if TYPE_CHECKING:
    from zoo.outputs import Output
    from zoo.spec import ModelSpec

__all__ = ["QUESTION", "task_of", "worth_explaining"]

QUESTION = "Is the model worth explaining?"
PRIMARY = ("auroc", "pearson", "accuracy", "log_count_pearson")
"""The metric that decides, of those that are there: larger is better in all."""
CHANCE = {"auroc": 0.5, "pearson": 0.0, "log_count_pearson": 0.0}


def worth_explaining(rows: Sequence[Mapping[str, Any]], head: str = "", task: str = "") -> Verdict:
    """The verdict on the metric of one task, from the rows of an evaluation or of a model's card.

    yes: the lower end of the model's interval is above the best baseline's upper end (above chance, if there is no
    baseline, is not enough).  no: its value is not above the best baseline's, or its interval holds chance.
    unsure: between, or nothing was measured on held-out data.
    """
    held_out = [r for r in rows if _plain(r) and r.get("split") in ("test", "validation")]
    held_out = [r for r in held_out if _matches(r, "head", head) and _matches(r, "task", task)]
    for metric in PRIMARY:
        chosen = [r for r in held_out if r.get("metric") == metric and _number(r.get("value")) is not None]
        own = next((r for r in chosen if not r.get("baseline")), None)
        if own is not None:
            return _judge(metric, own, [r for r in chosen if r.get("baseline")])
    return Verdict(
        QUESTION, "unsure", "no metric of it on held-out data is at hand: give its data, or a card that states them"
    )


def task_of(output: Output, spec: ModelSpec) -> tuple[str, str]:
    """(head, task) that an output's first term reads; "" for a task without a name."""
    term = output.terms[0][0]
    field = spec.outputs[term.head][0]
    names = field.channels or field.vocabulary
    return term.head, names[term.channel] if names else ""


def _judge(metric: str, own: Mapping[str, Any], baselines: Sequence[Mapping[str, Any]]) -> Verdict:
    value, low = own["value"], _number(own.get("low"))
    told = f"{metric} on the {own['split']} split is {_text(own)}, n = {own.get('n') or 0:,}"
    best = max(baselines, key=lambda r: r["value"], default=None)
    if best is not None:
        told += f"; the best baseline, {best.get('predictor', 'unnamed')}, has {_text(best)}"
    chance = CHANCE.get(metric)
    if chance is not None and (low if low is not None else value) <= chance:
        return Verdict(QUESTION, "no", f"{told}: that is chance ({chance})")
    if best is None:
        return Verdict(QUESTION, "unsure", f"{told}; there is no baseline to hold it against")
    if value <= best["value"]:
        return Verdict(QUESTION, "no", f"{told}: something simpler does as well")
    high = _number(best.get("high"))
    if low is not None and high is not None and low > high:
        return Verdict(QUESTION, "yes", told)
    return Verdict(QUESTION, "unsure", f"{told}: the intervals are not apart")


def _plain(row: Any) -> bool:
    return isinstance(row, Mapping) and row.get("stratum", "all") in ("all", "", None)


def _matches(row: Mapping[str, Any], key: str, wanted: str) -> bool:
    return not wanted or row.get(key) in (wanted, "", None)


def _number(x: Any) -> float | None:
    return float(x) if isinstance(x, int | float) and not isinstance(x, bool) and x == x else None


def _text(row: Mapping[str, Any]) -> str:
    low, high = _number(row.get("low")), _number(row.get("high"))
    return f"{row['value']:.3f}" + ("" if low is None or high is None else f" [{low:.3f}, {high:.3f}]")
