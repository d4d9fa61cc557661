"""Files of attributions read back as the numbers that went in."""

import os
from dataclasses import replace
from importlib.util import find_spec

import numpy as np
import pybigtools
import pytest
from hypothesis import given
from hypothesis import strategies as st

import zoo.errors
from zoo.attribution.files import check_kind, check_path
from zoo.attribution.overlaps import mean_track, shared_bases
from zoo.attribution.result import Attributed, InputRows
from zoo.errors import ConfigError, DataError, ZooError
from zoo.files.tables import read_table


def records(path):
    """{(contig, position): value}."""
    with pybigtools.open(str(path)) as track:
        return {(chrom, a): v for chrom in track.chroms() for a, _, v in track.records(chrom)}


def test_a_table_has_a_row_a_sequence(made, tmp_path):
    attributed = made(delta=np.array([0.5, -0.25, 0], np.float32))
    assert attributed.write(tmp_path / "t.tsv") == [str(tmp_path / "t.tsv")]
    comments, rows = read_table(tmp_path / "t.tsv")
    assert list(rows[0]) == ["name", "chrom", "start", "end", "status", "CTCF:raw", "contributions", "delta"]
    assert [(r["name"], r["start"], r["end"], r["status"]) for r in rows][1] == ("peak 1", "1010", "1030", "ok")
    np.testing.assert_allclose([float(r["CTCF:raw"]) for r in rows], attributed.predictions, rtol=1e-6)
    np.testing.assert_allclose([float(r["contributions"]) for r in rows], attributed.actual().sum((1, 2)), rtol=1e-4)
    assert [float(r["delta"]) for r in rows] == [0.5, -0.25, 0]
    assert comments["model"] == "tiny"
    assert comments["kind"] == "hypothetical"


def test_sequences_without_a_genome_have_a_table_but_no_bigwig(made, tmp_path):
    attributed = made(chrom=None, start=None, contigs={})
    attributed.write(tmp_path / "t.tsv")
    _, rows = read_table(tmp_path / "t.tsv")
    assert list(rows[0])[:2] == ["name", "status"]
    assert {r["delta"] for r in rows} == {"NA"}
    with pytest.raises(ConfigError, match=r"no place in a genome.*\.tsv or \.h5"):
        attributed.write(tmp_path / "t.bw")


@pytest.mark.parametrize("kind", ["effect", "hypothetical", "contribution"])
def test_a_bigwig_holds_what_the_base_that_is_there_contributes(made, tmp_path, kind):
    attributed = made(1, kind=kind)
    attributed.write(tmp_path / "t.bw")
    expected = attributed.actual().sum(1)[0]
    found = records(tmp_path / "t.bw")
    assert list(found) == [("chr20", p) for p in range(1000, 1020)]
    np.testing.assert_allclose(list(found.values()), expected, rtol=1e-6)


def test_a_bigwig_says_nothing_of_a_base_that_is_n(made, tmp_path):
    attributed = made(1, n_rate=0.3)
    attributed.write(tmp_path / "t.bw")
    known = np.flatnonzero(attributed.codes[0] < 4) + 1000
    assert 0 < len(known) < 20
    assert [p for _, p in records(tmp_path / "t.bw")] == known.tolist()


@pytest.mark.parametrize("kind", ["effect", "hypothetical"])
def test_a_name_with_base_makes_a_file_a_letter(made, tmp_path, kind):
    attributed = made(1, kind=kind)
    names = attributed.write(tmp_path / "t_{base}.bw")
    assert names == [str(tmp_path / f"t_{base}.bw") for base in "ACGT"]
    found = np.array([list(records(name).values()) for name in names], np.float32)
    np.testing.assert_array_equal(found, attributed.values[0])


@pytest.mark.parametrize("name", ["t_{base}.bw", "t.h5"])
def test_contributions_have_no_file_of_four_letters(made, tmp_path, name):
    with pytest.raises(ConfigError, match="kind hypothetical or effect"):
        made(kind="contribution").write(tmp_path / name)
    with pytest.raises(ConfigError, match="kind hypothetical or effect"):
        check_kind(name, "contribution")
    check_kind(name, "hypothetical")
    check_kind("t.bw", "contribution")
    assert list(tmp_path.iterdir()) == []


placed = st.lists(st.tuples(st.sampled_from(["chr2", "chr10", "1"]), st.integers(0, 52)), min_size=1, max_size=12)


@given(windows=placed, seed=st.integers(0, 99), n_rate=st.sampled_from([0, 0.4]))
def test_a_base_in_several_windows_gets_their_mean(tmp_path_factory, windows, seed, n_rate):
    rng, width, contigs = np.random.default_rng(seed), 8, {"chr2": 60, "chr10": 60, "1": 60}
    genome = {name: np.where(rng.random(60) < n_rate, 4, rng.integers(0, 4, 60)).astype(np.uint8) for name in contigs}
    chrom, start = [c for c, _ in windows], np.array([s for _, s in windows])
    codes = np.stack([genome[c][s : s + width] for c, s in windows])
    values = rng.normal(size=(len(windows), 4, width)).astype(np.float32)
    attributed = Attributed(
        codes,
        values,
        "hypothetical",
        np.zeros(len(windows), np.float32),
        "CTCF",
        {"name": "none"},
        ["w"] * len(windows),
        chrom=chrom,
        start=start,
        contigs=contigs,
    )
    told, covered = {}, {}
    for (c, s), per_base, letters in zip(windows, attributed.actual().sum(1), codes, strict=True):
        for i in range(width):
            covered[c, s + i] = covered.get((c, s + i), 0) + 1
            if letters[i] < 4:
                told.setdefault((c, s + i), []).append(per_base[i])
    path = tmp_path_factory.mktemp("overlaps") / "t.bw"
    if not told:
        with pytest.raises(DataError, match="no base has a value"):
            attributed.write(path)
        return
    attributed.write(path)
    found = records(path)
    assert found.keys() == told.keys()
    assert list(found) == sorted(found, key=lambda k: (list(contigs).index(k[0]), k[1]))
    for place, every in told.items():
        assert found[place] == pytest.approx(np.mean(every, dtype=np.float64), rel=1e-5, abs=1e-6)
    ids = np.array([list(contigs).index(c) for c in chrom])
    assert shared_bases(ids, start, width) == sum(n > 1 for n in covered.values())


def test_windows_that_only_touch_share_nothing():
    contig, start = np.array([0, 0, 1]), np.array([4, 0, 0])
    assert shared_bases(contig, start, 4) == 0
    runs = [(c, s, list(v)) for c, s, v in mean_track(contig, start, np.arange(12.0).reshape(3, 4))]
    assert runs == [(0, 0, [4, 5, 6, 7]), (0, 4, [0, 1, 2, 3]), (1, 0, [8, 9, 10, 11])]
    assert list(mean_track(contig[:0], start[:0], np.zeros((0, 4)))) == []


def test_only_the_columns_that_were_asked_for_are_drawn_and_tracked(made, tmp_path):
    rows = InputRows(["chrom", "start", "end"], [["chr20", 1005, 1012]], np.array(["ok"], object))
    found = replace(made(1), rows=rows, shown=(5, 12))
    found.write(tmp_path / "t.bw")
    tracked = records(tmp_path / "t.bw")
    assert [p for _, p in tracked] == list(range(1005, 1012))
    np.testing.assert_allclose(list(tracked.values()), found.actual().sum(1)[0, 5:12], rtol=1e-6)


def test_rows_that_are_not_explained_stay_in_the_table(made, tmp_path):
    cells = [["chr20", "1", "9"], ["chr20", "x"], ["chr20", "2", "9", "more"], ["chr9", "3", "9"]]
    rows = InputRows(["chrom", "start", "status"], cells, np.array(["ok", "malformed", "ok", "contig_unknown"], object))
    replace(made(2), rows=rows, shown=(0, 20)).write(tmp_path / "t.tsv.gz")
    _, read = read_table(tmp_path / "t.tsv.gz")
    assert [r["start"] for r in read] == ["1", "x", "2", "3"]
    assert [r["input_status"] for r in read] == ["9", "NA", "9", "9"]
    assert [r["status"] for r in read] == ["ok", "malformed", "ok", "contig_unknown"]
    assert [r["CTCF:raw"] == "NA" for r in read] == [False, True, False, True]


@pytest.mark.parametrize("name", ["t.tsv", "t.bw", "t.h5", "t.png"])
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_not_finite_is_refused_by_name(made, tmp_path, name, bad):
    attributed = made()
    attributed.values[1, 2, 3] = bad
    with pytest.raises(DataError, match="'peak 1' holds NaN or infinity"):
        attributed.write(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["t.txt", "t", "t.bigwig", ""])
def test_an_unknown_name_lists_the_kinds(made, name):
    with pytest.raises(ConfigError, match=r"\.tsv, \.tsv\.gz, \.parquet, \.xlsx, \.bw, \.h5, \.png, \.svg or \.pdf"):
        made().write(name)


@pytest.mark.parametrize(("name", "library"), [("t.h5", "h5py"), ("t.bw", "pybigtools")])
def test_a_missing_library_is_named_with_the_command_that_installs_it(monkeypatch, name, library):
    monkeypatch.setattr(zoo.errors, "find_spec", lambda name: None if name == library else find_spec(name))
    with pytest.raises(ZooError, match=rf"{library}.*pip install 'zoo-core\[formats\]'"):
        check_path(name)
    assert check_path("t.tsv")


def test_a_folder_that_cannot_take_the_file_is_said_before_anything_is_computed(tmp_path, monkeypatch):
    with pytest.raises(DataError, match="does not exist"):
        check_path(tmp_path / "nowhere" / "t.tsv")
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(DataError, match="cannot be written to"):
        check_path(tmp_path / "t.h5")
    assert check_path("-")


@pytest.mark.parametrize("name", ["t.bw", "t.h5", "t.svg"])
def test_nothing_makes_no_file_but_a_table(made, tmp_path, name):
    with pytest.raises(DataError, match="would be empty"):
        made(0).write(tmp_path / name)
    made(0).write(tmp_path / "t.tsv")
    assert [p.name for p in tmp_path.iterdir()] == ["t.tsv"]


@pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
def test_a_picture_is_of_the_kind_its_name_says(made, tmp_path, suffix):
    made(1).write(tmp_path / f"t.{suffix}")
    begins = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}[suffix]
    assert (tmp_path / f"t.{suffix}").read_bytes().startswith(begins)
