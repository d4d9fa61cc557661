"""Expected intervals, against simulation, and the words on splits that are small."""

import numpy as np
import pytest

from zoo.data.gc_matched_negatives import auroc
from zoo.fields import Field
from zoo.training.label_statistics import LabelStatistics
from zoo.training.sample_size import auroc_half_width, pearson_half_width, small_splits


def test_half_widths_are_those_of_simulated_sets():
    rng = np.random.default_rng(0)
    gap = 1.19  # of two normal distributions with an AUROC of 0.8
    scores = [auroc(rng.normal(gap, 1, 60), rng.normal(0, 1, 120)) for _ in range(2000)]
    assert np.mean(scores) == pytest.approx(0.8, abs=0.005)
    assert 1.96 * np.std(scores) == pytest.approx(float(auroc_half_width(60, 120)), rel=0.12)
    pairs = rng.multivariate_normal([0, 0], [[1, 0.6], [0.6, 1]], (2000, 80))
    r = [np.corrcoef(x.T)[0, 1] for x in pairs]
    assert 1.96 * np.std(r) == pytest.approx(float(pearson_half_width(80)), rel=0.12)
    assert pearson_half_width(3) == 1


def statistics(field, **labels):
    known = LabelStatistics(field)
    for split, y in labels.items():
        known.add(split, np.asarray(y))
    return {"value": known}


def column(ones, zeros):
    return np.repeat([1.0, 0.0], [ones, zeros])[:, None]


BINARY = Field("C", channels=("bound",), values="binary")


def test_small_splits_are_warned_of_and_large_ones_are_not():
    labels = {"train": column(49, 400), "validation": column(20, 20), "test": column(100, 100)}
    lines = list(small_splits(statistics(BINARY, **labels), {k: len(y) for k, y in labels.items()}))
    assert all(line.startswith("warning: ") for line in lines)
    assert "only 49 positive examples of 'bound' are in train" in lines[0]
    assert "warning: validation is small to choose an epoch by" in lines[1]
    assert "warning: test is small to tell models apart" in lines[2]
    assert "20 positive and 20 negative examples of 'bound' an AUROC of 0.8 is known to +/- 0.14" in lines[1]
    assert "100 positive and 100 negative" in lines[2]
    labels = {"train": column(50, 400), "validation": column(60, 60), "test": column(200, 200)}
    assert not list(small_splits(statistics(BINARY, **labels), {k: len(y) for k, y in labels.items()}))


def test_measured_values_classes_and_profiles_have_their_own_metric():
    n = {"train": 900, "validation": 900, "test": 90}
    values = {split: np.random.default_rng(0).normal(size=(k, 1)) for split, k in n.items()}
    (line,) = small_splits(statistics(Field("C", channels=("a",)), **values), n)
    assert "with 90 examples of 'a' a correlation of 0.6" in line
    ids = {split: np.arange(k) % 3 for split, k in n.items()}
    (line,) = small_splits(statistics(Field("", values="class", vocabulary=("x", "y", "z")), **ids), n)
    assert "an accuracy of 0.8" in line
    profiles = {split: np.ones((k, 1, 5)) for split, k in n.items()}
    field = Field("CT", channels=("a",), values="count", bin_size=1)
    (line,) = small_splits(statistics(field, **profiles), n)
    assert "with 90 examples" in line
    assert "over examples" in line
    assert not list(small_splits(statistics(field), {"train": 0, "validation": 0, "test": 0}))


def test_a_split_of_one_class_is_left_to_others():
    labels = {"train": column(60, 60), "test": column(5, 0)}
    n = {"train": 120, "validation": 0, "test": 5}
    assert not list(small_splits(statistics(BINARY, **labels), n))
