"""Splits: every base belongs to one, and what crosses a border to none."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoo.data.genome import Genome
from zoo.data.splits import Region, Splits, draw_splits, parse_region, split_by_hash, split_column
from zoo.errors import ConfigError, DataError, GenomeMismatch


@pytest.fixture(scope="module")
def genome(tmp_path_factory):
    path = tmp_path_factory.mktemp("genome") / "g.fa"
    path.write_text(">20\n" + "A" * 1000 + "\n>X\n" + "C" * 500 + "\n>HLA-A*01:01\n" + "G" * 50 + "\n")
    return Genome(path)


@pytest.mark.parametrize(
    ("text", "region"),
    [
        ("chr20", Region("chr20")),
        ("chr20:0-45000000", Region("chr20", 0, 45_000_000)),
        ("chr20:45_000_000-", Region("chr20", 45_000_000)),
        ("chr20:1,000-2,000", Region("chr20", 1000, 2000)),
    ],
)
def test_regions_read_as_written(text, region):
    assert parse_region(text) == region
    assert parse_region(str(region)) == region


@pytest.mark.parametrize("text", ["chr20:5", "chr20:-5", "chr20:9-5", "", "chr20:5-5", " "])
def test_what_is_no_region_is_refused(text):
    with pytest.raises(ConfigError):
        parse_region(text)


def test_train_is_the_rest_where_it_is_not_given(genome):
    splits = Splits(validation=["chr20:0-10"], test=["X"])
    assert splits.of(genome)["train"] == [(2, 0, 50)]
    assert splits.describe()["train"] == ["the rest"]


def test_splits_that_share_bases_or_name_unknown_contigs_are_refused(genome):
    with pytest.raises(ConfigError, match=r"train 20:0-500 and test 20:499-1000 overlap"):
        Splits(train=["chr20:0-500"], test=["20:499-"]).of(genome)
    with pytest.raises(GenomeMismatch, match="no contig 'chr21'"):
        Splits(test=["chr21"]).of(genome)
    with pytest.raises(ConfigError, match="begins after the end"):
        Splits(test=["chr20:2000-"]).of(genome)
    with pytest.raises(ConfigError, match="did you mean 'validation'"):
        Splits.from_config({"validaton": ["chr20"]})


def test_a_split_column_is_read_in_the_words_people_use():
    assert split_column(["train", "Val", "dev", "TEST ", "validation"]).tolist() == [0, 1, 1, 2, 1]
    with pytest.raises(DataError, match="line 12: 'holdout' is no split"):
        split_column(["train", "holdout"], lines=[11, 12])


@given(st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=50), st.integers(0, 9))
def test_equal_hashes_share_a_split_in_any_order(values, seed):
    hashes = np.array(values + values[::-1], np.uint64)
    codes = split_by_hash(hashes, 0.3, 0.3, seed)
    assert (codes[: len(values)] == codes[len(values) :][::-1]).all()


def test_the_fractions_are_about_kept_and_move_with_the_seed():
    hashes = np.random.default_rng(0).integers(0, 2**63, 20_000).astype(np.uint64)
    first, second = split_by_hash(hashes, 0.1, 0.2, 0), split_by_hash(hashes, 0.1, 0.2, 1)
    assert np.bincount(first) / 20_000 == pytest.approx([0.7, 0.1, 0.2], abs=0.02)
    assert 0.3 < (first != second).mean() < 0.6
    with pytest.raises(ConfigError, match="leave some training"):
        split_by_hash(hashes, 0.5, 0.5)


def test_a_draw_that_leaves_every_split_whole_is_the_plain_one():
    hashes = np.random.default_rng(0).integers(0, 2**63, 5_000).astype(np.uint64)
    labels = (hashes % np.uint64(2)).astype(np.float32)[:, None]
    codes, note = draw_splits(hashes, labels, 0.1, 0.1)
    assert codes.tolist() == split_by_hash(hashes, 0.1, 0.1).tolist()
    assert note == ""


@given(
    n=st.integers(3, 60), n_positive=st.integers(0, 60), columns=st.integers(0, 2), seed=st.integers(0, 5),
    copies=st.integers(1, 3),
)  # fmt: skip
def test_every_split_has_examples_and_each_class_that_is_there_three_times(n, n_positive, columns, seed, copies):
    once = np.random.default_rng(n).integers(0, 2**63, n).astype(np.uint64)
    hashes = np.repeat(once, copies)
    labels = np.repeat((np.arange(n) < n_positive).astype(np.float32)[:, None], columns, 1).repeat(copies, 0)
    codes, _ = draw_splits(hashes, labels, 0.1, 0.1, seed)
    assert set(codes.tolist()) == {0, 1, 2}
    for h in once:
        assert len(set(codes[hashes == h].tolist())) == 1
    if columns and 3 <= n_positive <= n - 3:
        for code in range(3):
            assert set(labels[codes == code, 0].tolist()) == {0, 1}
