"""What is written is what is read, and what could not be written is an error."""

import numpy as np
import pybigtools
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoo.data.bigwig import write_bigwig
from zoo.errors import DataError

CONTIGS = {"chr2": 500, "chr10": 400, "chr1": 300}


def read(path):
    """{contig: {position: value}}."""
    with pybigtools.open(str(path)) as track:
        return {chrom: {a: v for a, _, v in track.records(chrom)} for chrom in track.chroms()}


def test_contigs_keep_their_order_whatever_the_alphabet_says(tmp_path):
    runs = [(chrom, 7 * i, np.arange(3.0) + i) for i, chrom in enumerate(CONTIGS)]
    assert write_bigwig(tmp_path / "x.bw", CONTIGS, runs) == 9
    with pybigtools.open(str(tmp_path / "x.bw")) as track:
        assert list(track.chroms().items()) == list(CONTIGS.items())
    assert read(tmp_path / "x.bw")["chr10"] == {7: 1, 8: 2, 9: 3}


@given(values=st.lists(st.none() | st.floats(-1e6, 1e6, width=32), min_size=1, max_size=60), start=st.integers(0, 440))
def test_bases_without_a_value_have_no_record(tmp_path_factory, values, start):
    path = tmp_path_factory.mktemp("bigwig") / "x.bw"
    array = np.array([np.nan if v is None else v for v in values])
    expected = {start + i: v for i, v in enumerate(values) if v is not None}
    if not expected:
        with pytest.raises(DataError, match="no base has a value"):
            write_bigwig(path, CONTIGS, [("chr2", start, array)])
        return
    assert write_bigwig(path, CONTIGS, [("chr2", start, array)]) == len(expected)
    assert read(path) == {"chr2": expected}


@pytest.mark.parametrize(
    ("runs", "said"),
    [
        ([("chr2", 498, np.ones(5))], "did not take its 5 bases"),
        ([("chr2", 10, np.ones(5)), ("chr2", 12, np.ones(5))], "did not take its"),
        ([("chr3", 10, np.ones(5))], "did not take its 5 bases"),
        ([("chr2", 10, np.array([1, np.inf]))], "infinite value on chr2"),
        ([("chr2", 10, np.ones(2)), ("chr10", 10, np.array([np.inf]))], "infinite value on chr10"),
        ([], "no base has a value"),
    ],
)
def test_a_file_that_would_be_wrong_is_not_left_behind(tmp_path, runs, said, capfd):
    with pytest.raises(DataError, match=said):
        write_bigwig(tmp_path / "x.bw", CONTIGS, runs)
    assert list(tmp_path.iterdir()) == []


def test_an_error_in_what_is_written_comes_out_as_it_is(tmp_path, capfd):
    def runs():
        yield "chr2", 0, np.ones(3)
        raise ZeroDivisionError("half way")

    with pytest.raises(ZeroDivisionError, match="half way"):
        write_bigwig(tmp_path / "x.bw", CONTIGS, runs())
    assert list(tmp_path.iterdir()) == []
    assert "Traceback" not in capfd.readouterr().err
