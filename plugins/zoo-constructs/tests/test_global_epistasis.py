"""Additive and pairwise baselines recover what was planted, and no more."""

import numpy as np
import pytest

from zoo_constructs.library.construct_features import BaseFeatures, PartFeatures, construct_baselines
from zoo_constructs.library.global_epistasis import MOST_ROWS, GlobalEpistasis, Kernel

WIDTH = 12


def library(n, seed=0):
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 4, (n, WIDTH)).astype(np.uint8)
    effects = np.random.default_rng(1).normal(size=(WIDTH, 4))
    return codes, effects[np.arange(WIDTH), codes].sum(1)


def held_out(fit, features, y, n_train=600, n_validation=200):
    train, validation = slice(0, n_train), slice(n_train, n_train + n_validation)
    test = slice(n_train + n_validation, None)
    model, note, rows = fit("real", features[train], y[train], features[validation], y[validation])
    return np.corrcoef(model(features[test]), y[test])[0, 1], note, rows


def test_a_sigmoid_of_an_additive_trait_is_recovered_where_a_straight_line_is_not():
    codes, trait = library(1_200)
    y = 3 + 10 / (1 + np.exp(-1.5 * trait))
    features = BaseFeatures(WIDTH)(codes)
    r, note, rows = held_out(GlobalEpistasis(), features, y)
    assert r > 0.995
    assert note == "behind a sigmoid"
    assert rows is None
    straight = np.corrcoef(trait[800:], y[800:])[0, 1]  # the best that any straight line of the true trait does
    assert r > straight + 0.02


def test_pairs_are_seen_by_the_pairwise_fit_alone():
    codes, _ = library(1_500, seed=2)
    y = 2.0 * ((codes[:, 2] == codes[:, 7]).astype(float) - (codes[:, 4] == 3) * (codes[:, 9] == 3))
    features = BaseFeatures(WIDTH)(codes)
    additive, _, _ = held_out(GlobalEpistasis(), features, y, 1_000)
    pairwise, note, _ = held_out(GlobalEpistasis(pairs=True), features, y, 1_000)
    assert additive < 0.5
    assert pairwise > 0.9
    assert note.startswith("all pairs")


def test_the_kernel_of_pairs_is_that_of_all_products_of_two_features():
    codes, _ = library(40, seed=3)
    features = BaseFeatures(WIDTH)(codes)
    x = np.asarray(features.todense())
    x = x - x.mean(0)
    s = x @ x.T / np.mean((x**2).sum(1))
    products = np.einsum("ni,nj->nij", x, x).reshape(len(x), -1) / np.mean((x**2).sum(1))
    np.testing.assert_allclose(Kernel(features).own, s + products @ products.T, atol=1e-10)


def test_noise_is_not_explained():
    codes, _ = library(900, seed=4)
    y = np.random.default_rng(5).normal(size=900)
    for pairs in (False, True):
        r, _, _ = held_out(GlobalEpistasis(pairs), BaseFeatures(WIDTH)(codes), y)
        assert abs(r) < 0.3


def test_a_large_library_is_fitted_to_a_part_of_it_and_says_so(monkeypatch):
    monkeypatch.setattr("zoo_constructs.library.global_epistasis.MOST_ROWS", 300)
    codes, trait = library(1_000)
    r, _, rows = held_out(GlobalEpistasis(pairs=True), BaseFeatures(WIDTH)(codes), trait)
    assert rows == 300 < MOST_ROWS
    assert r > 0.9


def test_activities_that_are_all_alike_have_no_fit():
    codes, _ = library(50)
    features = BaseFeatures(WIDTH)(codes)
    assert GlobalEpistasis()("real", features, np.ones(50), None, np.zeros(0)) is None


def test_constructs_without_validation_rows_are_fitted_still():
    codes, trait = library(700)
    features = BaseFeatures(WIDTH)(codes)
    model, _, _ = GlobalEpistasis()("real", features[:500], trait[:500], None, np.zeros(0))
    assert np.corrcoef(model(features[500:]), trait[500:])[0, 1] > 0.95


def test_bases_are_counted_from_the_first_and_n_has_no_feature():
    features = BaseFeatures(3)(np.array([[0, 4, 3], [1, 2, 0]], np.uint8)).toarray()
    assert features.shape == (2, 12)
    assert np.flatnonzero(features[0]).tolist() == [0, 11]
    assert np.flatnonzero(features[1]).tolist() == [1, 6, 8]
    assert BaseFeatures(3)(np.array([[2]], np.uint8)).toarray().sum() == 1


def test_parts_and_their_pairs_are_features_of_constructs_that_the_library_holds():
    rng = np.random.default_rng(0)
    n = 1_200
    part, flank = rng.integers(0, 12, n), rng.integers(0, 10, n)
    effect = {"part": rng.normal(size=12), "flank": rng.normal(size=10), "both": rng.normal(size=(12, 10))}
    sequences = list(rng.integers(0, 4, (n, 20)).astype(np.uint8))
    names = {"part": np.array([f"p{i}" for i in part]), "flank": np.array([f"f{i}" for i in flank])}
    y = effect["part"][part] + effect["flank"][flank] + 1.5 * effect["both"][part, flank]
    codes = np.stack(sequences)
    additive, _, _ = held_out(GlobalEpistasis(), PartFeatures(sequences, names)(codes), y, 900, 100)
    pairs = PartFeatures(sequences, names, pairs=True)
    pairwise, _, _ = held_out(GlobalEpistasis(), pairs(codes), y, 900, 100)
    assert additive < 0.85
    assert pairwise > 0.95
    assert pairs(np.full((1, 20), 4, np.uint8)).nnz == 0


@pytest.mark.parametrize("with_parts", [False, True])
def test_the_baselines_of_a_library_have_names_of_their_own(with_parts):
    parts = PartFeatures([np.zeros(3, np.uint8)], {"part": np.array(["a"])}) if with_parts else None
    names = [baseline.name for baseline in construct_baselines(3, parts, parts)]
    assert names == ["additive bases", "pairwise bases", *(["additive parts", "pairwise parts"] if with_parts else [])]
