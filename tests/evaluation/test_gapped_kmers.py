"""The gapped k-mer SVM: equal to its library where that can say, and better than GC where gapped words are planted."""

import numpy as np
import pytest

from zoo.data.source import Examples, Source
from zoo.evaluation.evaluate import evaluate
from zoo.evaluation.gapped_kmers import GappedKmerSVM, _solve, gram_matrix, sequences
from zoo.fields import Field

gkmsvm = pytest.importorskip("gkmsvm")


class Rows(Examples):
    def __init__(self, codes, labels):
        self.codes, self.labels = codes, labels
        self.lengths = np.array([len(c) for c in codes])

    def batch(self, indices, margin=0):
        return {"codes": np.stack([self.codes[i] for i in indices]), "target/y": self.labels[indices]}


class Split(Source):
    input_length = 60

    def __init__(self, field, codes, labels, n=150):
        self.targets = {"y": field}
        at = {"train": slice(n), "validation": slice(n, n + 50), "test": slice(n + 50, None)}
        self.parts = {name: Rows(codes[rows], labels[rows]) for name, rows in at.items()}

    def examples(self, split):
        return self.parts[split]

    def describe(self):
        return {}


def planted(n, length=60, seed=0):
    """Every second row holds two words of 4 with 3 random bases between them, in shuffled order elsewhere."""
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 4, (n, length)).astype(np.uint8)
    label = (np.arange(n) % 2).astype(np.float32)
    word = np.array([0, 1, 2, 3, 2, 2, 1, 3])
    for i in range(n):
        for start in rng.permutation(length // 12)[:2] * 12:
            letters = word if label[i] else rng.permutation(word)
            codes[i, start : start + 4], codes[i, start + 7 : start + 11] = letters[:4], letters[4:]
    return codes, label[:, None]


def one_hot(codes):
    return (codes[:, None] == np.arange(4)[:, None]).astype(np.float64)


def test_decision_values_are_those_of_the_library():
    codes, label = planted(60, 40)
    positive = label[:, 0] > 0
    order = np.concatenate([np.flatnonzero(positive), np.flatnonzero(~positive)])
    model = gkmsvm.train_gkmsvm(one_hot(codes[positive]), one_hot(codes[~positive]), device="cpu")
    others = planted(20, 50, seed=1)[0]
    codes, label = codes[order], label[order, 0].astype(float)
    machine = _solve(gram_matrix(codes), codes, label, None, "binary", 1.0)
    assert machine.decide(sequences(others)) == pytest.approx(model(one_hot(others))[:, 0], abs=1e-9)


def test_values_are_those_of_the_library():
    codes = planted(40, 40)[0]
    y = 100 + 20 * np.random.default_rng(0).normal(size=40)
    model = gkmsvm.train_gkmsvr(one_hot(codes), (y - y.mean()) / y.std(), device="cpu")
    machine = _solve(gram_matrix(codes), codes, y, None, "real", 1.0)
    others = planted(20, 50, seed=1)[0]
    expected = y.mean() + y.std() * model(one_hot(others))[:, 0]
    assert machine.decide(sequences(others)) == pytest.approx(expected, abs=1e-6)


def test_planted_gapped_words_are_found_where_gc_says_nothing():
    field = Field("C", ("one",), values="binary")
    found = evaluate(None, Split(field, *planted(500)), rivals=["gkm-svm"], n_bootstrap=0)
    row = found.value("auroc", predictor="gkm-SVM")
    assert row["value"] > 0.9 > 0.6 > found.value("auroc", predictor="GC")["value"]
    assert row["value"] > found.value("auroc", predictor="6-mer logistic")["value"]
    assert found.value("log_loss", predictor="gkm-SVM")["value"] < np.log(2)
    assert row["note"].startswith("l=11 k=7 d=3 C=")
    assert "fitted to" not in row["note"]


def test_measured_values_are_learned_and_a_sample_says_its_size():
    codes, label = planted(500)
    y = 50 * label + np.random.default_rng(1).normal(size=label.shape).astype(np.float32)
    found = evaluate(None, Split(Field("C", ("one",)), codes, y), rivals={"gkm-svm": 100}, n_bootstrap=0)
    row = found.value("pearson", predictor="gkm-SVM")
    assert row["value"] > 0.5
    assert row["note"].endswith("fitted to 100 of 150 rows")
    assert found.value("r2", predictor="gkm-SVM")["value"] > 0.2


def test_an_n_is_no_a_and_short_or_uneven_rows_do_no_harm():
    unknown = np.full((1, 40), 4, np.uint8)
    (row,) = sequences(unknown)
    assert set(row) == {0, 1, 2, 3}
    assert sequences(unknown)[0] == row
    codes, label = planted(80, 40)
    uneven = np.empty(80, object)
    uneven[:] = [x.tobytes()[: 40 - i % 3] for i, x in enumerate(codes)]
    predict, _, n = GappedKmerSVM().fit("binary", uneven, label[:, 0], None, np.zeros(0))
    p = predict(np.append(uneven, np.array([b"\x00" * 5, None], object)[:1]))
    assert n == 80
    assert np.isnan(p[-1])
    assert ((p[:-1] > 0) & (p[:-1] < 1)).all()


def test_labels_that_are_all_alike_leave_nothing_to_fit():
    rows = sequences(planted(20, 40)[0])
    assert GappedKmerSVM().fit("binary", rows, np.ones(20), None, np.zeros(0)) is None
    assert (
        GappedKmerSVM().fit("real", sequences(np.zeros((20, 8), np.uint8)), np.arange(20.0), None, np.zeros(0)) is None
    )
