"""Files of a landscape read back as the numbers that went in."""

from importlib.util import find_spec

import numpy as np
import pandas
import pybigtools
import pytest
from matplotlib.collections import PathCollection

import zoo.errors
from zoo.effects.mutational_landscape import Landscape, check_path
from zoo.errors import ConfigError, DataError, ZooError
from zoo.files.tables import read_table
from zoo.pictures.mutational_landscape import draw_landscape


def make(width, start=1000, **changes):
    rng = np.random.default_rng(3)
    codes = rng.integers(0, 4, width).astype(np.uint8)
    effects = rng.normal(size=(4, width)).astype(np.float32)
    effects[codes, np.arange(width)] = 0
    given = {"chrom": "chr20", "start": start, "contig_length": 5000, "comments": {"model": "tiny"}}
    return Landscape(effects, codes, "CTCF:raw", 0.25, **{**given, **changes})


@pytest.fixture
def landscape():
    return make(40)


def effects_of(rows, landscape):
    """(4, W) of a table's rows, which are dictionaries."""
    effects = np.zeros_like(landscape.effects)
    for row in rows:
        effects["ACGT".index(row["alt"]), int(row["pos"]) - 1 - landscape.start] = float(row["CTCF:raw"])
    return effects


@pytest.mark.parametrize("name", ["effects.tsv", "effects.tsv.gz"])
def test_a_table_holds_each_substitution_once(landscape, tmp_path, name):
    assert landscape.write(tmp_path / name) == [str(tmp_path / name)]
    comments, rows = read_table(tmp_path / name)
    assert len(rows) == len(landscape) == 120
    assert list(rows[0]) == ["chrom", "pos", "ref", "alt", "status", "CTCF:raw"]
    assert {(r["chrom"], r["status"]) for r in rows} == {("chr20", "ok")}
    assert all("ACGT".index(r["ref"]) == landscape.codes[int(r["pos"]) - 1001] for r in rows)
    assert all(r["ref"] != r["alt"] for r in rows)
    np.testing.assert_allclose(effects_of(rows, landscape), landscape.effects, rtol=1e-6)
    assert comments["model"] == "tiny"
    assert comments["pos"] == "1-based"
    assert comments["reference_output"] == "0.25"
    assert comments["effect"] == "CTCF:raw of the mutant - CTCF:raw of the reference"


def test_the_terminal_shows_the_same_table(landscape, tmp_path, capsys):
    landscape.write("-")
    landscape.write(tmp_path / "effects.tsv")
    assert capsys.readouterr().out == (tmp_path / "effects.tsv").read_text()


def test_a_parquet_file_holds_the_same_numbers_to_the_bit_and_the_comments(landscape, tmp_path):
    landscape.write(tmp_path / "effects.parquet")
    frame = pandas.read_parquet(tmp_path / "effects.parquet")
    np.testing.assert_array_equal(effects_of(frame.to_dict("records"), landscape), landscape.effects)
    assert frame.attrs == landscape.header()
    assert frame["pos"].dtype == np.int64
    assert frame["CTCF:raw"].dtype == np.float32


def test_a_sequence_has_a_parquet_file_without_a_contig(tmp_path):
    make(40, chrom=None, contig_length=None).write(tmp_path / "effects.parquet")
    frame = pandas.read_parquet(tmp_path / "effects.parquet")
    assert len(frame) == 120
    assert frame["chrom"].isna().all()


def test_a_bigwig_file_holds_the_mean_effect_of_each_base(landscape, tmp_path):
    landscape.write(tmp_path / "mean.bw")
    with pybigtools.open(str(tmp_path / "mean.bw")) as track:
        assert track.chroms() == {"chr20": 5000}
        records = list(track.records("chr20"))
    assert [(r[0], r[1]) for r in records] == [(p, p + 1) for p in range(1000, 1040)]
    np.testing.assert_allclose([r[2] for r in records], landscape.effects.sum(0) / 3, rtol=1e-6)
    assert [p.name for p in tmp_path.iterdir()] == ["mean.bw"]


def test_a_bigwig_name_with_base_makes_a_file_a_letter(landscape, tmp_path):
    names = landscape.write(tmp_path / "effect_{base}.bw")
    assert names == [str(tmp_path / f"effect_{base}.bw") for base in "ACGT"]
    for name, expected in zip(names, landscape.effects, strict=True):
        with pybigtools.open(name) as track:
            np.testing.assert_array_equal(np.array([r[2] for r in track.records("chr20")], np.float32), expected)


def test_a_bigwig_that_would_lack_bases_is_not_left_behind(tmp_path):
    with pytest.raises(DataError, match="did not take its 40 bases"):
        make(40, start=4990).write(tmp_path / "mean.bw")
    assert list(tmp_path.iterdir()) == []


def test_a_sequence_has_no_bigwig(tmp_path):
    with pytest.raises(ConfigError, match=r"no place in a genome.*\.tsv or \.parquet"):
        make(40, chrom=None, contig_length=None).write(tmp_path / "mean.bw")


def test_an_n_counts_four_substitutions(tmp_path):
    codes = np.array([0, 4], np.uint8)
    effects = np.array([[0, 1], [1, 2], [2, 3], [3, 6]], np.float32)
    landscape = Landscape(effects, codes, "CTCF:raw", 0.0)
    assert len(landscape) == 7
    np.testing.assert_array_equal(landscape.mean(), [2, 3])
    landscape.write(tmp_path / "effects.tsv")
    _, rows = read_table(tmp_path / "effects.tsv")
    assert [r["ref"] + r["alt"] for r in rows] == ["AC", "AG", "AT", "NA", "NC", "NG", "NT"]
    assert {r["chrom"] for r in rows} == {"NA"}


@pytest.mark.parametrize("kind", ["png", "svg", "pdf"])
def test_a_picture_is_of_the_kind_its_name_says(landscape, tmp_path, kind):
    landscape.write(tmp_path / f"effects.{kind}")
    begins = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}[kind]
    assert (tmp_path / f"effects.{kind}").read_bytes().startswith(begins)


@pytest.mark.parametrize(("width", "rows"), [(1, 1), (60, 1), (500, 4)])
def test_a_picture_has_one_letter_a_base_and_wraps_what_is_wide(width, rows):
    figure = draw_landscape(make(width))
    letters = [c for axes in figure.axes for c in axes.collections if isinstance(c, PathCollection)]
    assert sum(len(c.get_paths()) for c in letters) == width
    images = [axes.images[0] for axes in figure.axes if axes.images]
    assert len(images) == rows
    assert sum(i.get_array().shape[1] for i in images) == width
    assert len({i.get_clim() for i in images}) == 1
    assert images[0].get_clim()[0] == -images[0].get_clim()[1]


def test_a_letter_points_up_where_its_loss_lowers_the_output():
    effects = np.array([[0, 0.3], [-1, 0], [-2, 0.3], [-3, 0.3]], np.float32)
    axes = draw_landscape(Landscape(effects, np.array([0, 1], np.uint8), "CTCF", 1.0)).axes[0]
    a, c, g, t = axes.collections[:4]
    np.testing.assert_allclose(a.get_paths()[0].get_extents().extents[[1, 3]], [0, 2])
    np.testing.assert_allclose(c.get_paths()[0].get_extents().extents[[1, 3]], [-0.3, 0], atol=1e-6)
    assert not g.get_paths()
    assert not t.get_paths()


def test_positions_of_a_picture_count_from_1():
    axes = next(axes for axes in draw_landscape(make(40)).axes if axes.images)
    ticks = dict(zip(axes.get_xticks(), [t.get_text() for t in axes.get_xticklabels()], strict=True))
    assert ticks[1009.5] == "1,010"
    assert axes.get_xlim() == (1000, 1040)


def test_the_title_says_region_output_and_reference():
    texts = [t.get_text() for t in draw_landscape(make(40)).texts]
    assert texts == ["chr20:1,001-1,040", "CTCF:raw of tiny, 0.25 without a mutation"]


@pytest.mark.parametrize("name", ["effects.txt", "effects", "effects.bigwig", ""])
def test_an_unknown_name_lists_the_kinds(landscape, name):
    with pytest.raises(ConfigError, match=r"\.tsv, \.tsv\.gz, \.parquet, \.xlsx, \.bw, \.png, \.svg or \.pdf"):
        landscape.write(name)


@pytest.mark.parametrize(("name", "library"), [("e.parquet", "pyarrow"), ("e.bw", "pybigtools")])
def test_a_missing_library_is_named_with_the_command_that_installs_it(monkeypatch, name, library):
    monkeypatch.setattr(zoo.errors, "find_spec", lambda name: None if name == library else find_spec(name))
    with pytest.raises(ZooError, match=rf"{library}.*pip install 'zoo-core\[formats\]'"):
        check_path(name)
    assert check_path("e.tsv")


def test_effects_of_another_shape_are_an_error():
    with pytest.raises(DataError, match=r"must be \(4, 3\)"):
        Landscape(np.zeros((3, 4), np.float32), np.zeros(3, np.uint8), "CTCF", 0.0)


@pytest.mark.parametrize("name", ["effects.tsv", "effects.parquet", "effects.png", "mean.bw"])
def test_a_folder_that_is_missing_is_said(landscape, tmp_path, name):
    with pytest.raises(DataError, match="does not exist"):
        landscape.write(tmp_path / "nowhere" / name)


def test_an_effect_that_is_not_finite_is_not_ok(tmp_path):
    effects = np.zeros((4, 2), np.float32)
    effects[1, 0], effects[2, 1] = np.nan, np.inf
    landscape = Landscape(effects, np.array([0, 3], np.uint8), "y", 0.0)
    rows = {(row[1], row[3]): row[4:] for row in landscape.rows()}
    assert len(rows) == 6
    assert {key for key, (status, _) in rows.items() if status == "not_finite"} == {(1, "C"), (2, "G")}
    assert rows[1, "C"] == rows[2, "G"] == ("not_finite", None)
    landscape.write(tmp_path / "x.tsv")
    assert "\tnot_finite\tNA\n" in (tmp_path / "x.tsv").read_text()
