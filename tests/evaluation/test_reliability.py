"""Calibration errors of probabilities whose fault is known."""

import numpy as np
import pytest

from zoo.evaluation.bootstrap import measure, resamples
from zoo.evaluation.metrics import metrics_for
from zoo.evaluation.reliability import BINS, class_ece, ece, ece_by_chance, reliability_curve
from zoo.fields import Field

ONES = np.ones


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def draw(n, seed=0, scale=1.0, shift=0.0):
    """Labels, and probabilities that are `scale * logit + shift` of the true ones."""
    rng = np.random.default_rng(seed)
    logit = 2 * rng.normal(size=n)
    return (rng.random(n) < sigmoid(logit)).astype(np.float32), sigmoid(scale * logit + shift)


def by_hand(label, p):
    order = np.argsort(p, kind="stable")
    label = label.astype(np.float64)
    bins = np.array_split(order, BINS)
    return sum(len(b) * abs(label[b].mean() - p[b].mean()) for b in bins) / len(p)


def test_it_is_the_mean_gap_of_ten_bins_of_equal_size_on_every_resample():
    label, p = draw(500)
    assert ece(label, p, ONES((1, 500)))[0] == pytest.approx(by_hand(label, p), abs=1e-12)
    counts = resamples(np.random.default_rng(0), 4, 500)
    twice = [ece(label.repeat(c.astype(int)), p.repeat(c.astype(int)), ONES((1, 500)))[0] for c in counts]
    assert ece(label, p, counts) == pytest.approx(twice, abs=1e-12)


def test_equal_predictions_share_a_bin_in_whatever_order_their_labels_stand():
    label = np.repeat([0.0, 1.0], 50)
    assert ece(label, np.full(100, 0.5), ONES((1, 100)))[0] == 0
    assert ece(label[::-1], np.full(100, 0.3), ONES((1, 100)))[0] == pytest.approx(0.2)


@pytest.mark.parametrize("n", [100, 1000])
def test_noise_alone_explains_the_error_of_a_calibrated_model_and_not_that_of_another(n):
    calibrated = [ece(*draw(n, seed), ONES((1, n)))[0] for seed in range(200)]
    mean, most = ece_by_chance(draw(n)[1])
    assert mean == pytest.approx(np.mean(calibrated), rel=0.15)
    assert 0.88 < np.mean(np.array(calibrated) < most) < 0.99
    label, sure = draw(n, scale=4.0)
    assert ece(label, sure, ONES((1, n)))[0] > ece_by_chance(sure)[1]


def test_noise_is_less_the_more_examples_there_are():
    means = [ece_by_chance(draw(n)[1])[0] for n in (100, 400, 1600)]
    assert means[0] / means[1] == pytest.approx(2, rel=0.2)
    assert means[1] / means[2] == pytest.approx(2, rel=0.2)


@pytest.mark.parametrize(("scale", "truth"), [(1.0, 0.0), (2.0, 0.093)])
def test_the_interval_holds_the_true_error_where_a_plain_percentile_would_not(scale, truth):
    (metric,) = [m for m in metrics_for(Field("C", ("a",), values="binary")) if m.name == "ece"]
    held = []
    for seed in range(40):
        label, p = draw(300, seed, scale)
        measured = measure(metric, label, p, binary=True, n_bootstrap=200)
        assert measured.low <= measured.value <= measured.high
        held.append(measured.low <= truth <= measured.high)
    assert np.mean(held) >= 0.85
    assert "a calibrated model would have an ece of" in measured.note


def test_the_curve_shows_the_bins_with_wilson_intervals():
    label, p = draw(2000, scale=3.0)
    curve = reliability_curve(label, p)
    assert curve.n.tolist() == [200] * BINS
    assert (curve.n * abs(curve.observed - curve.predicted)).sum() / 2000 == pytest.approx(by_hand(label, p))
    assert ((curve.low < curve.observed) & (curve.observed < curve.high)).all()
    assert curve.observed[0] > curve.predicted[0]
    assert curve.observed[-1] < curve.predicted[-1]


def test_classes_are_judged_by_the_confidence_of_their_call():
    rng = np.random.default_rng(0)
    logits = 2 * rng.normal(size=(4000, 3))
    label = (logits + rng.gumbel(size=logits.shape)).argmax(1)
    label[:5] = -1

    def softmax(x):
        return np.exp(x) / np.exp(x).sum(1, keepdims=True)

    right, sure = (class_ece(label, softmax(s * logits), ONES((1, 4000)))[0] for s in (1, 4))
    assert right < ece_by_chance(softmax(logits))[1] * 1.3
    assert sure > 0.08
