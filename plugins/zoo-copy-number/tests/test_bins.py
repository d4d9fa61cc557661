"""Bins keep what they promise, whatever order and shape the rows of a file had."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zoo.errors import ConfigError, DataError, GenomeMismatch
from zoo_copy_number.bins import Bins
from zoo_copy_number.readers.contigs import fit_to, match_contigs
from zoo_copy_number.readers.raw_bins import RawBins, assemble, join_files


def bins(contig=(0, 0, 1), start=(0, 10, 0), end=(10, 20, 5), depth=(1.0, 2.0, 3.0), **more):
    n = len(start)
    unknown = np.full(n, np.nan, np.float32)
    fields = {
        "contigs": ["chr1", "chr2"],
        "contig": np.array(contig, np.int32),
        "start": np.array(start, np.int64),
        "end": np.array(end, np.int64),
        "depth": np.array(depth, np.float32),
        "gc": unknown,
        "mappability": unknown,
        "mask": np.ones(n, bool),
    }
    return Bins(**{**fields, **more})


def rows(intervals, path="x.bed", **more):
    """intervals: (contig, start, end, depth), in the order of the file."""
    contigs = list(dict.fromkeys(i[0] for i in intervals))
    columns = [np.array([i[k] for i in intervals]) for k in (1, 2, 3)]
    contig = np.array([contigs.index(i[0]) for i in intervals], np.int32)
    fields = {"path": path, "contigs": contigs, "contig": contig, "sample": "s", "reader": "bedgraph", **more}
    return RawBins(start=columns[0], end=columns[1], depth=columns[2].astype(float), **fields)


def test_a_contig_and_a_mask_pick_bins_with_all_their_columns():
    whole = bins(kind=np.array([0, 1, 0], np.uint8), reference=np.array([0.5, 1, 2], np.float32))
    assert len(whole) == 3
    assert whole.width.tolist() == [10, 10, 5]
    assert whole.chrom.tolist() == ["chr1", "chr1", "chr2"]
    assert whole.on("chr2").depth.tolist() == [3]
    off_target = whole[whole.kind == 1]
    assert (off_target.start.tolist(), off_target.reference.tolist(), off_target.spread) == ([10], [1], None)
    with pytest.raises(DataError, match="no contig 'chr3': it has chr1, chr2"):
        whole.on("chr3")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"start": (10, 0, 0), "end": (20, 10, 5)}, "not sorted"),
        ({"contig": (1, 0, 0)}, "not sorted"),
        ({"end": (11, 20, 5)}, "overlap at chr1:10"),
        ({"end": (0, 20, 5)}, "empty or negative"),
        ({"depth": (1, -2, 3)}, "negative in 1 bins"),
        ({"contig": (0, 0, 2)}, "not among its 2"),
        ({"mask": np.ones(2, bool)}, "mask of sample has 2 values for 3 bins"),
        ({"kind": np.zeros(2, np.uint8)}, "kind of sample has 2 values"),
        ({"gc": np.array([41, 50, np.nan], np.float32)}, "gc 41 .* 0.41"),
    ],
)
def test_what_bins_cannot_be_is_refused(wrong, message):
    with pytest.raises(DataError, match=message):
        bins(**wrong)


segments = st.lists(
    st.tuples(st.sampled_from(["chr1", "chr2", "X"]), st.integers(0, 40), st.floats(0, 100, width=32)),
    min_size=1,
    max_size=30,
    unique_by=lambda r: r[:2],
).map(lambda found: [(c, 25 * i, 25 * i + 1 + i % 25, d) for c, i, d in found])


@settings(deadline=None)
@given(segments, st.randoms(use_true_random=False))
def test_rows_in_any_order_become_the_same_sorted_bins(found, random):
    shuffled = list(found)
    random.shuffle(shuffled)
    made = assemble(rows(shuffled))
    read = list(zip(made.chrom, made.start.tolist(), made.end.tolist(), made.depth.tolist(), strict=True))
    assert sorted(read) == sorted(found)
    assert made.mask.all()
    for contig in made.contigs:
        assert (np.diff(made.on(contig).start) > 0).all()


@settings(deadline=None)
@given(segments, st.integers(0, 30))
def test_parts_of_a_sample_are_joined_to_the_whole(found, cut):
    one = assemble(rows(found))
    parts = [rows(p) for p in (found[:cut], found[cut:]) if p]
    both = assemble(join_files(parts))
    assert {(c, s, d) for c, s, d in zip(both.chrom, both.start, both.depth, strict=True)} == {
        (c, s, d) for c, s, d in zip(one.chrom, one.start, one.depth, strict=True)
    }


@settings(deadline=None)
@given(segments, st.data())
def test_equal_duplicates_are_dropped_and_others_refused(found, data):
    again = data.draw(st.sampled_from(found))
    made = assemble(rows([*found, again]))
    assert len(made) == len(found)
    assert any("came twice" in n for n in made.notes)
    with pytest.raises(DataError, match=r"comes twice, with depth .*: leave one out"):
        assemble(rows([*found, (*again[:3], again[3] + 1)]))


def test_a_sorted_file_is_not_said_to_have_been_sorted():
    assert assemble(rows([("chr1", 0, 5, 1), ("chr1", 5, 9, 2)])).notes == []
    assert "were sorted" in assemble(rows([("chr1", 5, 9, 2), ("chr1", 0, 5, 1)])).notes[0]


@pytest.mark.parametrize(
    ("found", "message"),
    [
        ([], "holds no bins"),
        ([("1", 0, 9, -1.5)], "1:0: depth -1.5 is negative: give depth or counts, not their logarithm"),
        ([("1", 0, 9, np.inf)], "depth inf is no finite number: write NaN"),
        ([("1", 9, 9, 1)], "end 9 is not after start 9: drop the bin"),
        ([("1", -3, 9, 1)], "outside any contig"),
        ([("1", 0, 2 << 40, 1)], "outside any contig"),
        ([("1", 0, 9, 1), ("1", 8, 20, 1)], "bins 1:0-9 and 8-20 overlap: merge the targets"),
    ],
)
def test_rows_that_cannot_be_bins_are_refused_with_the_place(found, message):
    with pytest.raises(DataError, match=message):
        assemble(rows(found))


def test_unknown_depth_is_masked_and_counted_and_an_empty_contig_kept():
    made = assemble(rows([("1", 0, 5, 2), ("1", 5, 9, np.nan), ("Y", 0, 5, 0), ("Y", 5, 9, 0)]))
    assert made.mask.tolist() == [True, False, True, True]
    assert list(made.contigs) == ["1", "Y"]
    assert made.notes == ["1 of 4 bins have no depth (NaN) and are masked", "no depth above 0 on Y"]


def test_only_off_target_bins_may_overlap_a_little():
    found = [("1", 0, 10_000, 1), ("1", 9_990, 20_000, 2)]
    made = assemble(rows(found, kind=np.array([1, 0], np.uint8)))
    assert made.end.tolist() == [9_990, 20_000]
    assert "cut back" in made.notes[0]
    with pytest.raises(DataError, match="overlap"):
        assemble(rows(found, kind=np.array([0, 1], np.uint8)))
    with pytest.raises(DataError, match="overlap"):
        assemble(rows([("1", 0, 10_000, 1), ("1", 9_000, 20_000, 2)], kind=np.array([1, 1], np.uint8)))


def test_files_of_two_samples_are_not_one():
    parts = [rows([("1", 0, 5, 1)], sample="a"), rows([("1", 5, 9, 1)], sample="b")]
    with pytest.raises(ConfigError, match="samples a, b cannot be one"):
        join_files(parts)
    assert join_files(parts, "mine").sample == "mine"
    with pytest.raises(ConfigError, match="cannot stand in one sample"):
        join_files([parts[0], rows([("1", 5, 9, 1)], sample="a", unit="wig values")])


def test_contigs_are_matched_by_name_or_alias():
    assert match_contigs(["1", "chrX", "M"], ["chr1", "X", "chrM"]) == {"1": "chr1", "chrX": "X", "M": "chrM"}
    assert match_contigs(["1"], ["chr1", "1"]) == {"1": "1"}
    assert match_contigs(["1"], ["2"]) == {"1": None}


def test_the_last_bin_of_a_grid_is_cut_to_the_end_of_its_contig():
    made = fit_to(bins(end=(10, 20, 5)), {"1": 17, "2": 5}, "genome 'g'")
    assert made.end.tolist() == [10, 17, 5]
    assert made.sizes == {"chr1": 17, "chr2": 5}
    assert "cut to the end" in made.notes[0]


@pytest.mark.parametrize(
    ("sizes", "own", "message"),
    [
        ({"chr1": 10, "chr2": 5}, {}, "1 bins of sample lie past the end of chr1, 10 bp in genome 'g'"),
        ({"chr1": 20, "chr2": 4}, {}, "past the end of chr2"),
        ({"chr1": 30, "chr2": 9}, {"chr1": 25}, "chr1 of sample has 25 bp, in genome 'g' 30"),
        ({"chr7": 30}, {}, "has contigs chr1, chr2, genome 'g' has chr7"),
    ],
)
def test_bins_of_another_assembly_are_refused(sizes, own, message):
    with pytest.raises(GenomeMismatch, match=message):
        fit_to(bins(sizes=own), sizes, "genome 'g'")


def test_windows_of_mosdepth_give_the_length_of_a_contig_away():
    made = bins(contig=(0, 0, 0), start=(0, 10, 20), end=(10, 20, 24), origin={"reader": "mosdepth"})
    assert fit_to(made, {"chr1": 24}, "genome 'g'").end[-1] == 24
    with pytest.raises(GenomeMismatch, match="chr1 of sample ends at 24, in genome 'g' at 29"):
        fit_to(made, {"chr1": 29}, "genome 'g'")


def test_a_contig_that_the_genome_lacks_is_noted():
    made = fit_to(bins(), {"chr1": 30}, "genome 'g'")
    assert made.notes == ["genome 'g' does not have chr2"]
