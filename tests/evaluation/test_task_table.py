"""Many tasks: a line a task, means over the same tasks for every predictor, the best and the worst."""

import numpy as np
import pytest
import torch
from torch import nn

from zoo.data.source import Examples, Source
from zoo.errors import ConfigError
from zoo.evaluation.evaluate import evaluate
from zoo.evaluation.model_comparison import compare_models
from zoo.evaluation.task_table import macro_rows, task_rows
from zoo.fields import Field
from zoo.spec import ModelSpec

N_TASKS = 24
TASKS = tuple(f"t{i:02}" for i in range(N_TASKS))
FIELD = Field("C", TASKS, values="binary")


class Rows(Examples):
    """Task i is labelled in every row but each third one from i on; label 1 is a run of A at the start."""

    def __init__(self, n, seed):
        rng = np.random.default_rng(seed)
        self.codes = rng.integers(1, 4, (n, 24)).astype(np.uint8)
        self.labels = (rng.random((n, N_TASKS)) < 0.4).astype(np.float32)
        for i in range(N_TASKS):
            self.codes[self.labels[:, i] == 1, i] = 0
            self.labels[i % 3 :: 3, i] = np.nan
        self.labels[:, 23] = 0.0
        self.lengths = np.full(n, 24)

    def batch(self, indices, margin=0):
        known = np.isfinite(self.labels[indices])
        return {
            "codes": self.codes[indices],
            "target/y": np.where(known, self.labels[indices], 1).astype(np.float32),
            "weight/y": known.astype(np.float32),
        }


class Data(Source):
    input_length = 24

    def __init__(self):
        self.targets = {"y": FIELD}
        self.parts = {s: Rows(n, i) for i, (s, n) in enumerate({"train": 90, "validation": 60, "test": 240}.items())}

    def examples(self, split):
        return self.parts[split]

    def describe(self):
        return {}


class Reader(nn.Module):
    """Predicts a task by the letter at its place, with noise of a share `wrong`."""

    def __init__(self, tasks=TASKS, wrong=0.0, head="y", name="reader"):
        super().__init__()
        self.tasks, self.wrong, self.device, self.head = tasks, wrong, torch.device("cpu"), head
        field = Field("C", tuple(tasks), values="binary")
        self.spec = ModelSpec(name, {"name": "none"}, {}, 24, outputs={head: (field, None)})

    def predict(self, batch):
        codes = batch["codes"]
        columns = [codes[:, TASKS.index(t)] == 0 for t in self.tasks]
        noise = torch.sin(codes.float() @ torch.arange(1.0, 25.0)[:, None]) * 0.5 + 0.5
        return {self.head: torch.stack(columns, 1).float() * (1 - self.wrong) + noise * self.wrong}


@pytest.fixture(scope="module")
def evaluation():
    return evaluate(Reader(wrong=0.6), Data(), n_bootstrap=50, k=2)


def test_a_row_a_task_counts_its_own_labels_and_every_baseline_has_a_value(evaluation, tmp_path):
    lines = task_rows(evaluation.rows)
    test = Data().parts["test"].labels
    assert [line["task"] for line in lines] == list(TASKS)
    assert [line["n"] for line in lines[:23]] == np.isfinite(test).sum(0)[:23].tolist()
    assert [line["n_positive"] for line in lines[:23]] == np.nansum(test, 0).astype(int)[:23].tolist()
    assert all(line["auroc:GC"] is not None and line["auroc:2-mer logistic"] is not None for line in lines[:23])
    assert all(line["auroc_low"] <= line["auroc"] <= line["auroc_high"] for line in lines[:23])
    assert lines[23]["auroc"] is None
    assert "one class" in lines[23]["note"]
    assert evaluation.write_tasks(tmp_path / "tasks.tsv") == N_TASKS
    written = [line for line in (tmp_path / "tasks.tsv").read_text().splitlines() if not line.startswith("##")]
    assert written[0].split("\t")[:5] == ["stratum", "head", "task", "n", "n_positive"]
    assert len(written) == N_TASKS + 1


def test_means_are_over_the_same_tasks_for_model_and_baselines_and_say_which_are_left_out(evaluation):
    means = {(r["predictor"], r["metric"]): r for r in macro_rows(evaluation.rows)}
    own = means["reader", "auroc"]
    values = [line["auroc"] for line in task_rows(evaluation.rows)[:23]]
    assert own["value"] == pytest.approx(np.mean(values))
    assert own["low"] < own["value"] < own["high"]
    assert own["note"] == "mean over 23 of 24 tasks, without t23, where it is undefined"
    assert means["GC", "auroc"]["note"] == own["note"]


def test_the_printed_table_has_the_means_the_extremes_and_how_often_the_model_is_better(evaluation):
    text = evaluation.table()
    assert "test: y, mean over 24 tasks" in text
    assert "best baseline" in text
    ranked = sorted(task_rows(evaluation.rows)[:23], key=lambda line: -line["auroc"])
    lines = [line.split()[0] for line in text.splitlines() if line.startswith("  t") and line.split()[0] in TASKS]
    assert lines == [line["task"] for line in (*ranked[:5], *ranked[-5:])]
    assert "of 23 tasks the model is better than the best rival" in text


def test_many_tasks_have_intervals_of_what_leads_alone(evaluation):
    with_interval = {r["metric"] for r in evaluation.rows if r["task"] == "t00" and r["low"] is not None}
    assert with_interval == {"auroc", "auprc", "accuracy"}
    assert {"log_loss", "brier", "ece"} < {r["metric"] for r in evaluation.rows}


def test_a_better_model_is_better_in_every_task_and_in_the_mean_on_equal_rows():
    singles = {t: Reader([t], wrong=0.9, name=t) for t in TASKS[:6]}
    compared = compare_models(Reader(wrong=0.3), singles, Data(), n_bootstrap=100)
    mean = compared.means[0]
    assert (mean["metric"], mean["tasks"], mean["better"], mean["worse"]) == ("auroc", 6, 6, 0)
    rows = [r for r in compared.rows if r["metric"] == "auroc"]
    assert [r["task"] for r in rows] == list(TASKS[:6])
    assert mean["difference"] == pytest.approx(np.mean([r["difference"] for r in rows]))
    assert 0 < mean["low"] < mean["difference"] < mean["high"]
    assert {r["n"] for r in rows} == {160}
    assert "mean AUROC over 6 tasks" in compared.text("multi")


def test_a_model_against_itself_differs_by_nothing():
    compared = compare_models(Reader(wrong=0.6), {"same": Reader(wrong=0.6)}, Data(), n_bootstrap=50)
    assert {(r["difference"], r["low"], r["high"]) for r in compared.rows if r["value"] is not None} == {(0, 0, 0)}
    assert (compared.means[0]["low"], compared.means[0]["high"], compared.means[0]["tasks"]) == (0, 0, 23)


def test_models_without_a_common_task_are_refused_with_the_remedy():
    other = Reader(["t01"], head="z")
    with pytest.raises(ConfigError, match="none of which the model and the data have: give runs of the same data"):
        compare_models(Reader(), {"other": other}, Data())
