import json

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score
from torch import nn

from zoo.data.motifs import get_motif
from zoo.data.source import Examples, Source
from zoo.data.sources.simulation import Simulated
from zoo.errors import ConfigError
from zoo.evaluation.baselines import canonical_kmers, gc_content, kmer_frequencies
from zoo.evaluation.evaluate import evaluate
from zoo.fields import Field, Grid
from zoo.files.tables import read_table
from zoo.spec import ModelSpec


class Rows(Examples):
    def __init__(self, codes, labels, weights=None, lengths=None):
        self.codes, self.labels, self.given = codes, labels, weights
        self.lengths = np.full(len(codes), codes.shape[1]) if lengths is None else lengths

    def batch(self, indices, margin=0):
        length = self.lengths[indices[0]]
        batch = {"codes": self.codes[indices, :length], "target/y": self.labels[indices]}
        return batch if self.given is None else batch | {"weight/y": self.given[indices]}

    def identity(self, indices):
        return {"name": np.array([f"r{i}" for i in indices]), "width": np.asarray(indices) * 10}


class Tables(Source):
    input_length = 40

    def __init__(self, field, test, train=None):
        self.targets = {"y": field}
        empty = Rows(test.codes[:0], test.labels[:0])
        self.parts = {"train": train or empty, "validation": train or empty, "test": test}

    def examples(self, split):
        return self.parts[split]

    def describe(self):
        return {}


class Fake(nn.Module):
    """Predicts by a function of the codes."""

    def __init__(self, function, field, grid=None, head="y"):
        super().__init__()
        self.function, self.device = function, torch.device("cpu")
        self.spec = ModelSpec("fake", {"name": "none"}, {}, 40, outputs={head: (field, grid)})
        self.seen = []

    def predict(self, batch):
        self.seen.append(len(batch["codes"]))
        assert not self.training
        return {"y": self.function(batch["codes"])}


def random_codes(n=120, length=40, seed=0):
    return np.random.default_rng(seed).integers(0, 4, (n, length)).astype(np.uint8)


def share_of_a(codes):
    return (codes == 0).float().mean(1, keepdim=True)


TASKS = Field("C", ("one", "two"), values="binary")


def binary_labels(n=120, seed=1):
    return (np.random.default_rng(seed).random((n, 2)) < 0.4).astype(np.float32)


def both_tasks(codes):
    return share_of_a(codes).repeat(1, 2)


def test_the_planted_motif_is_found_by_its_matrix_and_gc_alone_says_nothing():
    found = evaluate(None, Simulated(n_train=2000, n_test=2000), motif="CTCF")
    assert found.value("auroc", predictor="PWM MA0139.2")["value"] > 0.97
    gc = found.value("auroc", predictor="GC")
    assert abs(gc["value"] - 0.5) < 0.03
    assert gc["low"] < 0.5 < gc["high"]
    kmers = found.value("auroc", predictor="6-mer logistic")
    assert 0.75 < kmers["value"] < 0.95
    assert {row["n"] for row in found.rows} == {2000}


def test_gc_alone_betrays_test_negatives_that_are_not_matched_even_where_training_is():
    field = Field("C", ("one",), values="binary")
    label = np.repeat([1.0, 0.0], 60).astype(np.float32)[:, None]
    matched = np.concatenate([random_codes(60)] * 2)
    richer = np.concatenate([random_codes(60), random_codes(60, seed=2)])
    richer[:60, :12] = 1
    found = evaluate(None, Tables(field, Rows(richer, label), Rows(matched, label)), n_bootstrap=200)
    row = found.value("auroc", predictor="GC")
    assert row["value"] == pytest.approx(roc_auc_score(label[:, 0], np.isin(richer, (1, 2)).mean(1)))
    assert row["value"] > 0.8
    assert 0.5 < row["low"] < row["value"] < row["high"]
    poorer = Tables(field, Rows(richer, 1 - label), Rows(matched, label))
    assert evaluate(None, poorer, n_bootstrap=0).value("auroc", predictor="GC")["value"] < 0.2


@pytest.mark.parametrize(("split", "note"), [("train", "fitted to"), ("validation", "chosen on"), ("test", "")])
def test_a_baseline_says_when_it_is_judged_on_rows_that_it_has_seen(split, note):
    found = evaluate(None, Simulated(n_train=200, n_validation=200, n_test=200), split, n_bootstrap=0)
    assert note in found.value("auroc", predictor="6-mer logistic")["note"]
    assert ("this split" in found.value("auroc", predictor="6-mer logistic")["note"]) == bool(note)


def test_labels_shuffled_in_training_leave_nothing_for_kmers_to_learn():
    found = evaluate(None, Simulated(n_train=2000, n_test=1500, noise={"labels": 0.5}), n_bootstrap=200)
    assert abs(found.value("auroc", predictor="6-mer logistic")["value"] - 0.5) < 0.06


def test_a_motif_named_like_a_task_is_a_baseline_of_that_task_only():
    found = evaluate(
        None, Simulated(motifs=["CTCF", "GATA1"], n_train=200, n_test=200), motif=["ctcf", "SPI1"], n_bootstrap=0
    )
    tasks = {(row["predictor"], row["task"]) for row in found.rows if row["predictor"].startswith("PWM")}
    assert tasks == {("PWM MA0139.2", "CTCF"), ("PWM MA0080.5", "CTCF"), ("PWM MA0080.5", "GATA1")}


def test_missing_labels_are_left_out_for_each_task_by_itself():
    codes, labels, weights = random_codes(), binary_labels(), np.ones((120, 2), np.float32)
    labels[:30, 0] = np.nan
    weights[100:, 1] = 0
    found = evaluate(Fake(both_tasks, TASKS), Tables(TASKS, Rows(codes, labels, weights)), n_bootstrap=0)
    score = (codes == 0).mean(1)
    one, two = found.value("auroc", "one"), found.value("auroc", "two")
    assert (one["n"], two["n"]) == (90, 100)
    assert one["value"] == pytest.approx(roc_auc_score(labels[30:, 0], score[30:]))
    assert two["value"] == pytest.approx(roc_auc_score(labels[:100, 1], score[:100]))


def test_model_and_baselines_are_judged_on_the_same_rows():
    labels = binary_labels()
    labels[::3] = np.nan
    train = Rows(random_codes(seed=5), binary_labels(seed=5))
    found = evaluate(Fake(both_tasks, TASKS), Tables(TASKS, Rows(random_codes(), labels), train), n_bootstrap=0)
    assert {row["predictor"] for row in found.rows} == {"fake", "GC", "2-mer logistic", "6-mer logistic"}
    assert {row["n"] for row in found.rows} == {80}


def test_tasks_are_matched_by_name_not_by_place():
    codes, labels = random_codes(), binary_labels()
    swapped = Field("C", ("two", "extra", "one"), values="binary")

    def predict(x):
        a = share_of_a(x)
        return torch.cat([1 - a, 0 * a, a], 1)

    found = evaluate(Fake(predict, swapped), Tables(TASKS, Rows(codes, labels)), baselines=False, n_bootstrap=0)
    score = (codes == 0).mean(1)
    assert found.value("auroc", "one")["value"] == pytest.approx(roc_auc_score(labels[:, 0], score))
    assert found.value("auroc", "two")["value"] == pytest.approx(roc_auc_score(labels[:, 1], -score))


def test_a_task_that_the_model_lacks_is_reported_without_a_value():
    model = Fake(share_of_a, Field("C", ("two",), values="binary"))
    found = evaluate(model, Tables(TASKS, Rows(random_codes(), binary_labels())), baselines=False)
    assert found.value("auroc", "one")["value"] is None
    assert "no such task" in found.value("auroc", "one")["note"]
    assert found.value("auroc", "two")["value"] is not None


def test_a_stratum_is_evaluated_beside_the_whole():
    labels, codes = binary_labels(), random_codes()
    model, source = Fake(both_tasks, TASKS), Tables(TASKS, Rows(codes, labels))
    found = evaluate(model, source, baselines=False, strata=["width<500"], n_bootstrap=0)
    row = found.value("auroc", "one", stratum="width<500")
    assert row["n"] == 50
    assert row["value"] == pytest.approx(roc_auc_score(labels[:50, 0], (codes[:50] == 0).mean(1)))
    assert found.value("auroc", "one")["n"] == 120


def test_groups_of_the_examples_are_always_evaluated():
    rows = Rows(random_codes(), binary_labels())
    rows.groups = {"narrow": np.arange(120) < 70}
    found = evaluate(Fake(both_tasks, TASKS), Tables(TASKS, rows), baselines=False, n_bootstrap=0)
    assert found.value("auroc", "one", stratum="narrow")["n"] == 70


def test_a_wrong_stratum_is_refused_before_the_model_is_run():
    model = Fake(both_tasks, TASKS)
    with pytest.raises(ConfigError, match="did you mean 'width'"):
        evaluate(model, Tables(TASKS, Rows(random_codes(), binary_labels())), strata=["widht<3"])
    assert model.seen == []


def test_examples_of_several_lengths_keep_their_order():
    lengths = np.where(np.arange(120) % 3 == 0, 30, 40)
    codes, labels = random_codes(), binary_labels()
    rows = Rows(codes, labels, lengths=lengths)
    found = evaluate(Fake(both_tasks, TASKS), Tables(TASKS, rows, rows), n_bootstrap=0, batch_size=7)
    expected = [(codes[i, : lengths[i]] == 0).mean() for i in range(120)]
    assert np.allclose(found.predictions["one"], expected)


def test_labels_are_cropped_to_the_positions_that_a_profile_covers():
    field = Field("CT", ("track",), bin_size=2, values="count")
    codes = random_codes()
    counts = np.add.reduceat((codes == 0).astype(np.float32), range(0, 40, 2), axis=1)[:, None]
    cropped = Fake(
        lambda x: (x == 0).float().view(len(x), 1, 20, 2).sum(3)[:, :, 3:17],
        field,
        Grid(offset=6, bin_size=2, length=14),
    )
    found = evaluate(cropped, Tables(field, Rows(codes, counts), Rows(codes, counts)), n_bootstrap=50)
    assert found.value("pearson")["value"] == pytest.approx(1)
    assert found.value("pearson")["unit"] == "bins"
    assert {row["predictor"] for row in found.rows} == {"fake", "mean profile", "GC", "6-mer ridge"}
    assert found.value("log_count_pearson", predictor="mean profile")["value"] is None


def test_classes_by_position_are_judged_beside_the_most_frequent_class():
    field = Field("T", values="class", vocabulary=("no", "a", "unseen"))
    codes = random_codes()
    labels = (codes == 0).astype(np.int64)
    labels[:, :5] = -1
    output = Field("KT", ("no", "a", "unseen"))

    def predict(x):
        return torch.stack([(x != 0).float(), (x == 0).float(), torch.zeros(x.shape)], 1)

    found = evaluate(Fake(predict, output), Tables(field, Rows(codes, labels), Rows(codes, labels)), n_bootstrap=50)
    assert found.value("accuracy")["value"] == 1
    assert found.value("f1:a")["value"] == 1
    assert found.value("f1:unseen")["value"] is None
    constant = found.value("accuracy", predictor="most frequent class")
    assert constant["value"] == pytest.approx((labels[:, 5:] == 0).mean())


def test_targets_without_a_metric_are_said_to_have_none():
    field = Field("CTT", ("map",), values="count")
    reason = "no metric is known for count targets of axes 'CTT'"
    maps = np.zeros((120, 1, 4, 4), np.float32)
    model = Fake(lambda x: torch.zeros(len(x), 1, 4, 4), field)
    found = evaluate(model, Tables(field, Rows(random_codes(), maps)))
    assert [row["note"] for row in found.rows] == [reason, f"{reason}; no training rows"]
    assert "no metric is known" in found.table()


def test_without_training_rows_a_single_number_still_ranks():
    codes, labels = random_codes(), binary_labels()
    found = evaluate(None, Tables(TASKS, Rows(codes, labels)), motif="GATA1", n_bootstrap=0)
    pwm = found.value("auroc", "one", predictor="PWM MA0035.5")
    assert pwm["value"] is not None
    assert "not fitted: no training rows" in pwm["note"]
    assert found.value("auroc", "one", predictor="6-mer logistic")["note"] == "no training rows"


def test_data_without_sequence_have_no_baselines_that_read_it():
    class Signal(Rows):
        def batch(self, indices, margin=0):
            return {"signal": self.codes[indices], "target/y": self.labels[indices]}

    rows = Signal(random_codes(), binary_labels())
    found = evaluate(None, Tables(TASKS, rows, rows), motif="CTCF", n_bootstrap=0)
    assert found.rows == []
    field = Field("CT", ("track",), values="count")
    rows = Signal(random_codes(), random_codes()[:, None].astype(np.float32))
    found = evaluate(None, Tables(field, rows, rows), n_bootstrap=0)
    assert {row["predictor"] for row in found.rows} == {"mean profile"}


def test_the_mode_of_the_model_is_restored():
    model = Fake(both_tasks, TASKS).train()
    evaluate(model, Tables(TASKS, Rows(random_codes(), binary_labels())), baselines=False, n_bootstrap=0)
    assert model.training


@pytest.mark.parametrize(
    ("head", "field", "message"),
    [
        ("other", TASKS, "predicts other but the data label y"),
        ("y", Field("CT", ("one", "two"), values="binary"), "has axes 'CT' but its target needs C"),
        ("y", Field("C", ("wrong", "names"), values="binary"), "has no task 'one'"),
    ],
)
def test_a_model_that_does_not_fit_the_data_is_refused(head, field, message):
    with pytest.raises(ConfigError, match=message):
        evaluate(Fake(both_tasks, field, head=head), Tables(TASKS, Rows(random_codes(), binary_labels())))


def test_an_unknown_or_empty_split_is_refused():
    source = Tables(TASKS, Rows(random_codes(), binary_labels()))
    with pytest.raises(ConfigError, match="did you mean 'test'"):
        evaluate(None, source, "tset")
    with pytest.raises(ConfigError, match="'train' of the data is empty"):
        evaluate(None, source, "train")


def test_rows_are_json_and_predictions_a_table_with_a_status(tmp_path):
    labels = binary_labels()
    labels[4] = np.nan
    found = evaluate(Fake(both_tasks, TASKS), Tables(TASKS, Rows(random_codes(), labels)), n_bootstrap=20)
    json.dumps(found.rows, allow_nan=False)
    assert found.write(tmp_path / "p.tsv", {"model": "fake"}) == 120
    comments, rows = read_table(tmp_path / "p.tsv")
    assert comments == {"split": "test", "model": "fake"}
    assert [r["name"] for r in rows] == [f"r{i}" for i in range(120)]
    assert list(rows[0]) == ["name", "width", "status", "one", "one.label", "two", "two.label"]
    assert (rows[4]["status"], rows[4]["one.label"], rows[5]["status"]) == ("no_label", "NA", "ok")


def test_the_table_shows_interval_n_and_prevalence():
    text = evaluate(Fake(both_tasks, TASKS), Tables(TASKS, Rows(random_codes(), binary_labels()))).table()
    first, header, line = text.splitlines()[:3]
    assert first.startswith("test: y/one, n = 120 (")
    assert "prevalence" in first
    assert header.split() == ["auroc", "auprc", "log_loss", "accuracy", "brier", "ece"]
    assert line.startswith("fake ")
    assert line.count("[") == 6


def test_gc_content_and_kmers_by_hand():
    codes = np.array([[0, 1, 2, 3, 4, 1]], np.uint8)  # ACGTNC
    assert gc_content(codes)[0, 0] == pytest.approx(0.6)
    table, size = canonical_kmers(2)
    features = kmer_frequencies(codes, 2).toarray()[0]
    assert size == 10
    assert features.sum() == pytest.approx(1)
    assert features[table[0 * 4 + 1]] == pytest.approx(2 / 3)  # AC, and GT on the other strand
    assert features[table[1 * 4 + 2]] == pytest.approx(1 / 3)  # CG


def test_kmer_frequencies_are_the_same_on_both_strands():
    codes = random_codes()
    other = np.array([3, 2, 1, 0, 4])[codes][:, ::-1]
    assert np.allclose(kmer_frequencies(codes, 4).toarray(), kmer_frequencies(other, 4).toarray())


def test_the_best_match_baseline_is_the_scan_of_the_matrix():
    from zoo.data.motifs import scan

    source = Simulated(n_train=300, n_test=200)
    batch = source.examples("test").batch(np.arange(200))
    expected = roc_auc_score(batch["target/binding"][:, 0], scan(get_motif("CTCF").log_odds(), batch["codes"]))
    found = evaluate(None, source, motif="CTCF", n_bootstrap=0)
    assert found.value("auroc", predictor="PWM MA0139.2")["value"] == pytest.approx(expected)


def test_of_probabilities_and_measured_values_the_ranks_alone_are_compared():
    field = Field("C", ("one",))
    measured = np.random.default_rng(2).normal(3, 2, (120, 1)).astype(np.float32)
    fake = Fake(share_of_a, field)
    fake.spec = fake.spec.replace(activation={"y": "sigmoid"})
    evaluation = evaluate(fake, Tables(field, Rows(random_codes(), measured)), n_bootstrap=0, baselines=False)
    values = {row["metric"]: row["value"] for row in evaluation.rows}
    assert values["mse"] is values["r2"] is None
    assert values["pearson"] is not None
    assert "ranks alone count" in evaluation.table()
    assert "mse" not in evaluation.table().splitlines()[1]
    shares = np.random.default_rng(2).random((120, 1)).astype(np.float32)
    evaluation = evaluate(fake, Tables(field, Rows(random_codes(), shares)), n_bootstrap=0, baselines=False)
    assert evaluation.value("mse")["value"] is not None


def test_a_metric_that_nobody_has_a_value_of_is_a_note_and_no_column():
    field = Field("C", ("one",), values="binary")
    ones = np.ones((120, 1), np.float32)
    table = evaluate(Fake(share_of_a, field), Tables(field, Rows(random_codes(), ones)), n_bootstrap=0).table()
    header = table.splitlines()[1].split()
    assert "auroc" not in header
    assert "accuracy" in header
    assert "all 120 labels are 1: one class only" in table
