import time

import numpy as np
import pytest
from scipy.stats import norm

from zoo.evaluation.bootstrap import measure, resamples
from zoo.evaluation.metrics import metrics_for
from zoo.fields import Field

BINARY = {m.name: m for m in metrics_for(Field("C", ("a",), values="binary"))}
REAL = {m.name: m for m in metrics_for(Field("C", ("a",)))}


# Percentile intervals cover 0.93 to 0.94 at these n (a plain resampling loop gives the same); over 1,000
# simulations that share has a standard error of 0.008.


def two_classes(rng, n=120, separation=1.0):
    label = (np.arange(n) < n // 2).astype(float)
    return label, rng.normal(size=n) + separation * label


def test_the_interval_covers_the_true_auroc_at_about_its_nominal_rate():
    truth = norm.cdf(1 / np.sqrt(2))
    rng = np.random.default_rng(0)
    covered = []
    for _ in range(1000):
        found = measure(BINARY["auroc"], *two_classes(rng), binary=True, n_bootstrap=200)
        covered.append(found.low <= truth <= found.high)
    assert 0.91 < np.mean(covered) < 0.97


def test_the_interval_covers_the_true_correlation_at_about_its_nominal_rate():
    rng = np.random.default_rng(1)
    covered = []
    for _ in range(1000):
        x = rng.normal(size=100)
        found = measure(REAL["pearson"], x, 0.6 * x + 0.8 * rng.normal(size=100), n_bootstrap=200)
        covered.append(found.low <= 0.6 <= found.high)
    assert 0.91 < np.mean(covered) < 0.97


def test_shuffled_labels_give_an_auroc_of_a_half():
    rng = np.random.default_rng(2)
    label, score = two_classes(rng, 4000, 2.0)
    assert measure(BINARY["auroc"], label, score, binary=True, n_bootstrap=0).value > 0.9
    found = measure(BINARY["auroc"], rng.permutation(label), score, binary=True)
    assert abs(found.value - 0.5) < 0.03
    assert found.low < 0.5 < found.high


def test_the_same_seed_gives_the_same_interval_and_the_value_does_not_depend_on_it():
    label, score = two_classes(np.random.default_rng(3))
    a, b, c = (measure(BINARY["auprc"], label, score, binary=True, seed=s) for s in (0, 0, 1))
    assert a == b
    assert a.value == c.value
    assert a.low != c.low


def test_every_resample_draws_n_examples():
    counts = resamples(np.random.default_rng(0), 50, 30)
    assert (counts.sum(1) == 30).all()
    assert abs((counts == 0).mean() - np.exp(-1)) < 0.03


def test_a_thousand_resamples_of_two_thousand_examples_are_fast():
    label, score = two_classes(np.random.default_rng(4), 2000)
    since = time.process_time()
    measure(BINARY["auroc"], label, score, binary=True, n_bootstrap=1000)
    assert time.process_time() - since < 2


@pytest.mark.parametrize("label", [0, 1])
def test_one_class_alone_has_no_auroc_and_says_so(label):
    found = measure(BINARY["auroc"], np.full(20, float(label)), np.arange(20.0), binary=True)
    assert (found.value, found.low, found.n, found.n_positive) == (None, None, 20, 20 * label)
    assert found.note == f"all 20 labels are {label}: one class only"


def test_few_positives_have_a_value_without_an_interval():
    label = (np.arange(100) < 7).astype(float)
    found = measure(BINARY["auroc"], label, -np.arange(100.0), binary=True)
    assert found.value == 1.0
    assert found.low is None
    assert "only 7 positives: too few for an interval" in found.note
    assert "negatives" in measure(BINARY["auroc"], 1 - label, -np.arange(100.0), binary=True).note


def test_a_score_that_is_no_probability_has_ranks_but_no_log_loss():
    label, score = two_classes(np.random.default_rng(5))
    assert measure(BINARY["auroc"], label, score, binary=True).value is not None
    found = measure(BINARY["log_loss"], label, score, binary=True)
    assert found.value is None
    assert "no probabilities" in found.note


def test_predictions_that_are_not_finite_are_never_scored():
    label, score = two_classes(np.random.default_rng(6))
    score[3] = np.nan
    found = measure(BINARY["auroc"], label, score, binary=True)
    assert found.value is None
    assert "not finite" in found.note


def test_a_constant_prediction_has_no_correlation_and_says_so():
    found = measure(REAL["pearson"], np.arange(30.0), np.full(30, 0.3))
    assert found.value is None
    assert "constant" in found.note


def test_no_example_at_all_is_said():
    assert measure(REAL["mse"], np.zeros(0), np.zeros(0)).note == "no labelled example"


def test_the_prevalence_stands_beside_the_auprc():
    label, score = two_classes(np.random.default_rng(7))
    assert measure(BINARY["auprc"], label, score, binary=True).note == "prevalence 0.5"


def test_intervals_of_clusters_cover_where_those_of_their_examples_are_too_narrow():
    """Ten copies of every example say nothing new: drawn as clusters the interval is that of the originals."""
    label, score = two_classes(np.random.default_rng(2), n=100)
    ten = np.repeat(np.arange(100), 10)
    alone = measure(BINARY["auroc"], label, score, binary=True)
    copies = measure(BINARY["auroc"], label[ten], score[ten], binary=True)
    clusters = measure(BINARY["auroc"], label[ten], score[ten], binary=True, clusters=ten + 7)
    assert alone.value == pytest.approx(clusters.value)
    assert clusters.high - clusters.low == pytest.approx(alone.high - alone.low, rel=0.1)
    assert copies.high - copies.low < 0.5 * (alone.high - alone.low)
    assert clusters.note == "intervals resample 100 clusters of examples"
    few = measure(BINARY["auroc"], label[ten], score[ten], binary=True, clusters=ten % 9)
    assert few.low is None
    assert few.note == "only 9 clusters of examples: too few for an interval"


def test_the_prevalence_of_positions_counts_positions():
    metric = next(m for m in metrics_for(Field("CT", ("a",), values="binary")) if m.name == "auprc")
    target, prediction = np.zeros((20, 50)), np.random.default_rng(0).random((20, 50))
    target[:, 3], target[0, 10:] = 1, np.nan
    note = measure(metric, target, prediction, binary=True).note
    assert note == "20 of 960 positions are 1, prevalence 0.0208"
