"""Losses by epoch from what the logger left, of runs that were cut off too."""

import re

import numpy as np
import pytest

from zoo.report.section import Picture, Text
from zoo.report.training import _kept, read_history, training

HEADER = "epoch,learning_rate,step,train/binding,train/loss,validation/binding,validation_loss"


def write(run, name, *lines, header=HEADER):
    (run / name).mkdir(parents=True)
    (run / name / "metrics.csv").write_text("\n".join([header, *lines]) + "\n")


def test_losses_belong_to_the_epoch_in_which_they_were_logged(run):
    history = read_history(run)
    epochs, means = history.train_by_epoch()
    np.testing.assert_array_equal(history.ends, [20, 40, 60])
    np.testing.assert_array_equal(epochs, [1, 2, 3])
    np.testing.assert_allclose(means, [0.7, 0.4, 0.2])
    np.testing.assert_allclose(history.validation, [0.6, 0.5, 0.55])


def test_the_epoch_whose_weights_were_kept_is_named(opened):
    (picture,) = training(opened)
    assert "epoch 2 were kept" in picture.caption
    assert "0.5 at epoch 2 of 3" in picture.alt
    assert [line.get_label() for line in picture.figure.axes[0].lines] == ["training", "validation", "weights kept"]


@pytest.mark.parametrize(
    ("tuned", "text"),
    [
        ({"epochs": 4, "best_epoch": 3, "validation_loss": 0.41}, "and 4 more epochs .* to a validation loss of 0.41"),
        ({"epochs": 4, "best_epoch": None, "validation_loss": 0.5}, "and 4 more epochs .* found nothing better"),
    ],
)
def test_what_fine_tuning_made_of_the_kept_weights_is_said(opened, tuned, text):
    spec = opened.model.spec
    opened.model.spec = spec.replace(training={**spec.training, "finetuning": tuned})
    (picture,) = training(opened)
    assert re.search(f"epoch 2 were kept, where the validation loss is least, {text}", picture.caption)


def test_a_run_that_went_on_counts_what_it_did_last(tmp_path):
    write(tmp_path, "logs", ",0.1,10,1,1,,", ",0.1,20,9,9,,", "0,,19,,,0.9,0.9", ",0.1,30,9,9,,")
    write(tmp_path, "logs_2", ",0.1,20,2,2,,", "0,,19,,,0.8,0.8", ",0.1,30,3,3,,", "1,,39,,,0.7,0.7")
    write(tmp_path, "logs_backup", ",0.1,10,5,5,,")
    history = read_history(tmp_path)
    assert dict(zip(history.steps.tolist(), history.train.tolist(), strict=True)) == {10: 1, 20: 2, 30: 3}
    assert history.validation.tolist() == [0.8, 0.7]


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n", HEADER + "\n,,x,nan,nan,,\n\0,1\n"])
def test_a_log_that_holds_no_loss_is_none(tmp_path, text):
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "metrics.csv").write_text(text)
    assert read_history(tmp_path) is None


def test_a_run_without_logs_says_so_and_a_published_model_says_nothing(opened, plain):
    (opened.run / "logs" / "metrics.csv").unlink()
    (text,) = training(opened)
    assert isinstance(text, Text)
    assert list(training(plain())) == []


def test_losses_that_add_up_different_terms_are_drawn_apart(opened):
    header = HEADER.replace("train/binding", "train/binding,train/penalty")
    path = opened.run / "logs" / "metrics.csv"
    path.write_text(header + "\n,0.1,10,1,5,6,,\n0,,19,,,,0.9,0.9\n")
    parts = list(training(opened))
    assert [type(p) for p in parts] == [Picture, Picture]
    assert all(len(p.figure.axes[0].lines) == 2 for p in parts)


def test_a_run_without_validation_is_drawn_by_step(opened):
    (opened.run / "logs" / "metrics.csv").write_text("epoch,step,train/binding,train/loss\n,10,1,1\n,20,0.5,0.5\n")
    (picture,) = training(opened)
    assert picture.figure.axes[0].get_xlabel() == "step"


def test_a_metric_that_was_monitored_names_the_epoch_that_was_kept(run):
    history = read_history(run)
    last = int(history.epochs[-1])
    assert _kept(history, {"validation_auroc": 0.9, "best_epoch": last}) == (last, "auroc is best")
    least = int(history.epochs[history.validation.argmin()])
    assert _kept(history, {"validation_loss": 0.1, "best_epoch": last}) == (least, "loss is least")
    assert _kept(history, {"validation_auroc": 0.9, "best_epoch": 10**9}) == (least, "loss is least")
