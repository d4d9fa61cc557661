"""The metric that chooses the best epoch: its value, its direction, and what has none."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch

import zoo
from zoo.errors import ConfigError
from zoo.evaluation.evaluate import evaluate
from zoo.evaluation.metrics import METRICS
from zoo.fields import Field
from zoo.training.callbacks import BestEpoch
from zoo.training.monitor import Monitor
from zoo.training.plan import TrainingPlan
from zoo.training.run import train

TWO = Field("C", channels=("a", "b"), values="binary")


def monitor(name, field=TWO, activation="sigmoid"):
    spec = SimpleNamespace(heads={"y": {}}, activation={"y": activation}, outputs={"y": (field, None)})
    return Monitor(name, {"y": field}, spec)


def value(of, prediction, target, weight=None, batches=2):
    prediction, target = torch.tensor(prediction), torch.tensor(target)
    weight = torch.ones_like(target) if weight is None else torch.tensor(weight)
    for rows in torch.arange(len(target)).chunk(batches):
        of.add({"y": prediction[rows]}, {"target/y": target[rows], "weight/y": weight[rows]})
    return of.value()


def test_the_value_is_the_mean_over_tasks_of_the_labelled_rows_of_all_batches():
    prediction = [[-1.0, 3.0], [0.4, 2.0], [0.3, 1.0], [2.0, 0.0], [9.0, 9.0]]
    target = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0], [0.0, 0.0]]
    weight = [[1.0, 1.0]] * 4 + [[0.0, 0.0]]
    auroc = monitor("auroc")
    for _ in range(2):  # a second validation starts anew
        assert value(auroc, prediction, target, weight) == pytest.approx((0.75 + 0.25) / 2)


def test_a_task_of_one_class_is_left_out_and_equal_predictions_count_as_no_agreement():
    target = [[0.0, 1.0], [1.0, 1.0]]
    assert value(monitor("auroc"), [[0.0, 5.0], [1.0, 5.0]], target) == 1.0
    with pytest.raises(ConfigError, match=r"monitor=auroc has no value on the validation split .*one class only"):
        value(monitor("auroc"), [[0.0, 5.0], [1.0, 5.0]], [[1.0, 1.0], [1.0, 1.0]])
    real = monitor("pearson", Field("C", channels=("a", "b"), values="real"), "identity")
    assert value(real, [[0.0, 1.0], [0.0, 2.0], [0.0, 3.0]], [[1.0, 1.0], [2.0, 2.0], [3.0, 3.0]]) == pytest.approx(0.5)
    assert np.isnan(value(real, [[np.nan, 1.0], [0.0, 2.0]], [[1.0, 1.0], [2.0, 2.0]]))


def test_a_metric_that_no_head_has_is_refused_with_the_list():
    with pytest.raises(ConfigError, match=r"trainer.monitor is 'pearson', which no head has.*auroc"):
        monitor("pearson")
    with pytest.raises(ConfigError, match="which no head has"):
        monitor("log_loss", activation="identity")


def test_errors_are_better_when_lower_and_agreement_when_higher():
    lower = {metric.name for metric in METRICS if metric.lower_is_better}
    assert lower == {"log_loss", "brier", "ece", "mse", "jsd_median"}


@pytest.mark.parametrize(("name", "best", "stopped"), [(None, 4, False), ("auroc", 1, True), ("log_loss", 4, False)])
def test_the_best_epoch_of_a_crafted_sequence(tmp_path, name, best, stopped):
    chosen = BestEpoch(tmp_path / "best.safetensors", 3, monitor=None if name is None else monitor(name))
    module = SimpleNamespace(model=torch.nn.Linear(1, 1))
    trainer = SimpleNamespace(callback_metrics={}, current_epoch=0, is_global_zero=True, should_stop=False)
    for epoch, (loss, auroc) in enumerate([(0.9, 0.6), (0.8, 0.9), (0.7, float("nan")), (0.6, 0.8), (0.5, 0.9)]):
        trainer.current_epoch = epoch
        trainer.callback_metrics = {"validation_loss": loss, "validation_auroc": auroc, "validation_log_loss": loss}
        chosen.on_validation_end(trainer, module)
    assert (chosen.epoch, trainer.should_stop) == (best, stopped)
    assert chosen.loss == {1: 0.8, 4: 0.5}[best]


def test_the_metric_of_a_run_is_that_of_the_evaluation(config, capsys):
    config["data"] |= {"n_validation": 90}
    config["trainer"] |= {"max_epochs": 2, "monitor": "auroc"}
    config["evaluation"] = {"bootstrap": 0}
    result = train(config)
    model = zoo.load(str(result.model_folder))
    rows = evaluate(model, TrainingPlan.of(config).source, "validation", baselines=False, n_bootstrap=0).rows
    assert model.spec.training["validation_auroc"] == pytest.approx(
        next(r for r in rows if r["metric"] == "auroc")["value"]
    )
    assert f"  auroc {model.spec.training['validation_auroc']:.4f}  (n 400" in capsys.readouterr().err
