"""Expected contacts and the steps to log(observed / expected), on maps whose truth is planted."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoo.errors import ConfigError
from zoo_hic.expected import diagonal_sums, expand_expected, pool_expected, smooth_far
from zoo_hic.maps import ContactMap
from zoo_hic.preprocess import Preprocess

PLAIN = Preprocess(first_diagonal=0, expected_pairs=0, pseudocount=0.0, clip=None)


def decay(n, power=1.0):
    at = np.arange(n)
    return 100.0 * (1 + np.abs(at[:, None] - at[None, :])) ** -power


@st.composite
def squares(draw):
    """Symmetric contacts with zeros and masked bins."""
    n = draw(st.integers(3, 24))
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    upper = np.triu(rng.poisson(decay(n) / 20).astype(float))
    square = upper + np.triu(upper, 1).T
    for i in draw(st.lists(st.integers(0, n - 1), max_size=3)):
        square[i] = square[:, i] = np.nan
    return square


settings_of = st.builds(
    Preprocess,
    first_diagonal=st.integers(0, 3),
    last_diagonal=st.none() | st.integers(3, 12),
    expected_pairs=st.sampled_from([0, 10]),
    log=st.sampled_from(["e", "2", "10"]),
    pseudocount=st.sampled_from([0.0, 0.1]),
    clip=st.none() | st.just(1.0),
    fill=st.integers(0, 2),
    smooth=st.sampled_from([0.0, 0.7, 2.0]),
)


def test_mean_of_each_diagonal_over_known_pairs():
    square = np.array([[9.0, 2, np.nan, 1], [2, 7, np.nan, 0], [np.nan] * 4, [1, 0, np.nan, 5]])
    np.testing.assert_allclose(pool_expected([square]), [7, 2, 0, 1])


def test_contigs_count_by_their_pairs():
    small, large = np.full((2, 2), 6.0), np.full((4, 4), 3.0)
    np.testing.assert_allclose(pool_expected([small, large]), [(12 + 12) / 6, (6 + 9) / 4, 3, 3])
    np.testing.assert_allclose(pool_expected([large, small]), pool_expected([small, large]))
    assert pool_expected([]).shape == (0,)


@given(squares())
def test_expected_explains_a_map_of_distance_alone(square):
    """Whatever is masked, contacts that depend on distance only have observed / expected of 1."""
    truth = decay(len(square), 0.8)
    truth[np.isnan(square)] = np.nan
    value = PLAIN.apply(truth, pool_expected([truth]))
    np.testing.assert_array_equal(np.isnan(value), np.isnan(truth))
    np.testing.assert_allclose(value[np.isfinite(value)], 0, atol=1e-5)


def test_far_diagonals_are_pooled_and_fall():
    rng = np.random.default_rng(1)
    upper = np.triu(rng.poisson(decay(200, 1.2)).astype(float))
    square = upper + np.triu(upper, 1).T
    own, pooled = pool_expected([square]), pool_expected([square], min_pairs=80)
    np.testing.assert_array_equal(pooled[:121], own[:121])
    assert (np.diff(pooled[121:]) <= 1e-12).all()
    truth = decay(200, 1.2)[0]
    assert np.abs(np.log(pooled[121:] / truth[121:])).max() < np.abs(np.log((own[121:] + 1e-9) / truth[121:])).max()
    assert np.abs(np.log(pooled[121:] / truth[121:])).max() < 0.3


def test_pooling_leaves_the_main_diagonal_and_survives_nothing_known():
    total, pairs = np.array([50.0, 3, 2, 0]), np.array([5.0, 2, 1, 0])
    mean = smooth_far(total, pairs, 10)
    assert mean[0] == 10
    np.testing.assert_allclose(mean[1:], 5 / 3)
    assert np.isnan(pool_expected([np.full((3, 3), np.nan)], min_pairs=5)).all()
    sums, known = diagonal_sums(np.full((3, 3), np.nan))
    assert sums.sum() == known.sum() == 0


def test_planted_domain_and_loop_are_found():
    contacts = decay(60)
    contacts[20:40, 20:40] *= 2
    contacts[10, 50] *= 8
    contacts[50, 10] *= 8
    value = PLAIN.apply(contacts, decay(60)[0])
    np.testing.assert_allclose(value[25, 35], math.log(2), rtol=1e-5)
    np.testing.assert_allclose(value[10, 50], math.log(8), rtol=1e-5)
    assert value[5, 15] == pytest.approx(0, abs=1e-6)
    assert Preprocess(log="2", clip=2.0, pseudocount=0.0).apply(contacts, decay(60)[0])[50, 10] == 2


@given(squares(), settings_of)
def test_symmetric_in_symmetric_out(square, steps):
    value = steps.apply(square, steps.expect({"c": square})["c"])
    assert value.dtype == np.float32
    np.testing.assert_array_equal(value, value.T)
    assert not np.isinf(value).any()
    near = np.abs(np.subtract.outer(np.arange(len(square)), np.arange(len(square)))) < steps.first_diagonal
    assert np.isnan(value[near]).all()
    if steps.clip:
        assert (np.abs(value[np.isfinite(value)]) <= steps.clip + 1e-6).all()


@given(squares(), settings_of)
def test_turning_the_contig_round_turns_the_result_round(square, steps):
    turned = square[::-1, ::-1]
    means = steps.expect({"c": square})["c"]
    np.testing.assert_allclose(steps.expect({"c": turned})["c"], means)
    np.testing.assert_allclose(steps.apply(turned, means), steps.apply(square, means)[::-1, ::-1], atol=1e-5)


@given(squares(), st.floats(0.01, 100))
def test_depth_does_not_matter(square, depth):
    steps = Preprocess()
    value, scaled = (steps.apply(s, steps.expect({"c": s})["c"]) for s in (square, square * depth))
    np.testing.assert_allclose(value, scaled, atol=1e-4)


def test_pairs_without_contact():
    square = np.array([[4.0, 0, 2], [0, 4, 4], [2, 4, 4]])
    means = pool_expected([square])
    assert np.isnan(PLAIN.apply(square, means)[0, 1])
    shown = Preprocess(first_diagonal=0, pseudocount=0.1, clip=None, expected_pairs=0).apply(square, means)
    assert shown[0, 1] == pytest.approx(math.log(0.1 / 1.1))
    assert shown[0, 2] == pytest.approx(0)


def test_filling_reaches_as_far_as_it_says():
    value = decay(12)
    value[5] = value[:, 5] = np.nan
    value[8:11] = value[:, 8:11] = np.nan
    one = Preprocess(first_diagonal=0, pseudocount=0.0, fill=1, expected_pairs=0).apply(value, decay(12)[0])
    assert np.isfinite(one[5, :7]).all()
    assert np.isnan(one[9]).all()
    np.testing.assert_allclose(one[np.isfinite(one)], 0, atol=1e-6)
    two = Preprocess(first_diagonal=0, pseudocount=0.0, fill=2, expected_pairs=0).apply(value, decay(12)[0])
    assert np.isfinite(two).all()


def test_smoothing_ignores_what_is_unknown():
    rng = np.random.default_rng(0)
    noise = np.triu(rng.lognormal(0, 0.5, (40, 40)), 1)
    square = decay(40) * (noise + noise.T + np.eye(40))
    square[7] = square[:, 7] = np.nan
    rough = PLAIN.apply(square, decay(40)[0])
    smooth = Preprocess(first_diagonal=0, expected_pairs=0, pseudocount=0.0, clip=None, smooth=1.5).apply(
        square, decay(40)[0]
    )
    np.testing.assert_array_equal(np.isnan(rough), np.isnan(smooth))
    assert np.nanstd(smooth) < 0.5 * np.nanstd(rough)


def test_whole_map_by_contig_or_genome():
    contacts = ContactMap.from_dense({"a": decay(8), "b": 3 * decay(6)}, 100)
    each = Preprocess(first_diagonal=0, expected_pairs=0).of_map(contacts)
    for value in each.values():
        np.testing.assert_allclose(value, 0, atol=1e-5)
    pooled = Preprocess(first_diagonal=0, expected_pairs=0, expected="genome").of_map(contacts)
    assert (pooled["b"] > 0).all()
    assert pooled["a"][0, 5] < 0
    assert list(Preprocess().of_map(contacts, ["b"])) == ["b"]
    read = ContactMap(("a",), {"a": 800}, 100, contacts.pixels, contacts.weights, origin={"balance": "KR"})
    with pytest.raises(ConfigError, match="read with balance=KR, the preprocessing says weight: make them agree"):
        Preprocess().of_map(read)


def test_description_names_every_step_in_order():
    about = Preprocess(last_diagonal=40, smooth=1.0, fill=2).describe()
    assert json.loads(json.dumps(about)) == about
    assert Preprocess(**{k: v for k, v in about.items() if k != "order"}).describe() == about
    text = " ".join(about["order"])
    for step in ("weight", "fewer than 2 or more than 40", "over the contig", "O/E + 0.1", "+-2", "up to 2", "sigma 1"):
        assert step in text


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"first_diagonal": -1}, "first_diagonal -1 must be a whole number from 0 on"),
        ({"last_diagonal": 1}, "from first_diagonal 2 on"),
        ({"expected": "arm"}, "one of contig, genome"),
        ({"log": 3}, "one of e, 2, 10"),
        ({"clip": 0.0}, "clip 0.0 must be more than 0"),
        ({"smooth": math.nan}, "smooth nan must be 0 or more"),
        ({"balance": ""}, "balance is empty"),
    ],
)
def test_settings_that_mean_nothing(given, message):
    with pytest.raises(ConfigError, match=message):
        Preprocess(**given)


def test_expected_of_a_smaller_map_is_refused():
    with pytest.raises(ConfigError, match="expected has 3 diagonals, the map 5"):
        Preprocess().apply(decay(5), np.ones(3))
    np.testing.assert_array_equal(expand_expected(np.arange(4.0), 3), [[0, 1, 2], [1, 0, 1], [2, 1, 0]])
