"""A model is worth explaining if it beats what is simpler, on data that it has not seen."""

import numpy as np
import pytest
import torch

from zoo.attribution.baseline_check import check_baselines
from zoo.data.sources.simulation import Simulated
from zoo.evaluation.evaluate import evaluate
from zoo.hub.loader import load


def row(value, low=None, high=None, *, baseline=False, predictor="model", split="test", metric="auroc", **more):
    return {
        "predictor": predictor, "baseline": baseline, "head": "binding", "task": "CTCF", "metric": metric,
        "value": value, "low": low, "high": high, "n": 500, "split": split, "stratum": "all",
    } | more  # fmt: skip


PWM = row(0.82, 0.80, 0.84, baseline=True, predictor="PWM")


@pytest.mark.parametrize(
    ("rows", "answer"),
    [
        ([row(0.9, 0.88, 0.92), PWM], "yes"),
        ([row(0.85, 0.83, 0.87), PWM], "unsure"),
        ([row(0.81, 0.79, 0.83), PWM], "no"),
        ([row(0.52, 0.49, 0.55), PWM], "no"),
        ([row(0.51, 0.48, 0.54)], "no"),
        ([row(0.9, 0.88, 0.92)], "unsure"),
        ([row(0.99, 0.98, 1.0, split="train"), PWM], "unsure"),
        ([], "unsure"),
        ([row(None), PWM], "unsure"),
        ([row(0.9, 0.88, 0.92, stratum="short"), PWM], "unsure"),
        (["nonsense", {"metric": "auroc", "split": "test", "value": "high"}], "unsure"),
        ([row(0.6, 0.55, 0.65, metric="pearson"), row(0.3, 0.2, 0.4, metric="pearson", baseline=True)], "yes"),
    ],
)
def test_the_answer_follows_the_intervals(rows, answer):
    assert check_baselines(rows, "binding", "CTCF").answer == answer


def test_members_of_an_ensemble_and_baselines_on_other_rows_do_not_count():
    member = row(0.7, 0.68, 0.72, member=0)
    elsewhere = row(0.95, 0.94, 0.96, baseline=True, predictor="PWM of few", n=20)
    verdict = check_baselines([member, row(0.9, 0.88, 0.92), elsewhere, PWM])
    assert verdict.answer == "yes"
    assert "0.900" in verdict.words
    assert "few" not in verdict.words


def test_a_strangers_words_do_not_reach_the_terminal_as_they_are():
    loud = row(0.8, 0.7, 0.85, baseline=True, predictor="PWM\x1b[31m\n" + "x" * 5_000)
    words = check_baselines([row(0.9, 0.88, 0.92), loud]).words
    assert words.isprintable()
    assert len(words) < 1_000


def test_the_strongest_baseline_counts():
    weak = row(0.5, 0.48, 0.52, baseline=True, predictor="GC")
    verdict = check_baselines([row(0.83, 0.81, 0.85), weak, PWM])
    assert verdict.answer == "unsure"
    assert "PWM" in verdict.words


def test_the_shipped_model_is_worth_it_and_the_same_with_random_weights_is_not():
    model = load("ctcf-motif-cnn")
    assert check_baselines(model.spec.metrics, "binding", "CTCF").answer == "yes"
    torch.manual_seed(0)
    for weight in model.parameters():
        torch.nn.init.normal_(weight, std=0.1)
    data = Simulated(motifs=["CTCF"], n_train=600, n_validation=100, n_test=400)
    rows = evaluate(model, data, n_bootstrap=200).rows
    assert any(np.isfinite(r["value"] or np.nan) and not r["baseline"] for r in rows)
    assert check_baselines(rows, "binding", "CTCF").answer == "no"
