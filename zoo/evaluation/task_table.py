"""Many tasks in one evaluation: a line a task, the best and the worst, and means that say over which tasks.

rows of an evaluation -> task_rows (a dict a task) -> write_tasks (TSV)
                      -> macro_rows (a row a predictor and metric, the mean over tasks) -> extremes (lines of text)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from zoo.evaluation.comparison import METRICS, compare_rows, number
from zoo.files.tables import write_table
from zoo.terminal.columns import align

_SHOWN = 5
_NAMED = 6
_RESAMPLES = 2_000

Row = Mapping[str, Any]


def task_rows(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """A dict a stratum, head and task, in their order, with one set of keys.

    stratum, head, task, n, n_positive, prevalence; METRIC of the model, with METRIC_low and METRIC_high for the metrics
    that lead; METRIC:PREDICTOR of every baseline, for those too; rival (the best baseline by the first of them),
    difference, difference_low, difference_high from it (paired bootstrap); note.  None where there is no number.
    """
    by_task: dict[tuple, list[Row]] = {}
    for row in rows:
        by_task.setdefault((row["stratum"], row["head"], row["task"]), []).append(row)
    own = dict.fromkeys(r["metric"] for r in rows if not r["baseline"])
    own = own or dict.fromkeys(r["metric"] for r in rows)
    baselines = dict.fromkeys(r["predictor"] for r in rows if r["baseline"])
    leading = [m for m in own if m in METRICS]
    return [_task_row(key, some, list(own), leading, list(baselines)) for key, some in by_task.items()]


def _task_row(
    key: tuple[str, str, str], rows: Sequence[Row], own: Sequence[str], leading: Sequence[str], baselines: Sequence[str]
) -> dict[str, Any]:
    cells = {(r["predictor"] if r["baseline"] else "", r["metric"]): r for r in rows}
    n, positive = rows[0]["n"], rows[0]["n_positive"]
    line: dict[str, Any] = dict(zip(("stratum", "head", "task"), key, strict=True))
    line |= {"n": n, "n_positive": positive, "prevalence": positive / n if n and positive is not None else None}
    for metric in own:
        row = cells.get(("", metric), {})
        line[metric] = row.get("value")
        if metric in leading:
            line |= {f"{metric}_{end}": row.get(end) for end in ("low", "high")}
    line |= {f"{m}:{name}": cells.get((name, m), {}).get("value") for m in leading for name in baselines}
    comparison = compare_rows(rows, key[1], key[2], key[0])
    line["rival"] = comparison.baseline["predictor"] if comparison and comparison.baseline else None
    difference = (comparison.difference if comparison else None) or (None, None, None)
    line |= dict(zip(("difference", "difference_low", "difference_high"), difference, strict=True))
    first = next((cells[("", m)] for m in own if ("", m) in cells), {})
    return line | {"note": "" if str(first.get("note", "")).startswith("prevalence") else first.get("note", "")}


def write_tasks(path: str | Path, rows: Sequence[Row], comments: Mapping[str, Any] | None = None) -> int:
    """Write `task_rows` as a table; returns how many."""
    lines = task_rows(rows)
    header = list(lines[0]) if lines else ["stratum", "head", "task"]
    cells = ([line[key] for key in header] for line in lines)
    return write_table(path, header, cells, comments)


def macro_rows(rows: Sequence[Row]) -> Iterator[dict[str, Any]]:
    """A row a predictor and metric of one head and stratum: the mean over tasks, and its interval, tasks resampled.

    Every predictor's mean is over the same tasks: those in which all that have the metric at all have a value.  The
    note says which others there are.
    """
    every = list(dict.fromkeys(r["task"] for r in rows))
    values = {(r["predictor"], r["metric"], r["task"]): r["value"] for r in rows if r["value"] is not None}
    having: dict[str, set] = {}
    for predictor, metric, _ in values:
        having.setdefault(metric, set()).add(predictor)
    for predictor, metric in dict.fromkeys((r["predictor"], r["metric"]) for r in rows):
        first = next(r for r in rows if (r["predictor"], r["metric"]) == (predictor, metric))
        common = [t for t in every if all((p, metric, t) in values for p in having.get(metric, ()))]
        if predictor not in having.get(metric, ()) or not common:
            yield {**first, "value": None, "low": None, "high": None, "note": "", "rival": ""}
            continue
        numbers = np.array([values[predictor, metric, t] for t in common])
        low, high = mean_interval(numbers)
        note = _left_out(every, common)
        yield {**first, "value": float(numbers.mean()), "low": low, "high": high, "note": note, "rival": ""}


def mean_interval(numbers: np.ndarray) -> tuple[float | None, float | None]:
    """95 % percentile interval of the mean of (tasks,) numbers, tasks resampled; None for fewer than two."""
    if len(numbers) < 2:
        return None, None
    drawn = np.random.default_rng(0).integers(0, len(numbers), (_RESAMPLES, len(numbers)))
    low, high = np.quantile(numbers[drawn].mean(1), [0.025, 0.975])
    return float(low), float(high)


def _left_out(every: Sequence[str], common: Sequence[str]) -> str:
    out = [t for t in every if t not in set(common)]
    if not out:
        return ""
    names = ", ".join(out[:_NAMED]) + (f" and {len(out) - _NAMED} more" if len(out) > _NAMED else "")
    return f"mean over {len(common)} of {len(every)} tasks, without {names}, where it is undefined"


def extremes(rows: Sequence[Row]) -> Iterator[str]:
    """Lines of the best and the worst tasks of one head and stratum, by the model's leading metric."""
    lines = [line for line in task_rows(rows) if line["n"]]
    leading = [m for m in METRICS if any(line.get(m) is not None for line in lines)][:2]
    if not leading or all(r["baseline"] for r in rows):
        return
    known = sorted((line for line in lines if line[leading[0]] is not None), key=lambda line: -line[leading[0]])
    shown = known if len(known) <= 2 * _SHOWN else [*known[:_SHOWN], None, *known[-_SHOWN:]]
    table = [["task", "n", "positive", *leading, "best baseline", "difference"]]
    table += [["..."] + [""] * (len(table[0]) - 1) if line is None else _cells(line, leading) for line in shown]
    yield from align(table)


def _cells(line: Row, leading: Sequence[str]) -> list[str]:
    size = [f"{line['n']:,}", "" if line["n_positive"] is None else f"{line['n_positive']:,}"]
    own = [number({"value": line[m], "low": line[f"{m}_low"], "high": line[f"{m}_high"]}) for m in leading]
    ends = {"value": line["difference"], "low": line["difference_low"], "high": line["difference_high"]}
    rival = line["rival"]
    beside = f"{rival} {line[f'{leading[0]}:{rival}']:.3f}" if rival else ""
    return [line["task"], *size, *own, beside, number(ends) if rival else ""]
