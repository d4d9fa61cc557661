import numpy as np
import pytest
from scipy import stats
from scipy.spatial.distance import jensenshannon
from sklearn import metrics as sklearn_metrics

from zoo.evaluation import metrics
from zoo.evaluation.bootstrap import resamples
from zoo.fields import Field


def labels_and_scores(seed, n=300, ties=False):
    rng = np.random.default_rng(seed)
    label = (rng.random(n) < 0.3).astype(np.float32)
    score = 1 / (1 + np.exp(-(rng.normal(size=n) + label)))
    return label, (score.round(1) if ties else score).astype(np.float32)


def some_counts(n, seed=0, size=5):
    """The examples themselves, then resamples of them."""
    return np.vstack([np.ones((1, n)), resamples(np.random.default_rng(seed), size, n)])


def taken(counts):
    return [np.repeat(np.arange(len(c)), c.astype(int)) for c in counts]


BINARY = {
    "auroc": sklearn_metrics.roc_auc_score,
    "auprc": sklearn_metrics.average_precision_score,
    "log_loss": lambda y, p: sklearn_metrics.log_loss(y, np.clip(p.astype(float), 1e-7, 1 - 1e-7)),
    "brier": sklearn_metrics.brier_score_loss,
    "accuracy": lambda y, p: sklearn_metrics.accuracy_score(y, p >= 0.5),
}
REAL = {
    "pearson": lambda y, p: stats.pearsonr(y, p)[0],
    "spearman": lambda y, p: stats.spearmanr(y, p)[0],
    "mse": sklearn_metrics.mean_squared_error,
    "r2": sklearn_metrics.r2_score,
}


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("name", BINARY)
def test_binary_metrics_equal_those_of_sklearn_on_every_resample(name, ties):
    label, score = labels_and_scores(0, ties=ties)
    counts = some_counts(len(label))
    expected = [BINARY[name](label[rows], score[rows]) for rows in taken(counts)]
    assert np.allclose(getattr(metrics, name)(label, score, counts), expected, atol=1e-6)


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("name", REAL)
def test_real_metrics_equal_those_of_scipy_and_sklearn_on_every_resample(name, ties):
    rng = np.random.default_rng(1)
    target = rng.normal(size=200) + 1000
    prediction = target + rng.normal(size=200)
    if ties:
        target, prediction = target.round(), prediction.round()
    counts = some_counts(200)
    expected = [REAL[name](target[rows], prediction[rows]) for rows in taken(counts)]
    assert np.allclose(getattr(metrics, name)(target, prediction, counts), expected, atol=1e-7)


def profiles(seed=0, n=40, bins=25):
    rng = np.random.default_rng(seed)
    target = rng.poisson(3, (n, bins)).astype(np.float32)
    return target, (target + 2 * rng.random((n, bins))).astype(np.float32)


def test_profile_metrics_equal_those_of_scipy_on_every_resample():
    target, prediction = profiles()
    counts = some_counts(len(target))
    for rows, over_bins, distance, total in zip(
        taken(counts),
        metrics.profile_pearson(target, prediction, counts),
        metrics.jsd_median(target, prediction, counts),
        metrics.log_count_pearson(target, prediction, counts),
        strict=True,
    ):
        y, p = target[rows].astype(float), prediction[rows].astype(float)
        assert over_bins == pytest.approx(stats.pearsonr(y.ravel(), p.ravel())[0], abs=1e-9)
        assert distance == pytest.approx(np.median(jensenshannon(y, p, base=2, axis=1)), abs=1e-9)
        assert total == pytest.approx(stats.pearsonr(np.log1p(y.sum(1)), np.log1p(p.sum(1)))[0], abs=1e-9)


def test_profiles_are_compared_where_the_target_is_known():
    target, prediction = profiles()
    masked = target.copy()
    masked[:, 20:] = np.nan
    ones = np.ones((1, len(target)))
    for metric in (metrics.profile_pearson, metrics.jsd_median, metrics.log_count_pearson):
        cropped = metric(target[:, :20], prediction[:, :20], ones)
        assert metric(masked, prediction, ones) == pytest.approx(cropped, abs=1e-9)
        assert abs(metric(target, prediction, ones) - cropped)[0] > 1e-6


def test_a_region_without_reads_does_not_enter_the_median_distance():
    target, prediction = profiles()
    target[0] = 0
    ones = np.ones((1, len(target)))
    assert metrics.jsd_median(target, prediction, ones) == metrics.jsd_median(target[1:], prediction[1:], ones[:, 1:])


def test_class_metrics_equal_those_of_sklearn_without_missing_positions():
    rng = np.random.default_rng(2)
    target = rng.integers(-1, 3, (30, 12))
    prediction = rng.random((30, 3, 12)).astype(np.float32)
    counts = some_counts(30)
    field = Field("T", values="class", vocabulary=("none", "donor", "acceptor"))
    named = {m.name: m for m in metrics.metrics_for(field)}
    assert list(named) == ["accuracy", "f1:none", "f1:donor", "f1:acceptor"]
    for i, rows in enumerate(taken(counts)):
        y, p = target[rows].ravel(), prediction[rows].argmax(1).ravel()
        y, p = y[y >= 0], p[y >= 0]
        assert named["accuracy"].function(target, prediction, counts)[i] == pytest.approx((y == p).mean())
        each = sklearn_metrics.f1_score(y, p, average=None)
        found = [named[f"f1:{c}"].function(target, prediction, counts)[i] for c in field.vocabulary]
        assert found == pytest.approx(list(each))


def test_auroc_of_constant_scores_is_a_half_and_of_one_class_undefined():
    label = np.array([0, 1, 0, 1, 1.0])
    ones = np.ones((1, 5))
    assert metrics.auroc(label, np.zeros(5), ones) == [0.5]
    assert np.isnan(metrics.auroc(np.ones(5), np.arange(5.0), ones)).all()
    assert metrics.auprc(label, np.zeros(5), ones) == pytest.approx([0.6])


def test_correlation_with_a_constant_is_undefined():
    y = np.arange(10.0)
    ones = np.ones((1, 10))
    for metric in (metrics.pearson, metrics.spearman):
        assert np.isnan(metric(y, np.full(10, 0.1), ones)).all()
    assert np.isnan(metrics.r2(np.full(10, 0.1), y, ones)).all()


@pytest.mark.parametrize(
    ("field", "names"),
    [
        (Field("C", ("a",), values="binary"), ["auroc", "auprc", "log_loss", "accuracy", "brier", "ece"]),
        (Field("C", ("a",)), ["pearson", "spearman", "mse", "r2"]),
        (Field("C", ("a",), values="count"), ["pearson", "spearman", "mse", "r2"]),
        (Field("CT", ("a",), values="count"), ["pearson", "jsd_median", "log_count_pearson"]),
        (Field("CT", ("a",)), ["pearson"]),
        (Field("CT", ("a",), values="binary"), ["auroc", "auprc", "top_k"]),
        (Field("CTT", ("a",), values="count"), []),
    ],
)
def test_the_field_chooses_the_metrics(field, names):
    assert [m.name for m in metrics.metrics_for(field)] == names


def stratum_adjusted(target, prediction):
    return float(np.mean(target == prediction))


SCC = metrics.Metric("scc", metrics.each_resample(stratum_adjusted), lambda field: field.axes == "CTT", "maps")


def test_a_plugin_registers_a_metric_for_contact_maps(monkeypatch):
    from zoo.registry import Registry

    registry = Registry()
    registry.add("metric", "scc", f"{__name__}:SCC")
    monkeypatch.setattr(Registry, "get", lambda self, kind, name: SCC)
    monkeypatch.setattr("zoo.registry.registry", lambda: registry)
    assert [m.name for m in metrics.metrics_for(Field("CTT", ("a",)))] == ["scc"]
    x = np.zeros((4, 3, 3))
    assert SCC.function(x, x, np.array([[1, 1, 1, 1], [0, 4, 0, 0]])).tolist() == [1, 1]


def test_binary_positions_are_pooled_and_missing_ones_left_out():
    rng = np.random.default_rng(3)
    target = (rng.random((20, 8)) < 0.4).astype(float)
    target[0, :4] = np.nan
    prediction = rng.random((20, 8)) + np.nan_to_num(target)
    metric = next(m for m in metrics.metrics_for(Field("CT", ("a",), values="binary")) if m.name == "auroc")
    known = np.isfinite(target)
    expected = sklearn_metrics.roc_auc_score(target[known], prediction[known])
    assert metric.function(target, prediction, np.ones((1, 20)))[0] == pytest.approx(expected)


def test_metrics_by_position_are_those_of_the_positions_written_out_in_every_resample():
    """Ties, missing positions, and resamples that draw an example twice or not at all."""
    rng = np.random.default_rng(4)
    target = (rng.random((30, 50)) < 0.05).astype(float)
    target[rng.random((30, 50)) < 0.1] = np.nan
    prediction = np.round(rng.random((30, 50)) + 0.3 * np.nan_to_num(target), 2)
    counts = rng.integers(0, 3, (6, 30)).astype(float)
    known = np.isfinite(target)
    written_out = np.repeat(counts, known.sum(1), axis=1)
    by_name = {m.name: m for m in metrics.metrics_for(Field("CT", ("a",), values="binary"))}
    assert list(by_name) == ["auroc", "auprc", "top_k"]
    for name, metric in by_name.items():
        expected = getattr(metrics, name)(target[known], prediction[known], written_out)
        np.testing.assert_allclose(metric.function(target, prediction, counts), expected, atol=1e-12)


def test_top_k_is_the_precision_among_as_many_as_there_are_and_shares_ties():
    target, prediction = np.array([1, 1, 1, 0, 0, 0]), np.array([0.9, 0.5, 0.1, 0.5, 0.4, 0.2])
    ones = np.ones((1, 6))
    # 0.9 is right; of the two at 0.5 one is; k = 3.
    assert metrics.top_k(target, prediction, ones)[0] == pytest.approx(2 / 3)
    # k = 2 without the last positive: of the two at 0.5 one place is left, which a positive has half of.
    assert metrics.top_k(target, prediction, np.array([[1, 1, 0, 1, 1, 1.0]]))[0] == pytest.approx(1.5 / 2)
