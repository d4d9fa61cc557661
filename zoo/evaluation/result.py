"""What an evaluation found: rows for the model card, a table to read, predictions to keep."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from zoo.evaluation.bootstrap import Difference, Measure
from zoo.evaluation.comparison import clean_rows, compare_rows, note_of, number, verdicts
from zoo.evaluation.metrics import Metric
from zoo.evaluation.task_table import extremes, macro_rows, write_tasks
from zoo.fields import Field
from zoo.terminal.columns import align

_MOST_TASKS = 8
_MEAN = "mean over {} tasks, with the interval of tasks resampled"


@dataclass
class Evaluation:
    """Metrics and predictions of one split.

    rows: plain JSON dictionaries with the keys predictor, baseline, head, task, metric, value, low, high, n,
        n_positive, split, unit (what the metric is aggregated over), stratum, note.  value is None where the
        metric is undefined, and note says why.  A row of the model has rival, difference, difference_low and
        difference_high too where a paired bootstrap held it against the baseline that does best on these rows.
    predictions: columns by name: those that name the examples, status, then every task and its label.
    """

    split: str
    identity: Mapping[str, np.ndarray]
    rows: list[dict[str, Any]] = field(default_factory=list)
    predictions: dict[str, np.ndarray] = field(default_factory=dict)

    def value(self, metric: str, task: str | None = None, predictor: str | None = None, stratum: str = "all") -> Any:
        """The row of a metric: of the model, or of the predictor named; None where there is none."""
        for row in self.rows:
            chosen = row["predictor"] == predictor if predictor else not row["baseline"]
            if chosen and row["metric"] == metric and row["stratum"] == stratum and task in (None, row["task"]):
                return row
        return None

    def add(
        self,
        predictor: str,
        baseline: bool,
        head: str,
        task: str,
        metric: Metric | None,
        measured: Measure,
        stratum: str = "all",
        note: str = "",
        difference: Difference | None = None,
    ) -> None:
        """Append one row."""
        numbers = {key: getattr(measured, key) for key in ("value", "low", "high", "n", "n_positive")}
        self.rows.append(
            {
                "predictor": predictor,
                "baseline": baseline,
                "head": head,
                "task": task,
                "metric": metric.name if metric else "none",
                **numbers,
                "split": self.split,
                "unit": metric.unit if metric else "",
                "stratum": stratum,
                "note": "; ".join(filter(None, (measured.note, note))),
                **({} if difference is None else _columns_of(difference)),
            }
        )

    def keep(self, head: str, task: str, field: Field, truth: np.ndarray, prediction: np.ndarray | None) -> None:
        """Remember a task's predictions and labels as columns; a profile by its sum, a class by its name."""
        if prediction is None or truth.ndim > 2 or (field.values == "class" and truth.ndim > 1):
            return
        name = f"{head}/{task}" if head else task
        if field.values == "class":
            names = np.array([*field.vocabulary, None], dtype=object)
            prediction, truth = names[prediction.argmax(1)], names[np.where(truth < 0, -1, truth).astype(int)]
        elif truth.ndim == 2:
            name += ":sum"
            known = np.isfinite(truth).any(1)
            prediction, truth = prediction.sum(1), np.where(known, np.nansum(truth, axis=1), np.nan)
        self.predictions[name] = prediction
        self.predictions[f"{name}.label"] = truth

    def write(self, path: str | Path, comments: Mapping[str, Any] | None = None) -> int:
        """Write the predictions as a TSV whose column status is ok, no_label or not_finite; returns how many rows."""
        from zoo.files.tables import write_table

        names = {c if c not in {"status", *self.predictions} else f"input_{c}": c for c in self.identity}
        labels = [v for key, v in self.predictions.items() if key.endswith(".label")]
        rows = len(next(iter(self.identity.values())))
        missing = np.full(rows, bool(labels))
        for label in labels:
            missing &= np.array([x is None or x != x for x in label], bool)
        finite = np.ones(rows, bool)
        for key, column in self.predictions.items():
            if not key.endswith(".label") and np.asarray(column).dtype.kind == "f":
                finite &= np.isfinite(column)
        status = np.where(missing, "no_label", np.where(finite, "ok", "not_finite"))
        columns = [*(self.identity[c] for c in names.values()), status, *self.predictions.values()]
        header = [*names, "status", *self.predictions]
        return write_table(path, header, zip(*columns, strict=True), {"split": self.split, **(comments or {})})

    def write_tasks(self, path: str | Path, comments: Mapping[str, Any] | None = None) -> int:
        """Write a table with a row a task and stratum, see `zoo.evaluation.task_table.task_rows`; returns how many."""
        return write_tasks(path, self.rows, {"split": self.split, **(comments or {})})

    def table(self) -> str:
        """The rows as `table_of` shows them."""
        return table_of(self.rows)


def _columns_of(difference: Difference) -> dict[str, Any]:
    numbers = {"difference": difference.value, "difference_low": difference.low, "difference_high": difference.high}
    return {"rival": difference.rival, **numbers}


def table_of(rows: Sequence[Mapping[str, Any]]) -> str:
    """Text: a block a stratum and task, a line a predictor, a column a metric; means over tasks, the best and the
    worst of them where they are many."""
    return "\n\n".join(_block(*block) for block in _blocks(rows))


def metrics_text(rows: Sequence[Mapping[str, Any]]) -> str:
    """The rows of an evaluation as `zoo evaluate` prints them; a stranger's rows may lack anything."""
    return table_of(clean_rows(rows))


def _blocks(every: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, list[dict], list[str]]]:
    """(title, rows, sentences on the model and its best rival)."""
    for stratum in dict.fromkeys(r["stratum"] for r in every):
        for head in dict.fromkeys(r["head"] for r in every):
            rows = [dict(r) for r in every if r["stratum"] == stratum and r["head"] == head]
            tasks = list(dict.fromkeys(r["task"] for r in rows))
            where = "".join(dict.fromkeys(r["split"] for r in rows)) + ("" if stratum == "all" else f", {stratum}")
            if len(tasks) > _MOST_TASKS:
                title = f"{where}: {head}, {_MEAN.format(len(tasks))}"
                yield title, list(macro_rows(rows)), [*extremes(rows), *_tally(rows)]
                continue
            for task in tasks:
                some = [r for r in rows if r["task"] == task]
                if any(r["n"] for r in some):
                    title = f"{where}: {'/'.join(dict.fromkeys(filter(None, (head, task))))}, {_size(some[0])}"
                    yield title, some, list(verdicts(some))
                elif stratum == "all":
                    yield f"{where}: {task or head}, no labelled example", [], []
            if len(tasks) > 1:
                yield f"{where}: {head}, {_MEAN.format(len(tasks))}", list(macro_rows(rows)), []


def _size(row: Mapping[str, Any]) -> str:
    if row["n_positive"] is None or not row["n"]:
        return f"n = {row['n']:,}"
    if row["unit"] == "positions":
        return f"n = {row['n']:,} examples ({row['n_positive']:,} with a positive)"
    return f"n = {row['n']:,} ({row['n_positive']:,} positive, prevalence {row['n_positive'] / row['n']:.3g})"


def _tally(rows: list[dict]) -> Iterator[str]:
    """In how many tasks the model is better than the best rival of each."""
    counts = dict.fromkeys(("yes", "unsure", "no"), 0)
    for head, task in dict.fromkeys((r["head"], r["task"]) for r in rows if r["stratum"] == "all"):
        comparison = compare_rows(rows, head, task)
        if comparison and comparison.difference:
            counts[comparison.better] += 1
    if n := sum(counts.values()):
        better, no_better, worse = counts.values()
        yield (
            f"of {n} tasks the model is better than the best rival in {better}, no better in {no_better}, "
            f"worse in {worse} (paired bootstrap)"
        )


def _block(title: str, rows: list[dict], sentences: list[str]) -> str:
    if not rows:
        return title
    metrics = list(dict.fromkeys(r["metric"] for r in rows))
    # What nobody has a value of is left to the notes.
    shown = [m for m in metrics if any(r["value"] is not None for r in rows if r["metric"] == m)]
    units = {r["metric"]: r["unit"] for r in rows}
    header = ["", *(m if units[m] in ("examples", "") else f"{m} ({units[m]})" for m in shown)]
    lines = [header]
    for predictor in dict.fromkeys(r["predictor"] for r in rows):
        cells = {r["metric"]: number(r) for r in rows if r["predictor"] == predictor}
        lines.append([predictor, *(cells.get(m, "") for m in shown)])
    return "\n".join([title, *align(lines), *_notes(rows, metrics), *(f"  {sentence}" for sentence in sentences)])


def _notes(rows: list[dict], metrics: list[str]) -> Iterator[str]:
    """A line a note: whose it is, and of which metrics where not of all."""
    by_note: dict[str, dict[str, list[str]]] = {}
    for r in rows:
        if note := note_of(r):
            by_note.setdefault(note, {}).setdefault(r["predictor"], []).append(r["metric"])
    for note, whose in by_note.items():
        predictors = []
        for predictor, names in whose.items():
            few = len(names) < len(metrics) / 2
            predictors.append(f"{predictor} ({', '.join(names)})" if few else predictor)
        yield f"  {note}: {', '.join(predictors)}"
