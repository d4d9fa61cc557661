"""data=assays: windows at the union of the peaks, and what every experiment says of them."""

from __future__ import annotations

import json
from itertools import pairwise

import numpy as np
import pytest

from zoo.data.sources.assays import Assays
from zoo.errors import ConfigError

SPLITS = {"validation": ["2"], "test": ["3"]}


@pytest.fixture
def assays(cohort, cohort_genome):
    def make(**changes):
        arguments = {"sheet": str(cohort / "experiments.tsv"), "splits": SPLITS, "negatives": {"how": "random"}}
        return Assays(**{**arguments, "genome": {"name": "toy", "fasta": str(cohort_genome)}, **changes})

    return make


def everything(examples):
    rows = np.arange(len(examples))
    return examples.batch(rows), examples.identity(rows)


def test_a_window_is_a_positive_of_the_experiments_whose_summits_lie_in_its_core(assays):
    source = assays()
    assert source.tasks == ("A_K562", "B_K562", "A_liver", "B_liver")
    batch, where = everything(source.examples("test"))
    label, weight = batch["target/binding"], batch["weight/binding"]
    middle = where["start"] + 100
    at_peak = where["name"] == "peak"
    assert (batch["weight/binding"] > 0).all()  # every window at a peak holds its summits in the core
    a = at_peak & np.isin(middle, np.arange(1_000, 59_500, 3_000))
    assert a.sum() == 20
    assert (label[a, 0] == 1).all()
    assert (label[a, 1] == 0).all()
    assert label[a, 2].tolist() == [float(i % 2 == 0) for i in range(20)]
    both = at_peak & (label[:, 1] == 1) & (label[:, 3] == 1)
    assert set(middle[both]) == set(range(2_015, 59_500, 6_000))  # summits 30 bp apart share a window between them
    assert (label[~at_peak & (weight > 0).all(1)] == 0).all()


def test_splits_are_by_contig_and_the_audit_is_clean(assays):
    source = assays()
    for split, contig in (("train", "1"), ("validation", "2"), ("test", "3")):
        assert set(everything(source.examples(split))[1]["chrom"]) == {contig}
    description = source.describe()
    assert description["audit"]["clean"]
    json.dumps(description)
    assert description["tasks"][0] == {
        "name": "A_K562",
        "assay": "ChIP-seq",
        "target": "A",
        "cell": "K562",
        "batch": "lab1",
        "donor": "d1",
        "n": {s: {"positives": 20, "negatives": len(source.examples(s)) - 20} for s in ("train", "validation", "test")},
    }


def test_in_contexts_an_example_is_an_interval_in_a_cell(assays):
    source = assays(examples="contexts")
    assert source.tasks == ("A", "B")
    assert source.contexts == ("K562", "liver")
    assert source.domains == ("lab1", "lab2")
    batch, where = everything(source.examples("test"))
    n = len(assays().examples("test"))
    assert len(where["start"]) == 2 * n
    np.testing.assert_array_equal(batch["context"], batch["domain"])
    assert set(where["cell"][batch["context"] == 1]) == {"liver"}
    for cell in (0, 1):
        mine = batch["context"] == cell
        assert batch["target/binding"][mine].sum(0).tolist() == [20 / (1 + cell), 20 / (1 + cell)]


def test_tasks_are_chosen_by_name_pattern_and_column(assays):
    assert assays(tasks=["A*"]).tasks == ("A_K562", "A_liver")
    assert assays(where="cell=K562").tasks == ("A_K562", "B_K562")
    assert assays(tasks="A*", where=["batch=lab2"]).tasks == ("A_liver",)
    with pytest.raises(ConfigError, match="names no experiment 'A_K56': did you mean 'A_K562'"):
        assays(tasks=["A_K56"])
    with pytest.raises(ConfigError, match="has no column 'cel': did you mean 'cell'"):
        assays(where="cel=K562")
    with pytest.raises(ConfigError, match="no chosen experiment has cell=HepG2: choose from K562, liver"):
        assays(where="cell=HepG2")


def test_each_task_is_judged_by_so_many_windows_for_every_positive_which_tasks_share(assays):
    source = assays(negatives={"how": "random", "per_window": 3.0, "judged_per_positive": 2})
    batch, where = everything(source.examples("test"))
    label, known = batch["target/binding"], batch["weight/binding"] > 0
    positive, negative = known & (label == 1), known & (label == 0)
    assert (negative.sum(0) == 2 * positive.sum(0)).all()
    assert (where["name"][negative.any(1)] == "background").all()
    order = np.argsort(negative.sum(0))
    for fewer, more in pairwise(order):
        assert (negative[:, more] | ~negative[:, fewer]).mean() > 0.99  # but for windows that touch a peak of one
    train = everything(source.examples("train"))[0]
    assert (train["weight/binding"] > 0).mean() > 0.9
    again = assays(negatives={"how": "random", "per_window": 3.0, "judged_per_positive": 2})
    assert (everything(again.examples("test"))[0]["weight/binding"] == batch["weight/binding"]).all()


def test_a_task_with_too_few_windows_to_draw_from_is_named(assays):
    notes = assays(negatives={"how": "random", "per_window": 0.1, "judged_per_positive": 5}).notes
    assert any("fewer than 5 test negatives a positive" in note for note in notes)
