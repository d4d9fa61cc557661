"""Whole cases: designs against a model that has learned something, and against one that has learned shuffled values."""

import numpy as np
import pytest

from zoo.config import compose
from zoo.data.codes import decode, encode
from zoo.hub.loader import load
from zoo.prediction.predict import predict_codes
from zoo.training.run import train
from zoo_design.design import Design
from zoo_design.judgement import Controls, Judge, judge

LENGTH, EDITS = 60, 14
MOTIFS = ("TTGACATG", "TATAATGC")


def library(n, seed):
    """Sequences of 60 bp; each motif stands in a fifth of them and adds 2 to the activity, beside noise of 0.5."""
    rng = np.random.default_rng(seed)
    sequences, activity = [], rng.normal(0, 0.5, n)
    for i in range(n):
        letters = rng.choice(list("ACGT"), LENGTH)
        for motif, first in zip(MOTIFS, (5, 32), strict=True):
            if rng.random() < 0.2:
                at = first + rng.integers(0, 18)
                letters[at : at + len(motif)] = list(motif)
                activity[i] += 2
        sequences.append("".join(letters))
    return sequences, activity


def trained(folder, name, sequences, activity, encoder):
    """A run by `zoo train`'s own functions; the last 300 rows are its test split."""
    table = folder / f"{name}.tsv"
    splits = ["train"] * (len(sequences) - 450) + ["validation"] * 150 + ["test"] * 300
    rows = zip(sequences, activity, splits, strict=True)
    table.write_text("sequence\tactivity\tsplit\n" + "".join(f"{s}\t{y:.5f}\t{w}\n" for s, y, w in rows))
    words = ["data=table", f"data.table={table}", "data.targets=[activity]", "objective=squared_error", "strand=none"]
    words += [f"name={name}", f"output_dir={folder / name}", f"encoder={encoder}", "evaluation.bootstrap=200"]
    words += ["trainer.max_epochs=3", "trainer.epoch_steps=60", "optimizer.lr=0.01"]
    train(compose(words))
    return load(folder / name)


def climb(model, starts):
    """Greedy substitutions: in every step the best of all single ones outside the first 5 bp."""
    judge_of = Judge.of(model, "activity")
    codes = np.stack([encode(s) for s in starts])
    values = [predict_codes(model, codes, judge_of.output)[:, 0]]
    for _ in range(EDITS):
        for i, row in enumerate(codes):
            mutants = np.repeat(row[None], 4 * (LENGTH - 5), 0)
            at = np.repeat(np.arange(5, LENGTH), 4)
            mutants[np.arange(len(mutants)), at] = np.tile(np.arange(4), LENGTH - 5)
            codes[i] = mutants[predict_codes(model, mutants, judge_of.output, rows=256)[:, 0].argmax()]
        values.append(predict_codes(model, codes, judge_of.output)[:, 0])
    path = np.stack(values, 1)
    protected = ((0, 5, "part"),)
    return [
        Design(f"d{i}", start, decode(row), float(v[0]), float(v[-1]), (), tuple(v.tolist()), (), "ok", protected)
        for i, (start, row, v) in enumerate(zip(starts, codes, path, strict=True))
    ]


class Search:
    """The objective: the model's activity."""

    def __init__(self, model):
        self.models, self.length, self.values = {"search": model}, LENGTH, Judge.of(model, "activity").values


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    sequences, activity = library(1_500, seed=1)
    shuffled = activity.copy()
    shuffled[:-300] = np.random.default_rng(0).permutation(activity[:-300])
    return {
        "honest": trained(folder, "honest", sequences, activity, "residual_cnn"),
        "sabotaged": trained(folder, "sabotaged", sequences, shuffled, "residual_cnn"),
        "judge": trained(folder, "judge", *library(1_500, seed=2), "motif_cnn"),
    }


@pytest.mark.slow
def test_designs_against_shuffled_values_are_not_supported_and_honest_ones_are(models):
    natural, _ = library(1_000, seed=3)
    starts = library(16, seed=4)[0]
    judges = [Judge.of(models["judge"], "activity")]
    assert judges[0].skill().good
    assert not Judge.of(models["sabotaged"], "activity").skill().good
    verdicts = {
        name: judge(climb(models[name], starts), Search(models[name]), judges, Controls.of(natural))
        for name in ("honest", "sabotaged")
    }
    assert verdicts["honest"].status == "supported", verdicts["honest"].comments()
    assert verdicts["sabotaged"].status == "not supported", verdicts["sabotaged"].comments()
    # The search itself is pleased with both.
    for verdict in verdicts.values():
        start, value = (verdict.columns.index(name) for name in ("start_value", "value"))
        assert all(row[value] > row[start] for row in verdict.rows)


@pytest.mark.slow
def test_a_sabotaged_judge_supports_nothing(models):
    designs = climb(models["honest"], library(16, seed=4)[0])
    natural, _ = library(500, seed=3)
    judges = [Judge.of(models["sabotaged"], "activity")]
    verdict = judge(designs, Search(models["honest"]), judges, Controls.of(natural))
    assert verdict.status == "not judged"
    assert "supports nothing" in verdict.words
