"""data=peaks: the right windows, matched negatives, no leak; and real CTCF peaks where they are at hand."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest

from zoo.data.codes import decode, reverse_complement
from zoo.data.genome import Genome
from zoo.data.sources.peaks import Peaks
from zoo.errors import ConfigError, DataError, GenomeMismatch

SPLITS = {"train": ["chr1:0-150000"], "validation": ["chr1:150000-"], "test": ["chr2"]}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two contigs, peaks every 3 kb with summits, wide ones among them, and ready-made sequences."""
    folder = tmp_path_factory.mktemp("peaks")
    rng = np.random.default_rng(0)
    letters = {name: "".join(rng.choice(list("ACGT"), 200_000)) for name in ("1", "2")}
    (folder / "g.fa").write_text("".join(f">{n}\n{s}\n" for n, s in letters.items()))
    rows = []
    for i, start in enumerate(range(3_000, 196_000, 3_000)):
        for chrom in ("chr1", "chr2"):
            width = 5_000 if i % 10 == 9 else 300
            rows.append(f"{chrom}\t{start}\t{start + width}\tp{i}\t{i}\t.\t{float(i)}\t-1\t-1\t100")
    (folder / "x.narrowPeak").write_text("\n".join(rows) + "\n")
    made = ["".join(rng.choice(list("ACGT"), 60)) for _ in range(40)]
    headers = [f"chr{7 + i % 2}:{1000 * i}-{1000 * i + 60}" for i in range(38)]
    headers += ["chr2:150-210", "chr1:160000-160060"]
    (folder / "extra.fa").write_text("".join(f">{h}\n{s}\n" for h, s in zip(headers, made, strict=True)))
    return folder


def peaks(folder, **changes):
    given = {"root": str(folder), "peaks": "x.narrowPeak", "length": 120, "splits": SPLITS, "min_distance": 50}
    return Peaks(**{**given, "genome": {"name": "toy", "fasta": str(folder / "g.fa")}, **changes})


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
    assert peaks(folder, center="middle").examples("test").identity(np.array([0]))["start"][0] == 3_000 + 150 - 60


def test_extra_sequences_may_have_a_target_of_their_own(folder):
    source = peaks(folder, extra_positives="extra.fa", extra_target="short", task="CTCF")
    assert source.targets["short"].channels == ("CTCF_short",)
    examples = source.examples("train")
    for length, own, other in ((120, "binding", "short"), (60, "short", "binding")):
        batch = examples.batch(np.flatnonzero(examples.lengths == length))
        assert (batch[f"weight/{own}"] > 0).all(), "windows of one length are labelled for one target"
        assert (batch[f"weight/{other}"] == 0).all()
        assert 0 < batch[f"target/{own}"].mean() < 1
    assert (everything(source.examples("test"))[0]["weight/short"] == 0).all()
    with pytest.raises(ConfigError, match="another name"):
        peaks(folder, extra_positives="extra.fa", extra_target="binding")


def test_more_training_negatives_weigh_as_much_as_the_positives_and_leave_the_test_alone(folder):
    source = peaks(folder, train_negatives=3)
    batch, _ = everything(source.examples("train"))
    label, weight = batch["target/binding"], batch["weight/binding"]
    assert (label == 0).sum() == 3 * (label == 1).sum()
    assert weight[label == 0].sum() == pytest.approx(weight[label == 1].sum(), rel=1e-5)
    test, _ = everything(source.examples("test"))
    assert (test["target/binding"] == 0).sum() == (test["target/binding"] == 1).sum()
    assert (test["weight/binding"] == 1).all()


def test_repeated_windows_are_those_at_the_peaks_in_training(folder):
    once, thrice = (peaks(folder, extra_positives="extra.fa", repeat=n).examples("train") for n in (1, 3))
    counts = [[int((e.lengths == length).sum()) for length in (120, 60)] for e in (once, thrice)]
    assert counts[1] == [3 * counts[0][0], counts[0][1]]
    assert len(peaks(folder, repeat=3).examples("test")) == len(peaks(folder).examples("test"))


def test_splits_hold_only_their_regions_and_the_audit_is_clean(folder):
    source = peaks(folder, negatives=2)
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
    source = peaks(folder, max_width=1_000, top_n=5)
    batch, where = everything(source.examples("train"))
    assert (batch["target/binding"] == 1).sum() == 5
    starts = np.arange(3_000, 196_000, 3_000)
    ends = starts + np.where(np.arange(len(starts)) % 10 == 9, 5_000, 300)
    negative = batch["target/binding"][:, 0] == 0
    gap = np.maximum(starts - where["end"][negative][:, None], where["start"][negative][:, None] - ends)
    assert gap.min() >= 50


def test_filters_touch_what_is_trained_on_and_nothing_else(folder):
    plain, filtered = peaks(folder), peaks(folder, max_width=1_000, min_signal=20.0)
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


def test_ready_made_positives_train_in_their_own_length_and_never_on_held_out_contigs(folder):
    source = peaks(folder, extra_positives="extra.fa")
    examples = source.examples("train")
    rows = np.flatnonzero(examples.lengths == 60)
    batch, where = examples.batch(rows), examples.identity(rows)
    positive = batch["target/binding"][:, 0] == 1
    assert positive.sum() == (~positive).sum() == 38
    assert set(where["chrom"][positive]) == {"chr7", "chr8"}
    assert set(where["chrom"][~positive]) == {"1"}
    assert where["end"][~positive].max() <= 150_000
    assert (batch["codes"] < 4).all()
    assert source.describe()["dropped"]["extra_on_held_out_contigs"] == 2
    assert source.describe()["n"]["train"]["extra_positives"] == 38
    assert examples.margin == 0
    with pytest.raises(DataError, match="group the indices by length"):
        examples.batch(np.array([0, rows[0]]))
    with pytest.raises(DataError, match=r"set data\.extra_margin"):
        examples.batch(rows[:2], margin=5)


def test_what_judges_by_place_leaves_ready_made_ones_that_overlap_it_out(folder):
    dropped = peaks(folder, extra_positives="extra.fa", extra_exclude=[]).describe()["dropped"]
    assert dropped["extra_on_held_out_contigs"] == 2
    elsewhere = peaks(folder, extra_positives="extra.fa", extra_exclude=["7"]).describe()["dropped"]
    assert elsewhere["extra_on_held_out_contigs"] == 2 + 19


def test_ends_of_ready_made_sequences_can_be_kept_as_flanks(folder):
    source, whole = (peaks(folder, extra_positives="extra.fa", extra_margin=m) for m in (8, 0))
    examples = source.examples("train")
    rows = np.flatnonzero(examples.lengths == 44)
    assert examples.margin == 8
    assert examples.batch(rows)["codes"].shape == (76, 44)
    named = {
        n: i for i, n in enumerate(whole.examples("train").identity(np.arange(len(whole.examples("train"))))["name"])
    }
    row = rows[0]
    twin = named[examples.identity(np.array([row]))["name"][0]]
    full = whole.examples("train").batch(np.array([twin]))["codes"][0]
    assert (examples.batch(np.array([row]), margin=8)["codes"][0] == full).all()
    assert (examples.batch(np.array([row]), margin=3)["codes"][0] == full[5:-5]).all()


def test_training_sequences_that_a_judge_holds_are_dropped_on_either_strand(folder, tmp_path):
    genome = Genome(folder / "g.fa")
    held = reverse_complement(genome.fetch("2", 3_040, 3_160))
    (tmp_path / "twin.fa").write_text(f">twin\n{decode(held)}\n>other\n{'ACGT' * 30}\n>again\n{'ACGT' * 30}\n")
    source = peaks(folder, extra_positives=str(tmp_path / "twin.fa"))
    assert source.describe()["dropped"]["train_in_a_later_split"] == 1
    assert source.describe()["dropped"]["train_duplicates"] == 1
    assert source.describe()["audit"]["clean"]


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
        peaks(folder, root=None, peaks=str(tmp_path / "plain.bed"), top_n=5)


@pytest.mark.data
def test_real_ctcf_peaks_are_matched_and_do_not_leak(monkeypatch, tmp_path):
    data = Path(os.environ.get("ZOO_DATA", ""))
    if not os.environ.get("ZOO_DATA") or not (data / "ctcf").is_dir():
        pytest.skip("ZOO_DATA names no folder with ctcf/ and hg19/")
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path))
    source = Peaks(
        root=str(data),
        peaks="ctcf/GM12878_CTCF_chr20_chrX.broadPeak.gz",
        genome={"name": "hg19", "fasta": [str(data / "hg19/chr20.fa.gz"), str(data / "hg19/chrX_first70Mb.fa.gz")]},
        splits={"train": ["chr20:0-45000000"], "validation": ["chr20:45000000-"], "test": ["chrX:0-69999930"]},
        extra_positives="ctcf/CTCF_peaks_100bp.fa.gz",
    )
    said = source.describe()
    assert said["n"]["test"] == {"positives": 1133, "negatives": 1133}
    assert said["n"]["train"]["extra_positives"] > 36_000
    assert said["audit"]["clean"]
    for split in ("train", "validation", "test", "train_extra"):
        assert abs(said["negatives"][split]["auroc_of_gc"] - 0.5) < 0.005
        assert said["negatives"][split]["borrowed"] == 0
