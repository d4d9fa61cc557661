"""A card of many tasks keeps what is read of it, and stays small."""

import json

from zoo.evaluation.comparison import card_rows, compare_rows

PREDICTORS = ("model", "GC", "6-mer logistic")


def rows_of(n_tasks):
    """AUROC, AUPRC and ECE of a model and two baselines; 6-mers are the better one of every other task."""
    base = {"head": "binding", "stratum": "all", "split": "test", "n": 100, "n_positive": 10, "unit": "examples"}
    base |= {"low": 0.1, "high": 0.9, "note": ""}
    return [
        base
        | {"task": f"t{i}", "predictor": name, "baseline": name != "model", "metric": metric}
        | {"value": {"model": 0.9, "GC": 0.6, "6-mer logistic": 0.5 + 0.2 * (i % 2)}[name]}
        for i in range(n_tasks)
        for name in PREDICTORS
        for metric in ("auroc", "auprc", "ece")
    ]


def test_a_card_of_few_tasks_keeps_all_rows():
    rows = rows_of(20)
    assert list(card_rows(rows)) == rows


def test_a_card_of_many_tasks_keeps_the_model_and_the_best_baseline_of_each():
    rows = rows_of(200)
    kept = card_rows(rows)
    assert len(kept) == 200 * 2 * 2
    assert {row["metric"] for row in kept} == {"auroc", "auprc"}
    for i in (0, 1, 199):
        before, after = compare_rows(rows, "binding", f"t{i}"), compare_rows(kept, "binding", f"t{i}")
        assert before == after
        assert after.baseline["predictor"] == ("6-mer logistic" if i % 2 else "GC")


def test_a_thousand_tasks_fit_into_a_model_folder():
    assert len(json.dumps(card_rows(rows_of(1_000)))) < 1 << 22
