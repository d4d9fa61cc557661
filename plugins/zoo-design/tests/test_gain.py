"""Intervals of a judge's gains: as wide as they should be, and not narrower where designs are near-copies."""

import numpy as np

from zoo_design.judgement.gain import measure_gain, percentiles, weighted_median


def test_designs_without_a_gain_pass_as_seldom_as_the_interval_says():
    rng = np.random.default_rng(0)
    passed = np.zeros(3)
    for _ in range(100):
        starts, natural = rng.normal(size=30), rng.normal(size=500)
        bar = 1.645  # The 95th percentile of a normal distribution.
        values = bar + rng.normal(size=30)
        gain = measure_gain(values, values + starts, values - starts, natural, np.arange(30))
        passed += [gain.over_start.positive, gain.over_random.positive, gain.over_natural.positive]
    assert passed.max() <= 9, "2.5 of 100 are expected, a little more of the bootstrap with 30 units"


def test_near_copies_of_few_starts_do_not_narrow_the_interval():
    rng = np.random.default_rng(1)
    effect = rng.normal(0.3, 1, 12)
    once = measure_gain(effect, np.zeros(12), np.zeros(12), np.zeros(0), np.arange(12))
    groups = np.repeat(np.arange(12), 20)
    copied = effect[groups] + rng.normal(0, 0.01, 240)
    many = measure_gain(copied, np.zeros(240), np.zeros(240), np.zeros(0), groups)
    assert (many.n, many.n_units, many.units) == (240, 12, "starts")
    width = [g.over_start.high - g.over_start.low for g in (once, many)]
    assert 0.8 < width[1] / width[0] < 1.25


def test_fewer_than_ten_units_have_no_interval_and_missing_values_are_left_out():
    x = np.arange(12.0)
    assert measure_gain(x[:9], x[:9], x[:9], np.zeros(0), np.arange(9)) is None
    values = np.where(x < 3, np.nan, x)
    assert measure_gain(values, x, x, np.zeros(0), np.arange(12)) is None
    gain = measure_gain(x + 1, x, x, np.full(300, 2.0), np.zeros(12, int))
    assert (gain.units, gain.n_units) == ("designs", 12)
    assert gain.over_start.value == gain.over_start.low == 1.0
    assert gain.over_natural.value == np.median(x + 1) - 2.0
    assert measure_gain(x + 1, x, x, np.zeros(199), np.arange(12)).over_natural is None


def test_ties_with_natural_sequences_count_half():
    natural = np.array([0.0, 1.0, 1.0, 2.0, np.nan])
    assert percentiles(np.array([1.0, 5.0, -1.0]), natural).tolist() == [50.0, 100.0, 0.0]
    assert np.isnan(percentiles(np.array([1.0]), np.zeros(0))).all()
    assert weighted_median(np.array([1.0, 2.0]), np.array([[0.0, 3.0]])).tolist() == [2.0]
