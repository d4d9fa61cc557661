"""Tables that are whole or not there."""

import pytest

from zoo.errors import DataError
from zoo.files.tables import TableWriter, read_table, write_table


@pytest.mark.parametrize("name", ["out.tsv", "out.tsv.gz"])
def test_a_table_reads_back(tmp_path, name):
    path = tmp_path / name
    n = write_table(path, ["chrom", "score"], [("chr1", 0.25), ("a\tb", float("nan")), (None, 1e-9)], {"model": "m@1"})
    assert n == 3
    comments, rows = read_table(path)
    assert comments == {"model": "m@1"}
    assert rows == [
        {"chrom": "chr1", "score": "0.25"},
        {"chrom": "a b", "score": "NA"},
        {"chrom": "NA", "score": "1e-09"},
    ]


def test_an_error_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "out.tsv"
    path.write_text("old")
    with pytest.raises(RuntimeError), TableWriter(path, ["a"]) as table:
        table.row([1])
        raise RuntimeError("stop")
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["out.tsv"]


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(DataError, match="does not exist"):
        write_table(tmp_path / "no" / "out.tsv", ["a"], [])


def test_two_columns_of_one_name_are_refused(tmp_path):
    with pytest.raises(DataError, match="two columns named 'a'"):
        write_table(tmp_path / "out.tsv", ["a", "a"], [])


def test_a_row_of_another_width_is_refused(tmp_path):
    with pytest.raises(ValueError, match="1 values for 2 columns"):
        write_table(tmp_path / "out.tsv", ["a", "b"], [[1]])
