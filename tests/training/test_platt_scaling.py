"""Scales and shifts that were planted come back."""

import numpy as np
import pytest

from zoo.training.platt_scaling import fit_scale_and_shift, fit_temperature


def labels_of(logit, seed=1):
    return (np.random.default_rng(seed).random(len(logit)) < 1 / (1 + np.exp(-logit))).astype(np.float32)


@pytest.fixture
def logit():
    return 2 * np.random.default_rng(0).normal(size=20_000)


@pytest.mark.parametrize(("scale", "shift"), [(3.0, 0.0), (3.0, 2.0), (0.3, -1.0), (1.0, 0.0)])
def test_a_logit_that_was_scaled_and_shifted_is_brought_back(logit, scale, shift):
    found = fit_scale_and_shift(scale * logit + shift, labels_of(logit), np.ones(len(logit)))
    assert found == pytest.approx((1 / scale, -shift / scale), rel=0.05, abs=0.05)


def test_no_shift_is_fitted_where_the_labels_do_not_ask_for_one(logit):
    none = [fit_scale_and_shift(3 * logit[i : i + 200], labels_of(logit)[i : i + 200], np.ones(200))[1] for i in
            range(0, 8000, 200)]  # fmt: skip
    assert np.mean([shift == 0 for shift in none]) > 0.85


def test_weights_count_as_that_many_examples(logit):
    z, y = logit[:600], labels_of(logit)[:600]
    weight = np.random.default_rng(2).integers(1, 4, 600)
    repeated = fit_scale_and_shift(z.repeat(weight), y.repeat(weight), np.ones(weight.sum()))
    assert fit_scale_and_shift(z, y, weight.astype(float))[0] == pytest.approx(repeated[0], rel=0.02)


def test_another_prevalence_is_a_shift_of_the_logit(logit):
    """Of the negatives one in ten is kept: log(10) is added."""
    label = labels_of(logit)
    kept = (label > 0) | (np.random.default_rng(3).random(len(label)) < 0.1)
    scale, shift = fit_scale_and_shift(logit[kept], label[kept], np.ones(kept.sum()))
    assert scale == pytest.approx(1, rel=0.1)
    assert shift == pytest.approx(np.log(10), abs=0.2)


def test_a_score_that_falls_with_the_labels_has_no_scale(logit):
    assert fit_scale_and_shift(-logit, labels_of(logit), np.ones(len(logit))) is None


def test_classes_that_do_not_overlap_have_a_finite_scale():
    z, y = np.repeat([-9.0, 9.0], 60), np.repeat([0.0, 1.0], 60)
    scale, _ = fit_scale_and_shift(z, y, np.ones(120))
    assert 0.2 < scale < 1


def test_the_temperature_of_classes_is_brought_back():
    rng = np.random.default_rng(0)
    logits = 2 * rng.normal(size=(20_000, 4))
    label = (logits + rng.gumbel(size=logits.shape)).argmax(1)
    assert fit_temperature(3 * logits, label, np.ones(len(label))) == pytest.approx(1 / 3, rel=0.05)
    assert fit_temperature(-logits, label, np.ones(len(label))) is None
