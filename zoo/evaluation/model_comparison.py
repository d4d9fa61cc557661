"""One model against others on equal rows: several tasks in one network against a network for each of them.

model, {name: model}, source -> predictions of the same examples -> a row a task (paired difference) and their mean
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.data.source import Source
from zoo.errors import ConfigError
from zoo.evaluation.bootstrap import Measure, measure, paired_difference
from zoo.evaluation.comparison import METRICS, number
from zoo.evaluation.metrics import Metric, metrics_for
from zoo.evaluation.split_predictions import labels_of, predictions_of, read
from zoo.evaluation.tasks import is_labelled, tasks_of
from zoo.fields import Field
from zoo.files.tables import write_table
from zoo.terminal.columns import align

if TYPE_CHECKING:
    from zoo.model import Model

_MOST_SHOWN = 40
_LEADING = 2


@dataclass(frozen=True)
class ModelComparison:
    """Rows of `compare_models`.

    rows: other, head, task, metric, n, n_positive, value, other_value, difference, low, high (None where there is no
        number), note.
    means: metric, tasks, better, worse, value, other_value, difference, low, high: the mean over the tasks that both
        have a value of.  The interval draws tasks, and of each one of its resampled differences, so that it holds for
        other tasks of this kind and other examples.
    """

    split: str
    rows: list[dict[str, Any]]
    means: list[dict[str, Any]]

    def text(self, name: str = "the model") -> str:
        """A line a task, and a sentence a metric on the mean."""
        n = len({r["other"] for r in self.rows})
        lines = [f"{self.split}: {name} against {n} other{'s' * (n > 1)}, on equal rows"]
        first = self.means[0]["metric"] if self.means else None
        shown = [r for r in self.rows if r["metric"] == first]
        table = [["", "against", "n", "positive", f"{first}", "of the other", "difference"]]
        table += [_cells(row) for row in shown[:_MOST_SHOWN]]
        lines += align(table)
        if len(shown) > _MOST_SHOWN:
            lines.append(f"... and {len(shown) - _MOST_SHOWN} more; --table FILE writes all of them")
        return "\n".join([*lines, *(f"  {_sentence(mean, name)}" for mean in self.means)])

    def write(self, path: str | Path, comments: Mapping[str, Any] | None = None) -> int:
        """Write the rows as a table; returns how many."""
        header = list(self.rows[0]) if self.rows else ["other"]
        return write_table(path, header, ([row[k] for k in header] for row in self.rows), comments)


def compare_models(
    model: Model,
    others: Mapping[str, Model],
    source: Source,
    split: str = "test",
    *,
    n_bootstrap: int = 1000,
    seed: int = 0,
    batch_size: int | None = None,
) -> ModelComparison:
    """Hold a model against others on the examples of a split, for every task that both predict.

    Tasks go by their names, in a head of the same name.  A task's rows are those with a label of it, the same for both
    models.  Raises ConfigError for another model that shares no task, or where nothing is left to compare.
    """
    examples = source.examples(split)
    if not len(examples):
        raise ConfigError(f"split {split!r} of the data is empty: choose another, or data that have one")
    shared = {name: _shared_tasks(model, other, source, name) for name, other in others.items()}
    heads = {head: source.targets[head] for tasks in shared.values() for head in tasks}
    labels = read(examples, lambda batch: labels_of(batch, heads), label=f"reading {split}")
    own = _predictions(model, heads, source, split, np.arange(len(examples)), batch_size)
    pairs: list[tuple[dict[str, Any], Metric, Measure, Measure]] = []
    for name, other in others.items():
        rows = _labelled_rows(labels, shared[name], source)
        theirs = _predictions(other, {head: heads[head] for head in shared[name]}, source, split, rows, batch_size)
        for head, tasks in shared[name].items():
            for task in tasks:
                field, channel = heads[head], heads[head].channels.index(task)
                truth = labels[f"target/{head}"][rows, channel]
                at = np.flatnonzero(is_labelled(truth, field))
                both = (_column(model, own[head][rows], head, task), _column(other, theirs[head], head, task))
                for metric in [m for m in metrics_for(field) if m.name in METRICS][:_LEADING]:
                    options = {"binary": field.values == "binary", "n_bootstrap": n_bootstrap, "seed": seed}
                    measures = (measure(metric, truth[at], x[at], **options) for x in both)
                    pairs.append(({"other": name, "head": head, "task": task}, metric, *measures))
    if not pairs:
        raise ConfigError(f"no task of the {split} split is left to compare: look at its labels")
    return ModelComparison(split, [_row(*pair) for pair in pairs], _means(pairs))


def names_of(others: Mapping[str, Model]) -> list[str]:
    """What the others are called in the table: their models' names, or where two share one, where they are."""
    names = [model.spec.name for model in others.values()]
    return [name if names.count(name) == 1 else source for name, source in zip(names, others, strict=True)]


def _shared_tasks(model: Model, other: Model, source: Source, name: str) -> dict[str, list[str]]:
    """{head: tasks} that the data label and both models predict by one number an example."""
    shared = {}
    for head, field in source.targets.items():
        outputs = [m.spec.outputs.get(head) for m in (model, other)]
        if any(x is None for x in outputs) or field.axes != "C" or field.values == "class":
            continue
        channels = [set(x[0].channels) for x in outputs if x is not None]
        tasks = [task for task, _ in tasks_of(field) if all(task in known for known in channels)]
        if tasks:
            shared[head] = tasks
    if not shared:
        theirs = [f"{head}/{task}" for head, (field, _) in other.spec.outputs.items() for task in field.channels]
        raise ConfigError(
            f"{name} predicts {', '.join(theirs[:5]) or 'no task'}, none of which the model and the data have: "
            "give runs of the same data that have a task of it"
        )
    return shared


def _labelled_rows(labels: Mapping[str, np.ndarray], shared: Mapping[str, Sequence[str]], source: Source) -> np.ndarray:
    """Rows with a label of any shared task."""
    known = [
        np.isfinite(labels[f"target/{head}"][:, source.targets[head].channels.index(task)])
        for head, tasks in shared.items()
        for task in tasks
    ]
    return np.flatnonzero(np.any(known, axis=0))


def _predictions(
    model: Model, heads: Mapping[str, Field], source: Source, split: str, rows: np.ndarray, batch_size: int | None
) -> dict[str, np.ndarray]:
    from zoo.prediction.inference import inferring

    predict = predictions_of(model, heads, batch_size)
    with inferring(model):
        values = read(source.examples(split), predict, rows, label=f"predicting {split}")
    return {head: values.get(f"prediction/{head}", np.zeros((0, 1))) for head in heads}


def _column(model: Model, prediction: np.ndarray, head: str, task: str) -> np.ndarray:
    return prediction[:, model.spec.outputs[head][0].channels.index(task)]


def _row(key: Mapping[str, Any], metric: Metric, own: Measure, other: Measure) -> dict[str, Any]:
    difference = paired_difference("", own, other)
    ends = (None, None) if difference is None else (difference.low, difference.high)
    note = "" if own.note.startswith("prevalence") and difference is not None else own.note
    return {
        **key,
        "metric": metric.name,
        "n": own.n,
        "n_positive": own.n_positive,
        "value": own.value,
        "other_value": other.value,
        "difference": None if own.value is None or other.value is None else own.value - other.value,
        "low": ends[0],
        "high": ends[1],
        "note": note,
    }


def _means(pairs: Sequence[tuple[Mapping[str, Any], Metric, Measure, Measure]]) -> list[dict[str, Any]]:
    """A row a metric; a task that several others have enters once, with the mean of its differences."""
    means = []
    for name in dict.fromkeys(metric.name for _, metric, *_ in pairs):
        by_task: dict[tuple[str, str], list[tuple[Measure, Measure]]] = {}
        for key, metric, own, other in pairs:
            if metric.name == name and own.value is not None and other.value is not None:
                by_task.setdefault((key["head"], key["task"]), []).append((own, other))
        if by_task:
            means.append({"metric": name, **_mean(list(by_task.values()))})
    return means


def _mean(tasks: Sequence[Sequence[tuple[Measure, Measure]]]) -> dict[str, Any]:
    """tasks: of each the measures of model and others."""
    values = np.array([[np.mean([m.value for m in side]) for side in zip(*pairs, strict=True)] for pairs in tasks])
    difference = values[:, 0] - values[:, 1]
    counts = {"tasks": len(tasks), "better": int((difference > 0).sum()), "worse": int((difference < 0).sum())}
    own, other = (float(x) for x in values.mean(0))
    low, high = _two_level_interval(difference, tasks)
    numbers = {"value": own, "other_value": other, "difference": float(difference.mean()), "low": low, "high": high}
    return counts | numbers


def _two_level_interval(
    difference: np.ndarray, tasks: Sequence[Sequence[tuple[Measure, Measure]]]
) -> tuple[float | None, float | None]:
    """95 % percentile interval of the mean difference: tasks are drawn, and of each a resample of its examples; a task
    with too few examples for one has its difference alone.  None for fewer than two tasks without resamples."""
    drawn = [
        None if any(x.resampled is None for pair in pairs for x in pair) else _mean_of_resamples(pairs)
        for pairs in tasks
    ]
    size = max((len(x) for x in drawn if x is not None), default=0)
    if not size and len(tasks) < 2:
        return None, None
    size = size or 2_000
    columns = [
        np.full(size, d) if x is None else np.where(np.isfinite(x), x, d)
        for x, d in zip(drawn, difference, strict=True)
    ]
    rng = np.random.default_rng(0)
    at = rng.integers(0, len(tasks), (size, len(tasks)))
    resample = rng.integers(0, size, (size, len(tasks)))
    low, high = np.quantile(np.stack(columns, 1)[resample, at].mean(1), [0.025, 0.975])
    return float(low), float(high)


def _mean_of_resamples(pairs: Sequence[tuple[Measure, Measure]]) -> np.ndarray:
    """(resamples,) mean over the pairs of what the one measures more than the other."""
    return np.mean([np.subtract(a.resampled, b.resampled) for a, b in pairs], axis=0)


def _cells(row: Mapping[str, Any]) -> list[str]:
    size = [f"{row['n']:,}", "" if row["n_positive"] is None else f"{row['n_positive']:,}"]
    values = [number({"value": row[key], "low": None, "high": None}) for key in ("value", "other_value")]
    ends = {"value": row["difference"], "low": row["low"], "high": row["high"]}
    return [row["task"], row["other"], *size, *values, number(ends)]


def _sentence(mean: Mapping[str, Any], name: str) -> str:
    metric = METRICS[mean["metric"]][0]
    ends = "" if mean["low"] is None else f" [{mean['low']:.3f}, {mean['high']:.3f}]"
    return (
        f"mean {metric} over {mean['tasks']} task{'s' * (mean['tasks'] > 1)}: {name} {mean['value']:.3f}, "
        f"the other{'s' * (mean['tasks'] > 1)} {mean['other_value']:.3f}, "
        f"difference {mean['difference']:.3f}{ends} (paired, tasks and examples resampled), better in "
        f"{mean['better']}, worse in {mean['worse']}"
    )
