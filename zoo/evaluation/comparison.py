"""A model beside its best rival, a baseline.  Stored rows are checked first: a stranger may have written them.

rows -> clean_rows -> of one task -> {predictor: {metric: row}}, the model first and the best baseline named
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from zoo.terminal.printable import printable

MOST = 20_000
_LONGEST = 200

METRICS = {
    "auroc": ("AUROC", "the chance that a positive example scores above a negative one; 0.5 is guessing, 1 is perfect"),
    "auprc": ("AUPRC", "how pure the highest-scoring examples are; the share of positives is guessing, 1 is perfect"),
    "top_k": (
        "top-k accuracy",
        "the share of true positions among the k that score highest, k being their number",
    ),
    "pearson": ("Pearson's r", "how closely predictions follow the measured values on a line; 0 is none, 1 is perfect"),
    "spearman": ("Spearman's rho", "whether predictions rank the examples as measured; 0 is none, 1 is perfect"),
    "accuracy": ("accuracy", "the share of examples that are called right"),
    "log_count_pearson": ("Pearson's r of log counts", "whether regions with more reads are predicted to have more"),
}
"""Metrics that may be drawn, where more is better: name and meaning.  The first that is there leads."""

CHANCE = {"auroc": 0.5, "pearson": 0.0, "spearman": 0.0, "log_count_pearson": 0.0}

CALIBRATED = "a calibrated model"
"""How the note begins that says what to hold an ECE against."""


@dataclass(frozen=True)
class Comparison:
    """The model's row of its main metric, and that of the baseline which does best on the same rows.

    The model's row may hold the paired difference from that baseline (`zoo.evaluation.bootstrap.paired_difference`).
    """

    metric: str
    model: Mapping[str, Any]
    baseline: Mapping[str, Any] | None

    @property
    def difference(self) -> tuple[float, float, float] | None:
        """Value, low and high of the paired difference from this baseline; None where no row holds it."""
        row = self.model
        value, low, high = (row.get(key) for key in ("difference", "difference_low", "difference_high"))
        if self.baseline is None or row.get("rival") != self.baseline["predictor"]:
            return None
        return None if value is None or low is None or high is None else (value, low, high)

    @property
    def better(self) -> str:
        """yes or no where the interval of the paired difference lies above or below 0, else unsure.

        Rows without it, as those of version 0.2.0 and before: unsure where the two intervals overlap or are not known.
        """
        if self.baseline is None:
            return "unsure"
        if self.difference is not None:
            _, low, high = self.difference
            return "yes" if low > 0 else "no" if high < 0 else "unsure"
        ends = [self.model["low"], self.model["high"], self.baseline["low"], self.baseline["high"]]
        if any(end is None for end in ends):
            return "unsure"
        low, high, other_low, other_high = ends
        return "yes" if low > other_high else "no" if high < other_low else "unsure"

    def words(self) -> str:
        """What the number is of, and what it is beside."""
        told = f"On {self.model['n']:,} {self.model['split'] or 'recorded'} examples"
        if self.baseline is None:
            return f"{told}; no baseline is recorded beside it"
        words = f"{told}; the best baseline, {self.baseline['predictor']}, has {number(self.baseline)}"
        return f"{words}; the model is {self.verdict()}" if self.difference else words

    def verdict(self) -> str:
        """The paired test in words, to follow the model's name and "is"; "" where no row holds it."""
        if self.baseline is None or self.difference is None:
            return ""
        value, low, high = self.difference
        rival = f"the best rival on these rows, {self.baseline['predictor']}"
        test = f"in {METRICS[self.metric][0]} (paired bootstrap, n = {self.model['n']:,})"
        if self.better == "yes":
            return f"better than {rival}, by {value:.3f} [{low:.3f}, {high:.3f}] {test}"
        if self.better == "no":
            return f"worse than {rival}, by {-value:.3f} [{-high:.3f}, {-low:.3f}] {test}"
        return f"no better than {rival}: the difference is {value:.3f} [{low:.3f}, {high:.3f}] {test}"


def number(row: Mapping[str, Any]) -> str:
    """0.897 [0.883, 0.909], or a dash."""
    if row["value"] is None:
        return "-"
    interval = "" if row["low"] is None or row["high"] is None else f" [{row['low']:.3f}, {row['high']:.3f}]"
    return f"{row['value']:.3f}{interval}"


def note_of(row: Mapping[str, Any]) -> str:
    """The note, if it is shown below a table; the prevalence, and what to hold a baseline's ECE against, are not."""
    note = row["note"]
    hidden = note.startswith("prevalence") or (row["baseline"] and note.startswith(CALIBRATED))
    return "" if hidden else note


def clean_rows(rows: Iterable[Any]) -> list[dict[str, Any]]:
    """Rows with every key of an evaluation's, texts on one line and cut, numbers finite or None; of one ensemble
    its own rows, not those of its members."""
    clean = []
    for row in list(rows)[:MOST]:
        if not isinstance(row, Mapping) or "member" in row:
            continue
        texts = ("predictor", "head", "task", "metric", "split", "unit", "stratum", "note", "rival")
        numbers = ("value", "low", "high", "difference", "difference_low", "difference_high")
        one: dict[str, Any] = {key: printable(row.get(key) or "")[:_LONGEST] for key in texts}
        one |= {key: _finite(row.get(key)) for key in numbers}
        one |= {key: _count(row.get(key)) for key in ("n", "n_positive")}
        whole = {"stratum": one["stratum"] or "all", "n": one["n"] or 0}
        clean.append(one | whole | {"baseline": row.get("baseline") is True})
    return clean


def tasks(rows: Iterable[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """(head, task) in their order, of those with a value."""
    return list(dict.fromkeys((r["head"], r["task"]) for r in rows if r["value"] is not None))


def compare_rows(rows: Iterable[Mapping[str, Any]], head: str, task: str, stratum: str = "all") -> Comparison | None:
    """The model against its best baseline on one task; None where no metric that leads has a value."""
    own = [r for r in rows if (r["head"], r["task"], r["stratum"]) == (head, task, stratum)]
    metric = main_metric(own)
    if metric is None:
        return None
    leading = [r for r in own if r["metric"] == metric and r["value"] is not None]
    model = next(r for r in leading if not r["baseline"])
    # Only what was evaluated on as many rows of the same split stands beside the model.
    equal = [r for r in leading if r["baseline"] and (r["n"], r["split"]) == (model["n"], model["split"])]
    return Comparison(metric, model, max(equal, key=lambda r: r["value"], default=None))


def card_rows(rows: Iterable[Mapping[str, Any]], many: int = 20) -> tuple[Mapping[str, Any], ...]:
    """What a card keeps of an evaluation: all of it, or of more than `many` tasks the metrics that may be drawn, of the
    model and of each task's best baseline.  The others stand in the run's files."""
    rows = tuple(rows)
    known = {(r["head"], r["task"]) for r in rows}
    if len(known) <= many:
        return rows
    by_task: dict[tuple, list[Mapping[str, Any]]] = {}
    for row in rows:
        by_task.setdefault((row["head"], row["task"], row["stratum"]), []).append(row)
    kept = []
    for (head, task, stratum), some in by_task.items():
        comparison = compare_rows(some, head, task, stratum)
        best = comparison.baseline["predictor"] if comparison and comparison.baseline else None
        kept += [
            r for r in some if r["metric"] in METRICS and (not r["baseline"] or best is None or r["predictor"] == best)
        ]
    return tuple(kept)


def verdicts(rows: Iterable[Mapping[str, Any]], most: int = 40) -> Iterator[str]:
    """A sentence a task on the model and its best rival, of those that a paired test is stored of."""
    rows = [row for row in rows if row["stratum"] == "all"]
    known = tasks(rows)
    for head, task in known[:most]:
        comparison = compare_rows(rows, head, task)
        if comparison and comparison.difference:
            name = comparison.model["predictor"] or "the model"
            where = f"{head}/{task}: " if task and len(known) > 1 else f"{head}: " if len(known) > 1 else ""
            yield f"{where}{name} is {comparison.verdict()}"


def main_metric(rows: Iterable[Mapping[str, Any]]) -> str | None:
    """The first of METRICS that the model has a value of; the AUPRC of labels by position, nearly all of whose
    negatives are easy."""
    have = {r["metric"]: r["unit"] for r in rows if not r["baseline"] and r["value"] is not None}
    if have.get("auprc") == "positions":
        return "auprc"
    return next((metric for metric in METRICS if metric in have), None)


def _finite(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > 1e12 or not math.isfinite(value):
        return None
    return float(value)


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**12 else None
