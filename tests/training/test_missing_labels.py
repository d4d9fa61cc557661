"""A label that nobody measured counts nowhere, whatever stands in its place: garbage of weight 0 is as good as NaN."""

import copy

import numpy as np
import pytest
import torch

from zoo.config import compose
from zoo.data.source import Examples, Source
from zoo.evaluation.evaluate import evaluate
from zoo.fields import Field
from zoo.training.calibration import calibrate
from zoo.training.composition_baseline import composition_baseline
from zoo.training.data_summary import summarise
from zoo.training.label_scale import label_scale
from zoo.training.monitor import Monitor
from zoo.training.plan import TrainingPlan
from zoo.training.strand_choice import choose_strand
from zoo.training.task_sizes import task_sizes

TASKS = ("a", "b")


class Rows(Examples):
    """Labels of two tasks, half of them missing: as NaN, as garbage with weight 0, or as NaN and weight 0."""

    def __init__(self, missing, seed, n=240):
        rng = np.random.default_rng(seed)
        self.missing = missing
        self.codes = rng.integers(0, 4, (n, 30)).astype(np.uint8)
        self.labels = (rng.random((n, 2)) < 0.5).astype(np.float32)
        self.codes[:, 10:14] = np.where(self.labels[:, :1] == 1, 2, self.codes[:, 10:14])
        self.known = rng.random((n, 2)) < 0.5
        self.garbage = rng.integers(0, 2, (n, 2)).astype(np.float32)
        self.lengths = np.full(n, 30)

    def batch(self, indices, margin=0):
        known = self.known[indices]
        label = np.where(known, self.labels[indices], np.nan if "nan" in self.missing else self.garbage[indices])
        batch = {"codes": self.codes[indices], "target/y": label.astype(np.float32)}
        return batch | ({"weight/y": known.astype(np.float32)} if "weight" in self.missing else {})


class Data(Source):
    input_length = 30

    def __init__(self, missing, values="binary"):
        self.targets = {"y": Field("C", TASKS, values=values)}
        self.parts = {split: Rows(missing, i) for i, split in enumerate(("train", "validation", "test"))}

    def examples(self, split):
        return self.parts[split]

    def describe(self):
        return {"source": "rows"}


def plan_of(missing, *overrides, values="binary"):
    config = compose(["encoder=motif_cnn", "encoder.filters=8", "strand=none", "data=simulated", *overrides])
    torch.manual_seed(0)
    return TrainingPlan.of(config, Data(missing, values))


WAYS = ("nan", "weight", "nan weight")


@pytest.fixture(scope="module")
def known():
    """What each of these ways to miss a label leads to."""
    return {missing: everything(missing) for missing in WAYS}


def everything(missing):
    plan = plan_of(missing, "objective.positive_weight=balanced", "objective.task_weights=uniform")
    source, model = plan.source, plan.model
    sizes = task_sizes(source.examples("train"), source.targets)["y"]
    objective = plan.loss.terms["y"].objective
    batch = {k: torch.as_tensor(v) for k, v in source.examples("train").batch(np.arange(64)).items()}
    prediction, embedding = model.eval().forward_with_embedding(batch)
    total, weight = objective(prediction, batch, embedding)["cross_entropy"]
    monitor = Monitor("auroc", source.targets, model.spec)
    monitor.add(prediction, batch)
    calibrated = calibrate(copy.deepcopy(model), source)
    summary = summarise(source, model, plan.loss, False)
    rows = evaluate(model, source, n_bootstrap=20, k=2).rows
    return {
        "sizes": [*sizes.size, *sizes.positive],
        "positive weights": objective.positive_weights.tolist(),
        "loss": [float(total.detach()), float(weight)],
        "monitor": monitor.value(),
        "calibration": [row.get("n", row.get("reason")) for row in calibrated],
        "statistics": summary.lines[1],
        "composition": [(row.positives, row.negatives, row.dinucleotides) for row in composition_baseline(source)],
        "strand": choose_strand(source)[1],
        "evaluation": [(r["predictor"], r["task"], r["metric"], r["n"], r["value"], r["low"]) for r in rows],
    }


@pytest.mark.parametrize("missing", WAYS[1:])
def test_every_figure_is_the_same_however_a_label_is_missing(known, missing):
    for what, expected in known["nan"].items():
        found = known[missing][what]
        assert str(found) == str(expected) or found == pytest.approx(expected, rel=1e-5), what


def test_the_figures_are_those_of_the_known_labels(known):
    rows = Data("nan").examples("train")
    expected = [*rows.known.sum(0), *(rows.known * rows.labels).sum(0)]
    assert known["nan"]["sizes"] == expected
    n, positive = np.array(expected).reshape(2, 2)
    assert known["nan"]["positive weights"] == pytest.approx((n - positive) / positive)
    assert f"a: {int(sum_of('a')[1])} of {int(sum_of('a')[0])} labels are 1" in known["nan"]["statistics"]


def sum_of(task):
    c, parts = TASKS.index(task), Data("nan").parts.values()
    return sum(p.known[:, c].sum() for p in parts), sum((p.known * p.labels)[:, c].sum() for p in parts)


def test_the_scale_of_measured_values_is_that_of_the_known_ones():
    scales = [label_scale(Data(missing, "real"))["y"] for missing in WAYS]
    assert scales[0] == scales[1] == scales[2]
    rows = Data("nan").examples("train")
    assert scales[0]["mean"][0] == pytest.approx(rows.labels[rows.known[:, 0], 0].mean(), rel=1e-5)
