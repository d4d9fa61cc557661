"""Probes name the domain where the features tell it, and nothing beyond chance where they do not."""

import numpy as np
import pytest
import torch

from zoo.data.sources.simulated_labs import SimulatedLabs
from zoo.errors import ConfigError, DataError
from zoo.evaluation.confounding import covariate_table, follow_covariates
from zoo.evaluation.domain_probe import FrozenFeatures, freeze, probe_domain, probe_table
from zoo.model import build
from zoo.spec import ModelSpec


def frozen(features, domain, label, prediction=None):
    n = len(domain)
    return FrozenFeatures(
        features=features.astype(np.float32),
        prediction=np.zeros((n, 1), np.float32) if prediction is None else prediction,
        domain=domain,
        domains=("a", "b"),
        label=label,
        classes=("0", "1"),
        fold=np.arange(n) % 5,
    )


def row(rows, where, probe):
    return next(r for r in rows if r["rows"] == where and r["probe"] == probe)


def test_noise_tells_nothing_and_a_shift_is_seen_by_both_probes():
    rng = np.random.default_rng(0)
    domain, label = np.arange(1200) % 2, rng.integers(0, 2, 1200)
    x = rng.standard_normal((1200, 3))
    noise = probe_domain(frozen(x, domain, label))
    for r in noise:
        assert r["low"] <= r["chance_given_label"] + 0.03
        assert r["n"] == 1200 if r["rows"] == "all" else r["n"] > 500
    x[:, 0] += 2 * domain
    shifted = probe_domain(frozen(x, domain, label))
    assert row(shifted, "all", "linear")["low"] > 0.75
    assert row(shifted, "all", "nonlinear")["low"] > 0.75
    assert abs(row(shifted, "all", "prediction")["excess"]) < 0.05
    assert "given label" in probe_table(shifted, ("a", "b"))


def test_a_sign_that_flips_is_seen_within_the_classes_alone_by_the_linear_probe():
    rng = np.random.default_rng(1)
    domain, label = np.arange(1200) % 2, rng.integers(0, 2, 1200)
    x = rng.standard_normal((1200, 2))
    x[:, 0] += 2.5 * (2 * domain - 1) * (2 * label - 1)
    rows = probe_domain(frozen(x, domain, label))
    assert row(rows, "all", "linear")["excess"] < 0.06
    assert row(rows, "label 0", "linear")["excess"] > 0.3
    assert row(rows, "label 1", "linear")["excess"] > 0.3


def test_chance_given_the_label_is_that_of_the_share_of_positives():
    domain = np.repeat([0, 1], 500)
    label = np.r_[np.repeat([1, 0], [400, 100]), np.repeat([1, 0], [100, 400])]
    r = probe_domain(frozen(np.zeros((1000, 1)), domain, label, label[:, None].astype(np.float32)))
    assert row(r, "all", "linear")["chance"] == 0.5
    assert row(r, "all", "prediction")["chance_given_label"] == 0.8
    assert row(r, "all", "prediction")["accuracy"] == pytest.approx(0.8)
    assert row(r, "all", "prediction")["excess"] == pytest.approx(0)


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    encoder = {"name": "residual_cnn", "filters": 8}
    head = {"name": "scalar", "in_channels": 8, "tasks": ["CTCF"], "values": "binary"}
    return build(ModelSpec(name="toy", encoder=encoder, heads={"binding": head}, input_length=100))


def labs(**changes):
    counts = {"n_train": 150, "n_validation": 150, "n_test": 150}
    return SimulatedLabs(**{"labs": {"a": {"gc": 0.3}, "b": {"gc": 0.6}}, **counts, **changes})


def test_features_are_those_of_the_data_and_name_their_domain(model):
    source = labs()
    features = freeze(model, source, "validation")
    assert features.features.shape == (300, 16)
    assert features.domains == ("a", "b")
    assert features.domain.tolist() == [0] * 150 + [1] * 150
    assert features.classes == ("0", "1")
    rows = probe_domain(features)
    assert row(rows, "all", "linear")["excess"] > 0.25  # the labs differ in GC content
    by_column = freeze(model, source, "validation", column="domain", most=100)
    assert by_column.features.shape == (100, 16)


def test_one_domain_alone_is_refused_with_what_to_do(model):
    with pytest.raises(DataError, match="all 150 rows of test are of domain 'b', and a probe needs two"):
        freeze(model, labs(held_out_domain="b"), "test")
    with pytest.raises(ConfigError, match="no column 'lab'"):
        freeze(model, labs(), "test", column="lab")


def test_a_prediction_that_is_gc_content_follows_it_within_both_classes(model):
    class Follows(torch.nn.Module):
        spec, device, dtype = model.spec, torch.device("cpu"), torch.float32

        def forward(self, batch):
            codes = batch["codes"]
            return {"binding": ((codes == 1) | (codes == 2)).float().mean(1, keepdim=True)}

    rows = follow_covariates(Follows(), labs(), "test", ["gc"])
    assert [r["rows"] for r in rows] == ["all", "label 0", "label 1"]
    for r in rows:
        assert r["pearson"] == pytest.approx(1, abs=1e-5)
        assert r["spearman"] == pytest.approx(1, abs=1e-5)
        assert r["chance"] == pytest.approx(2 / r["n"] ** 0.5)
    assert "2 / sqrt(n)" in covariate_table(rows)
    with pytest.raises(ConfigError, match="no covariate 'depth'"):
        follow_covariates(Follows(), labs(), "test", ["depth"])
