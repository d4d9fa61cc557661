"""Tables that are whole or not there."""

import numpy as np
import pytest

from zoo.errors import DataError
from zoo.files.tables import TableWriter, read_comments, read_table, write_table


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


ROWS = [
    ["chr1", 7, np.float32(0.1), 0.25, "=1+1", True],
    ["chr2", None, np.float32("nan"), None, "MARCH1", False],
    ["##3", 9, np.float32(-2), 1e300, "@SUM(A1)\x07", True],
]
COLUMNS = ["chrom", "pos", "score", "p", "gene", "known"]


@pytest.mark.parametrize("name", ["t.tsv", "t.tsv.gz", "t.parquet", "t.xlsx"])
def test_every_kind_of_table_holds_the_comments(tmp_path, name):
    write_table(tmp_path / name, COLUMNS, ROWS, {"model": "=m", "pos": "1-based"})
    assert read_comments(tmp_path / name) == {"model": "=m", "pos": "1-based"}


def test_parquet_has_the_types_that_the_values_have(tmp_path):
    pandas = pytest.importorskip("pandas")
    write_table(tmp_path / "t.parquet", COLUMNS, ROWS, {"model": "m"})
    frame = pandas.read_parquet(tmp_path / "t.parquet")
    assert frame.attrs == {"model": "m"}
    assert [str(frame[c].dtype) for c in ("score", "p", "known")] == ["float32", "float64", "bool"]
    assert frame["pos"].fillna(-1).tolist() == [7, -1, 9]
    assert frame["score"].tolist()[0] == np.float32(0.1)
    assert frame["gene"].tolist() == ["=1+1", "MARCH1", "@SUM(A1)\x07"]


@pytest.mark.parametrize(
    ("late", "column"),
    [(3, [None, None, 3]), (0.5, [1.0, 2.0, 0.5]), (np.float32(0.5), [1.0, 2.0, 0.5]), ("x", ["1", "2", "x"])],
)
def test_a_later_row_widens_a_column_of_parquet_and_loses_nothing(tmp_path, monkeypatch, late, column):
    parquet = pytest.importorskip("pyarrow.parquet")
    monkeypatch.setattr("zoo.files.parquet._GROUP", 2)
    first = [None, None] if late == 3 else [1, 2]
    write_table(tmp_path / "t.parquet", ["a", "b"], [[v, "y"] for v in [*first, late]])
    assert parquet.read_table(tmp_path / "t.parquet").column("a").to_pylist() == column
    assert [p.name for p in tmp_path.iterdir()] == ["t.parquet"]


def test_a_text_in_a_spreadsheet_is_neither_formula_nor_date(tmp_path):
    openpyxl = pytest.importorskip("openpyxl")
    write_table(tmp_path / "t.xlsx", COLUMNS, ROWS, {"model": "=m"})
    book = openpyxl.load_workbook(tmp_path / "t.xlsx")
    sheet = book["table"]
    assert sheet.freeze_panes == "A2"
    assert [c.value for c in sheet[1]] == COLUMNS
    assert [[c.value for c in row[:5]] for row in sheet.iter_rows(min_row=2)] == [
        ["chr1", 7, 0.1, 0.25, "=1+1"], ["chr2", None, None, None, "MARCH1"], ["##3", 9, -2, 1e300, "@SUM(A1)\ufffd"],
    ]  # fmt: skip
    assert {sheet[f"E{i}"].data_type for i in (2, 3, 4)} == {"s"}
    assert sheet["E2"].quotePrefix
    assert book["about"]["B1"].data_type == "s"


def test_more_rows_than_a_sheet_has_are_refused_in_words(tmp_path):
    pytest.importorskip("openpyxl")
    with pytest.raises(DataError, match=r"cannot hold more than 1,048,575 rows .*write .tsv.gz or .parquet"):
        with TableWriter(tmp_path / "t.xlsx", ["a"]) as table:
            table._body.rows = 1_048_574
            table.row([1])
            table.row([2])
    assert not list(tmp_path.iterdir())


def test_a_table_of_text_reads_back_whatever_a_cell_begins_with(tmp_path):
    write_table(tmp_path / "t.tsv", ["a", "b"], [["##x=1", "\udcff"], ["y", "2"]])
    assert read_table(tmp_path / "t.tsv") == ({}, [{"a": "##x=1", "b": "\udcff"}, {"a": "y", "b": "2"}])
