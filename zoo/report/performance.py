"""Section `performance`: metrics with intervals beside baselines, the curves behind them, and the training.

data at hand -> evaluated once -> metrics, ROC and precision-recall, or predicted against observed
else         -> the card's stored rows, and nothing that needs predictions
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.evaluation.comparison import CHANCE, METRICS, Comparison, clean_rows, compare_rows, note_of, number, tasks
from zoo.pictures.curves import MOST_DOTS, draw_observed, draw_precision_recall, draw_roc
from zoo.pictures.intervals import Estimate, draw_intervals
from zoo.report.reliability import reliability, reliability_picture
from zoo.report.section import Picture, Section, Subject, Table, Text
from zoo.report.training import training
from zoo.report.validation import verdict_text

if TYPE_CHECKING:
    from zoo.evaluation.result import Evaluation

MOST_TASKS = 40
MOST_PREDICTORS = 12
_ORDER = ("auroc", "auprc", "top_k", "pearson", "spearman", "accuracy", "log_count_pearson")

Rows = Sequence[Mapping[str, Any]]


def performance(subject: Subject) -> Section:
    """Of the explained task in pictures, of the others in a table."""
    evaluation = _evaluated(subject)
    rows = clean_rows(evaluation.rows if evaluation else subject.model.spec.metrics)
    subject.results["metrics"] = rows
    parts: list[Text | Picture | Table] = [_source(subject, evaluation, rows)]
    known = tasks(rows)
    if not known:
        if not evaluation:
            return Section("How good it is", [*parts, *training(subject)])
        parts.append(Text("No metric could be computed: no example of this split has a label.", "unsure"))
    head, task = _explained(subject, known)
    if known:
        parts += _of_task(subject, rows, evaluation, head, task)
        parts += _others(rows, [one for one in known if one != (head, task)])
    if evaluation:
        parts += _not_recomputed(subject, rows)
    return Section("How good it is", [*parts, *training(subject)])


def _evaluated(subject: Subject) -> Evaluation | None:
    if subject.opened is None:
        return None
    if "evaluation" not in subject.results:
        from zoo.evaluation.evaluate import evaluate

        subject.results["evaluation"] = evaluate(
            subject.model, subject.opened.source, "test", motif=subject.motifs or None, seed=subject.seed
        )
    return subject.results["evaluation"]


def _source(subject: Subject, evaluation: Evaluation | None, rows: Rows) -> Text:
    if evaluation:
        return Text(
            "Computed for this report on the test split of the model's data. Every predictor is judged on the same "
            "examples; baselines were fitted to the training split."
        )
    if rows:
        return Text(
            "These numbers are as stored with the model by whoever published it: they were not computed again, for "
            "want of the data, and there are no predictions to draw curves of."
        )
    return Text(
        "No evaluation is stored with the model and its data are not at hand: how good it is remains unknown.", "unsure"
    )


def _explained(subject: Subject, known: list[tuple[str, str]]) -> tuple[str, str]:
    """Head and task of the output, where it is one and has a value; else the first."""
    terms = [term for one in subject.output.terms for term in one]
    if len(terms) == 1 and terms[0].head in subject.model.spec.outputs:
        field = subject.model.spec.outputs[terms[0].head][0]
        names = ["", field.channels[terms[0].channel]] if field.channels else [""]
        own = [(terms[0].head, task) for task in reversed(names) if (terms[0].head, task) in known]
        if own:
            return own[0]
    return known[0] if known else ("", "")


def _of_task(
    subject: Subject, rows: Rows, evaluation: Evaluation | None, head: str, task: str
) -> Iterator[Text | Picture | Table]:
    own = [r for r in rows if (r["head"], r["task"], r["stratum"]) == (head, task, "all")]
    comparison = compare_rows(rows, head, task)
    if comparison:
        subject.results["comparison"] = comparison
    yield _worth(subject, rows, head, task)
    for metric in [m for m in _ORDER if m in {r["metric"] for r in own}][:2]:
        picture = _intervals([r for r in own if r["metric"] == metric], metric, task or head)
        if picture:
            yield picture
    yield _table(own, f"All metrics of {task or head}")
    yield from reliability(subject, rows, head, task)
    if evaluation:
        yield from _curves(subject, evaluation, head, task)
    yield from _strata(rows, head, task)


def _worth(subject: Subject, rows: Rows, head: str, task: str) -> Text:
    """Whether what a model of this quality has learnt is worth explaining."""
    from zoo.attribution.baseline_check import check_baselines

    subject.results["worth"] = check_baselines(rows, head, task)
    return verdict_text(subject.results["worth"])


def _intervals(rows: Rows, metric: str, task: str) -> Picture | None:
    shown = [r for r in rows if r["value"] is not None]
    shown = sorted(shown, key=lambda r: (r["baseline"], -r["value"]))[:MOST_PREDICTORS]
    if not shown:
        return None
    name, meaning = METRICS[metric]
    reference = (CHANCE[metric], "chance") if metric in CHANCE else None
    if metric == "auprc" and shown[0]["n"] and shown[0]["n_positive"] is not None and shown[0]["unit"] != "positions":
        reference = (shown[0]["n_positive"] / shown[0]["n"], "share of positives")
    estimates = [Estimate(r["predictor"], r["value"], r["low"], r["high"], not r["baseline"]) for r in shown]
    least = -1.0 if metric in ("pearson", "spearman", "log_count_pearson") else 0.0
    figure = draw_intervals(estimates, f"{name}, {task}", reference=reference, limits=(least, 1.0))
    numbers = "; ".join(f"{r['predictor']} {number(r)}" for r in shown)
    caption = f"{name}: {meaning}. Dots with 95 % intervals; the model is blue, baselines are grey."
    return Picture(figure, f"{name} of {task}: {numbers}.", caption)


def _table(rows: Rows, caption: str) -> Table:
    """A row a predictor, a column a metric."""
    metrics = list(dict.fromkeys(r["metric"] for r in rows))
    columns = ["predictor", *(METRICS[m][0] if m in METRICS else m.replace("_", " ") for m in metrics), "n", "split"]
    lines = []
    for predictor in dict.fromkeys(r["predictor"] for r in rows):
        own = {r["metric"]: r for r in rows if r["predictor"] == predictor}
        first = next(iter(own.values()))
        lines.append([predictor, *(number(own[m]) if m in own else None for m in metrics), first["n"], first["split"]])
    notes = dict.fromkeys(note for r in rows if (note := note_of(r)))
    positive = next((r for r in rows if r["n_positive"] is not None and r["n"]), None)
    holds = "hold a positive" if positive and positive["unit"] == "positions" else "are positive"
    told = f"; {positive['n_positive']:,} of {positive['n']:,} {holds}" if positive else ""
    more = f" Notes: {'; '.join(list(notes)[:5])}." if notes else ""
    return Table(columns, lines, f"{caption}, with 95 % intervals from resampled examples{told}.{more}")


def _curves(subject: Subject, evaluation: Evaluation, head: str, task: str) -> Iterator[Picture | Table | Text]:
    found = _predictions(evaluation, head, task)
    if found is None or subject.opened is None:
        return
    prediction, truth = found
    field = subject.opened.source.targets[head]
    values = field.values
    if values == "class":
        yield _confusion(prediction, truth)
        return
    known = np.isfinite(truth.astype(float))
    prediction, truth = prediction[known].astype(float), truth[known].astype(float)
    n = f"n = {len(truth):,}"
    if values == "binary" and not field.position_axes:
        if 0 < truth.sum() < len(truth):
            positives = f"{n}, {int(truth.sum()):,} positive"
            yield Picture(
                draw_roc(truth, prediction),
                f"ROC curve of the model on the test split, {positives}.",
                f"ROC: at each threshold, how many of the positives are found (up) for how many of the negatives "
                f"called wrongly (right). The dotted line is guessing. {positives}.",
            )
            yield Picture(
                draw_precision_recall(truth, prediction),
                f"Precision-recall curve of the model on the test split, {positives}.",
                "Precision and recall: of the examples called positive, the share that are (up), against the share "
                f"of all positives found (right). The dotted line is guessing. {positives}.",
            )
            if subject.model.spec.activation.get(head) == "sigmoid":
                yield reliability_picture(subject, head, task, truth, prediction)
        return
    if len(truth) < 2:
        return
    some = f"{MOST_DOTS:,} of {len(truth):,} examples, drawn at random" if len(truth) > MOST_DOTS else n
    summed = " Each dot is the sum over a region." if "T" in field.axes else ""
    yield Picture(
        draw_observed(truth, prediction, count=values == "count", unit=field.unit, seed=subject.seed),
        f"Predicted against observed values on the test split, {some}.",
        f"Predicted (up) against observed (right): on the dotted line they agree.{summed} {some}.",
    )


def _predictions(evaluation: Evaluation, head: str, task: str) -> tuple[np.ndarray, np.ndarray] | None:
    """Prediction and label as the evaluation named them; None for what it did not keep."""
    for name in (f"{head}/{task or head}", task or head):
        for kept in (name, f"{name}:sum"):
            if kept in evaluation.predictions and f"{kept}.label" in evaluation.predictions:
                return evaluation.predictions[kept], evaluation.predictions[f"{kept}.label"]
    return None


def _confusion(prediction: np.ndarray, truth: np.ndarray, most: int = 12) -> Table:
    known = np.array([t is not None for t in truth], bool)
    prediction, truth = prediction[known], truth[known]
    names = list(dict.fromkeys([*truth, *prediction]))[:most]
    rows = [[str(a), *(int(((truth == a) & (prediction == b)).sum()) for b in names)] for a in names]
    return Table(["true class", *(f"called {b}" for b in names)], rows, f"Calls on the test split, n = {len(truth):,}.")


def _strata(rows: Rows, head: str, task: str) -> Iterator[Table]:
    strata = dict.fromkeys(r["stratum"] for r in rows if (r["head"], r["task"]) == (head, task))
    comparisons = {name: compare_rows(rows, head, task, name) for name in strata if name != "all"}
    yield from _compared("subset", comparisons, "The same on parts of the split.")


def _others(rows: Rows, known: list[tuple[str, str]]) -> Iterator[Table]:
    shown = f" The first {MOST_TASKS} of {len(known):,}." if len(known) > MOST_TASKS else ""
    comparisons = {f"{h}/{t}" if t else h: compare_rows(rows, h, t) for h, t in known[:MOST_TASKS]}
    yield from _compared("task", comparisons, f"The model's other tasks.{shown}")


def _compared(what: str, comparisons: Mapping[str, Comparison | None], caption: str) -> Iterator[Table]:
    """The model and its best baseline, a line a comparison."""
    lines = []
    for name, comparison in comparisons.items():
        if comparison:
            best = comparison.baseline
            baseline = [number(best), best["predictor"]] if best else [None, None]
            model = comparison.model
            lines.append([name, METRICS[comparison.metric][0], number(model), *baseline, model["n"]])
    if lines:
        yield Table([what, "metric", "model", "best baseline", "which", "n"], lines, caption)


def _not_recomputed(subject: Subject, rows: Rows) -> Iterator[Text]:
    """Baselines that the card names and this evaluation lacks: leaving them out would flatter the model."""
    have = {r["predictor"] for r in rows}
    for one in tasks(stored := clean_rows(subject.model.spec.metrics))[:1]:
        comparison = compare_rows(stored, *one)
        if comparison and comparison.baseline and comparison.baseline["predictor"] not in have:
            yield Text(
                f"The card also stores a baseline that was not computed here: {comparison.baseline['predictor']}, "
                f"{METRICS[comparison.metric][0]} {number(comparison.baseline)} "
                f"({comparison.baseline['n']:,} {comparison.baseline['split']} examples). "
                "--motif NAME computes the baseline of a motif.",
                "unsure",
            )
