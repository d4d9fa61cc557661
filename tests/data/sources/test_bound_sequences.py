"""data=bound_sequences: ready-made positives with negatives of their own length, never on held-out contigs."""

from __future__ import annotations

import json

import numpy as np
import pytest

from zoo.data.sources.bound_sequences import BoundSequences
from zoo.errors import ConfigError, DataError

SPLITS = {"train": ["chr1:0-150000"], "validation": ["chr1:150000-"], "test": ["chr2"]}


def bound(folder, **changes):
    arguments = {"root": str(folder), "sequences": "extra.fa", "peaks": "x.narrowPeak", "splits": SPLITS}
    arguments |= {"genome": {"name": "toy", "fasta": str(folder / "g.fa")}, "negatives": {"min_distance": 50}}
    return BoundSequences(**{**arguments, **changes})


def test_they_train_in_their_own_length_and_never_on_held_out_contigs(folder):
    source = bound(folder)
    examples = source.examples("train")
    rows = np.arange(len(examples))
    batch, where = examples.batch(rows), examples.identity(rows)
    positive = batch["target/binding"][:, 0] == 1
    assert set(examples.lengths) == {60}
    assert positive.sum() == (~positive).sum() == 38
    assert set(where["chrom"][positive]) == {"chr7", "chr8"}
    assert set(where["chrom"][~positive]) == {"1"}
    assert where["end"][~positive].max() <= 150_000
    assert (batch["codes"] < 4).all()
    assert (batch["weight/binding"] == 1).all()
    described = source.describe()
    assert json.loads(json.dumps(described)) == described
    assert described["dropped"] == {"on_held_out_contigs": 2}
    assert described["n"] == {"train": {"positives": 38, "negatives": 38}}
    assert [len(source.examples(split)) for split in ("validation", "test")] == [0, 0]
    assert examples.margin == 0
    with pytest.raises(DataError, match="set the margin of data bound_sequences"):
        examples.batch(rows[:2], margin=5)


def test_negatives_keep_away_from_the_peaks_and_from_the_sequences_themselves(folder):
    where = bound(folder).examples("train").identity(np.arange(38, 76))
    peaks = np.loadtxt(folder / "x.narrowPeak", str)
    peaks = peaks[peaks[:, 0] == "chr1"][:, 1:3].astype(int)
    gap = np.maximum(peaks[:, 0] - where["end"][:, None], where["start"][:, None] - peaks[:, 1])
    assert gap.min() >= 50


def test_sequences_that_overlap_a_held_out_region_are_left_out_whatever_is_excluded(folder):
    assert bound(folder, exclude=[]).describe()["dropped"]["on_held_out_contigs"] == 2
    assert bound(folder, exclude=["7"]).describe()["dropped"]["on_held_out_contigs"] == 2 + 19
    with pytest.raises(ConfigError, match="leaves no sequence to train on"):
        bound(folder, exclude=["7", "8"])


def test_their_ends_can_be_kept_as_flanks(folder):
    examples, whole = bound(folder, margin=8).examples("train"), bound(folder).examples("train")
    assert (examples.margin, set(examples.lengths)) == (8, {44})
    names = list(whole.identity(np.arange(len(whole)))["name"])
    twin = names.index(examples.identity(np.array([0]))["name"][0])
    full = whole.batch(np.array([twin]))["codes"][0]
    assert (examples.batch(np.array([0]), margin=8)["codes"][0] == full).all()
    assert (examples.batch(np.array([0]), margin=3)["codes"][0] == full[5:-5]).all()


def test_no_sequence_comes_twice(folder, tmp_path):
    (tmp_path / "twice.fa").write_text(f">one\n{'ACGT' * 30}\n>two\n{'ACGT' * 30}\n>other\n{'AACG' * 30}\n")
    source = bound(folder, sequences=str(tmp_path / "twice.fa"))
    assert source.describe()["dropped"]["duplicates"] == 1
    assert source.describe()["n"]["train"]["positives"] == 2
