"""data=peaks: the right windows, matched negatives, no leak."""

from __future__ import annotations

import json

import numpy as np
import pytest

from zoo.data.codes import decode
from zoo.data.genome import Genome
from zoo.data.sources.peaks import Peaks
from zoo.errors import ConfigError, GenomeMismatch

SPLITS = {"train": ["chr1:0-150000"], "validation": ["chr1:150000-"], "test": ["chr2"]}


def peaks(folder, windows=(), negatives=(), **changes):
    arguments = {"root": str(folder), "peaks": "x.narrowPeak", "splits": SPLITS}
    arguments |= {"windows": {"length": 120, **dict(windows)}, "negatives": {"min_distance": 50, **dict(negatives)}}
    return Peaks(**{**arguments, "genome": {"name": "toy", "fasta": str(folder / "g.fa")}, **changes})


def everything(examples):
    rows = np.arange(len(examples))
    return examples.batch(rows), examples.identity(rows)


def test_positives_are_the_windows_around_the_summits(folder):
    source = peaks(folder)
    genome = Genome(folder / "g.fa")
    batch, where = everything(source.examples("test"))
    positive = batch["target/binding"][:, 0] == 1
    assert positive.sum() == 65
    assert set(where["start"][positive]) == {s + 100 - 60 for s in range(3_000, 196_000, 3_000)} - {195_040} | {195_040}
    for i in (0, 64, len(positive) - 1):
        codes = genome.fetch(where["chrom"][i], where["start"][i], where["end"][i])
        assert decode(batch["codes"][i]) == decode(codes)
    assert source.targets["binding"].channels == ("bound",)
    assert batch["target/binding"].dtype == np.float32
    assert peaks(folder, {"center": "middle"}).examples("test").identity(np.array([0]))["start"][0] == 3_000 + 150 - 60


def test_more_training_negatives_weigh_as_much_as_the_positives_and_leave_the_test_alone(folder):
    source = peaks(folder, negatives={"per_training_positive": 3})
    batch, _ = everything(source.examples("train"))
    label, weight = batch["target/binding"], batch["weight/binding"]
    assert (label == 0).sum() == 3 * (label == 1).sum()
    assert weight[label == 0].sum() == pytest.approx(weight[label == 1].sum(), rel=1e-5)
    test, _ = everything(source.examples("test"))
    assert (test["target/binding"] == 0).sum() == (test["target/binding"] == 1).sum()
    assert (test["weight/binding"] == 1).all()


def test_splits_hold_only_their_regions_and_the_audit_is_clean(folder):
    source = peaks(folder, negatives={"per_positive": 2})
    for split, contig, low, high in (
        ("train", "1", 0, 150_000),
        ("validation", "1", 150_000, 200_000),
        ("test", "2", 0, 200_000),
    ):
        batch, where = everything(source.examples(split))
        assert set(where["chrom"]) == {contig}
        assert where["start"].min() >= low
        assert where["end"].max() <= high
        assert (batch["target/binding"] == 0).sum() == 2 * (batch["target/binding"] == 1).sum()
    described = source.describe()
    assert json.loads(json.dumps(described)) == described
    assert described["audit"]["clean"]
    assert described["negatives"]["test"]["auroc_of_gc"] == pytest.approx(0.5, abs=0.02)
    assert described["aliases"] == {"chr1": "1", "chr2": "2"}


def test_negatives_keep_away_from_every_peak_used_or_not(folder):
    source = peaks(folder, filters={"max_width": 1_000, "top_n": 5})
    batch, where = everything(source.examples("train"))
    assert (batch["target/binding"] == 1).sum() == 5
    starts = np.arange(3_000, 196_000, 3_000)
    ends = starts + np.where(np.arange(len(starts)) % 10 == 9, 5_000, 300)
    negative = batch["target/binding"][:, 0] == 0
    gap = np.maximum(starts - where["end"][negative][:, None], where["start"][negative][:, None] - ends)
    assert gap.min() >= 50


def test_filters_touch_what_is_trained_on_and_nothing_else(folder):
    plain, filtered = peaks(folder), peaks(folder, filters={"max_width": 1_000, "min_signal": 20.0})
    _, where = everything(filtered.examples("train"))
    assert set(where["peak_width"]) == {300}
    assert len(filtered.examples("train")) < len(plain.examples("train"))
    for split in ("validation", "test"):
        assert len(filtered.examples(split)) == len(plain.examples(split))
    assert filtered.describe()["dropped"]["train_filtered"] > 0


def test_a_negative_belongs_to_the_group_of_its_peak(folder):
    examples = peaks(folder).examples("test")
    batch, where = everything(examples)
    narrow = examples.groups["peaks <= 2,000 bp"]
    labels = batch["target/binding"][:, 0]
    assert (narrow == (where["peak_width"] <= 2_000)).all()
    assert labels[narrow].sum() == (1 - labels[narrow]).sum() == 65 - 6


def test_a_margin_brings_the_true_flanks(folder):
    examples = peaks(folder).examples("train")
    rows = np.array([3, 0, len(examples) - 1])
    wide, plain = examples.batch(rows, margin=30), examples.batch(rows)
    assert wide["codes"].shape == (3, 180)
    assert (wide["codes"][:, 30:-30] == plain["codes"]).all()
    where = examples.identity(rows)
    flank = Genome(folder / "g.fa").fetch("1", where["start"][0] - 30, where["start"][0])
    assert (wide["codes"][0, :30] == flank).all()


def test_the_seed_decides_the_negatives(folder):
    one, same, other = (peaks(folder, seed=s).examples("test").identity(np.arange(130))["start"] for s in (1, 1, 2))
    assert (one == same).all()
    assert (one[65:] != other[65:]).any()


def test_what_is_missing_or_of_another_genome_is_said(folder, tmp_path):
    with pytest.raises(ConfigError, match=r"set data\.peaks="):
        Peaks(genome={"fasta": str(folder / "g.fa")})
    with pytest.raises(ConfigError, match=r"set genome\.fasta="):
        peaks(folder, genome={"name": None, "fasta": None})
    (tmp_path / "late.bed").write_text("chr1\t10\t20\nchr2\t199990\t200500\n")
    with pytest.raises(GenomeMismatch, match=r"late.bed line 2: end 200,500 is past the end of chr2"):
        peaks(folder, root=None, peaks=str(tmp_path / "late.bed"))
    (tmp_path / "else.bed").write_text("scaffold_3\t10\t20\n")
    with pytest.raises(GenomeMismatch, match="no contig 'scaffold_3'"):
        peaks(folder, root=None, peaks=str(tmp_path / "else.bed"))
    (tmp_path / "plain.bed").write_text("chr1\t5000\t5100\n")
    with pytest.raises(ConfigError, match="no signal value or score"):
        peaks(folder, root=None, peaks=str(tmp_path / "plain.bed"), filters={"top_n": 5})


def test_a_window_that_crosses_a_border_of_a_split_is_in_none(folder):
    starts = np.arange(3_000, 196_000, 3_000) + 100 - 60
    for border, inside in ((starts[10] + 119, 10), (starts[10] + 120, 11)):
        splits = {"train": [f"chr1:0-{border}"], "validation": ["chr1:150000-"], "test": ["chr2"]}
        assert peaks(folder, splits=splits).describe()["n"]["train"]["positives"] == inside
