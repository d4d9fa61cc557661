"""The model and its best rival on the same rows: who is named, and what is said of the difference."""

import numpy as np
import pytest
import torch

from zoo.data.motifs import core_motifs, scan
from zoo.data.sources.simulation import Simulated
from zoo.errors import ConfigError
from zoo.evaluation.best_motif import best_matches
from zoo.evaluation.bootstrap import measure, paired_difference
from zoo.evaluation.comparison import clean_rows, compare_rows
from zoo.evaluation.evaluate import evaluate
from zoo.evaluation.metrics import metrics_for
from zoo.fields import Field
from zoo.hub.card import write_card
from zoo.spec import ModelSpec

AUROC = next(m for m in metrics_for(Field("C", ("a",), values="binary")) if m.name == "auroc")


class Planted(torch.nn.Module):
    """Predicts the label of a simulated row plus noise: a model that is as good as it is wished to be."""

    def __init__(self, source, noise, seed=0):
        super().__init__()
        batch = source.examples("test").batch(np.arange(len(source.examples("test"))))
        label = batch["target/binding"]
        noisy = label + noise * np.random.default_rng(seed).normal(size=label.shape)
        self.known = {row.tobytes(): p for row, p in zip(batch["codes"], 1 / (1 + np.exp(-noisy)), strict=True)}
        self.device = torch.device("cpu")
        field = source.targets["binding"]
        self.spec = ModelSpec("net", {"name": "none"}, {}, source.input_length, outputs={"binding": (field, None)})

    def predict(self, batch):
        rows = [self.known[row.tobytes()] for row in batch["codes"].numpy()]
        return {"binding": torch.tensor(np.array(rows, np.float32))}


def source():
    return Simulated(n_train=600, n_validation=200, n_test=600)


def compared(noise, **options):
    data = source()
    found = evaluate(Planted(data, noise), data, n_bootstrap=300, **options)
    return found, compare_rows(clean_rows(found.rows), "binding", "CTCF")


def test_a_model_that_is_better_by_construction_is_said_to_be_better_and_the_rival_named():
    found, comparison = compared(0.3)
    assert comparison.better == "yes"
    assert comparison.baseline["predictor"] == "6-mer logistic"
    assert "net is better than the best rival on these rows, 6-mer logistic, by 0." in found.table()
    assert "in AUROC (paired bootstrap, n = 600)" in found.table()


def test_a_rival_that_is_better_by_construction_is_said_to_be_better():
    found, comparison = compared(2.0, motif="CTCF")
    assert comparison.better == "no"
    value, low, high = comparison.difference
    assert low < value < high < 0
    assert "net is worse than the best rival on these rows, PWM MA0139.2, by 0." in found.table()
    assert comparison.baseline["value"] - comparison.model["value"] == pytest.approx(-value)


def test_the_paired_interval_is_of_the_difference_on_equal_resamples():
    rng = np.random.default_rng(0)
    label = (np.arange(400) < 200).astype(float)
    good = label + rng.normal(size=400)
    slightly_worse = good + 0.25 * rng.normal(size=400)
    a, b, twin = (measure(AUROC, label, x, binary=True, n_bootstrap=500) for x in (good, slightly_worse, good))
    found = paired_difference("other", a, b)
    assert found.value == pytest.approx(a.value - b.value)
    # Each alone is far less certain than their difference: both rank the same rows wrongly.
    assert found.high - found.low < 0.5 * (a.high - a.low)
    assert paired_difference("twin", a, twin).low == paired_difference("twin", a, twin).high == 0
    loop = []
    draws = np.random.default_rng(1)
    for _ in range(500):
        rows = draws.integers(0, 400, 400)
        ones = np.ones((1, 400))
        loop.append(
            (AUROC.function(label[rows], good[rows], ones) - AUROC.function(label[rows], slightly_worse[rows], ones))[0]
        )
    assert np.quantile(loop, [0.025, 0.975]) == pytest.approx([found.low, found.high], abs=0.006)


def test_a_tie_is_no_better_at_about_the_rate_of_the_interval():
    rng = np.random.default_rng(2)
    called = []
    for seed in range(120):
        label = (np.arange(200) < 100).astype(float)
        a, b = (label + rng.normal(size=200) for _ in range(2))
        one, other = (measure(AUROC, label, x, binary=True, n_bootstrap=200, seed=seed) for x in (a, b))
        found = paired_difference("other", one, other)
        called.append(found.low > 0 or found.high < 0)
    assert np.mean(called) < 0.12


def test_an_interval_that_spans_zero_reads_no_better_and_older_rows_keep_their_rule():
    row = {"head": "y", "task": "a", "metric": "auroc", "n": 50, "split": "test", "stratum": "all"}
    net = row | {"predictor": "net", "baseline": False, "value": 0.8, "low": 0.7, "high": 0.85}
    gc = row | {"predictor": "GC", "baseline": True, "value": 0.6, "low": 0.55, "high": 0.65}
    tied = net | {"rival": "GC", "difference": 0.2, "difference_low": -0.01, "difference_high": 0.4}
    assert compare_rows(clean_rows([net, gc]), "y", "a").better == "yes"
    assert compare_rows(clean_rows([net, gc]), "y", "a").verdict() == ""
    found = compare_rows(clean_rows([tied, gc]), "y", "a")
    assert found.better == "unsure"
    assert found.verdict() == (
        "no better than the best rival on these rows, GC: the difference is 0.200 [-0.010, 0.400] in AUROC "
        "(paired bootstrap, n = 50)"
    )
    # A difference from another rival than the best one decides nothing.
    assert compare_rows(clean_rows([tied | {"rival": "other"}, gc]), "y", "a").better == "yes"
    broken = tied | {"difference_low": "x", "rival": "GC\x1b[31m"}
    assert compare_rows(clean_rows([broken, gc]), "y", "a").difference is None


def test_the_card_says_it_in_words():
    row = {
        "head": "y",
        "task": "a_b",
        "metric": "auroc",
        "n": 50,
        "split": "test",
        "stratum": "all",
        "unit": "examples",
    }
    net = row | {"predictor": "net", "baseline": False, "value": 0.8, "low": 0.7, "high": 0.85}
    net |= {"rival": "GC", "difference": 0.2, "difference_low": 0.1, "difference_high": 0.3}
    gc = row | {"predictor": "GC", "baseline": True, "value": 0.6, "low": 0.55, "high": 0.65}
    spec = ModelSpec("net", {"name": "motif_cnn"}, {}, 40, metrics=(net, gc))
    line = (
        "- net is better than the best rival on these rows, GC, by 0.200 \\[0.100, 0.300\\] in AUROC (paired bootstrap"
    )
    assert line in write_card(spec)
    assert "rival" not in write_card(spec.replace(metrics=({k: v for k, v in net.items() if "diff" not in k}, gc)))


def test_many_tasks_are_counted():
    rows = []
    for i in range(10):
        row = {"head": "y", "task": f"t{i}", "metric": "auroc", "n": 50, "n_positive": 9, "split": "test", "unit": ""}
        row |= {"stratum": "all", "note": "", "low": None, "high": None}
        side = 0.1 if i < 3 else -0.2
        more = {"rival": "GC", "difference": 0.0, "difference_low": side, "difference_high": side + 0.15}
        rows += [row | {"predictor": "net", "baseline": False, "value": 0.8} | more]
        rows += [row | {"predictor": "GC", "baseline": True, "value": 0.6}]
    from zoo.evaluation.result import table_of

    assert "of 10 tasks the model is better than the best rival in 3, no better in 0, worse in 7" in table_of(rows)


def test_the_best_of_jaspar_is_the_planted_motif():
    found = evaluate(None, Simulated(motifs=["GATA1"], n_train=500, n_test=300), motif="best", n_bootstrap=0)
    (name,) = {row["predictor"] for row in found.rows if row["predictor"].startswith("best PWM")}
    row = found.value("auroc", predictor=name)
    assert "GATA" in name
    assert "GAT" in name.upper()
    assert row["value"] > found.value("auroc", predictor="6-mer logistic")["value"]
    assert "chosen among" in row["note"]
    assert "500 training rows" in row["note"]


def test_matches_of_many_motifs_are_those_of_scan():
    motifs = core_motifs()
    assert len(motifs) > 1500
    some = [m for m in motifs if len(m) <= 30][::400]
    codes = np.random.default_rng(0).integers(0, 5, (20, 30)).astype(np.uint8)
    expected = np.stack([scan(m.log_odds(), codes) for m in some], axis=1)
    assert np.allclose(best_matches(some, codes), expected, atol=1e-4)


def test_dinucleotides_alone_stand_beside_gc_and_see_what_gc_does_not():
    class Dinucleotides(Simulated):
        """CG in every second row, GC in the others: of equal GC content."""

        def examples(self, split):
            rows = super().examples(split)
            batch = rows.batch

            def changed(indices, margin=0):
                made = batch(indices, margin)
                positive = made["target/binding"][:, 0] > 0
                for i in range(0, made["codes"].shape[1] - 1, 10):
                    made["codes"][:, i] = np.where(positive, 1, 2)
                    made["codes"][:, i + 1] = np.where(positive, 2, 1)
                return made

            rows.batch = changed
            return rows

    found = evaluate(None, Dinucleotides(n_train=400, n_validation=100, n_test=400), n_bootstrap=0)
    assert list(dict.fromkeys(r["predictor"] for r in found.rows)) == ["GC", "2-mer logistic", "6-mer logistic"]
    assert found.value("auroc", predictor="2-mer logistic")["value"] > 0.95
    assert abs(found.value("auroc", predictor="GC")["value"] - 0.5) < 0.1
    assert {r["predictor"] for r in evaluate(None, source(), n_bootstrap=0, k=2).rows} == {"GC", "2-mer logistic"}


def test_an_unknown_rival_is_refused_before_anything_is_read():
    with pytest.raises(ConfigError, match="no rival 'gkm': did you mean 'gkm-svm'"):
        evaluate(None, source(), rivals=["gkm"])
    pytest.importorskip("gkmsvm")
    with pytest.raises(ConfigError, match="fitted to 1 rows learns nothing"):
        evaluate(None, source(), rivals={"gkm-svm": 1})
