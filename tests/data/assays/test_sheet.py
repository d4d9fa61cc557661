"""The sheet of experiments: what is read, what is refused, and that no row is lost."""

from __future__ import annotations

import csv
import gzip

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from zoo.composition.name_patterns import match_names, parse_conditions
from zoo.data.assays.sheet import choose_experiments, read_sheet
from zoo.errors import ConfigError, DataError, ZooError

COLUMNS = ("name", "assay", "target", "cell", "batch", "peaks", "replicate", "role")


def write(folder, *rows, columns=COLUMNS, name="sheet.tsv"):
    (folder / "a.bed").write_text("chr1\t1\t2\n")
    path = folder / name
    path.write_text("".join("\t".join(row) + "\n" for row in (columns, *rows)))
    return path


def row(name, assay="ChIP", target="A", cell="K562", batch="1", peaks="a.bed", replicate="", role=""):
    return name, assay, target, cell, batch, peaks, replicate, role


CELL = st.text(st.characters(codec="utf-8", exclude_characters="\0\r\n"), max_size=6)


def read_or_refuse(path):
    try:
        return read_sheet(path), ""
    except ZooError as error:
        return None, str(error)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=25)
@given(rows=st.lists(st.tuples(CELL, CELL, CELL), min_size=1, max_size=6), comma=st.booleans(), packed=st.booleans())
def test_any_table_is_read_row_by_row_or_refused_in_one_sentence(tmp_path, rows, comma, packed):
    assume(not any(name.startswith("##") for name, _, _ in rows))  # comments
    assume(all(any(cell.strip() for cell in cells) for cells in rows))  # blank lines
    path = tmp_path / "any.tsv"
    with (gzip.open if packed else open)(path, "wt", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, delimiter="," if comma else "\t", lineterminator="\n")
        writer.writerows([("name", "target", "note"), *rows])
    sheet, refusal = read_or_refuse(path)
    if sheet is None:
        assert refusal.count("\n") == 0
        return
    kept = [experiment.columns["note"] for experiment in sheet.experiments]
    assert sum(len(e.replicates) for e in sheet.experiments) == len(rows)
    missing = ("", ".", "na", "nan", "n/a", "none", "null")
    assert kept == ["" if note.strip().lower() in missing else note.strip() for _, _, note in rows]
    assert len({e.name for e in sheet.experiments}) == len(sheet.experiments)


def test_paths_are_relative_to_the_sheet_and_unknown_columns_are_kept(tmp_path):
    path = write(tmp_path, (*row("a"), "d1"), columns=(*COLUMNS, "donor"))
    (only,) = read_sheet(path).experiments
    assert only.files("peaks") == [tmp_path / "a.bed"]
    assert only.columns["donor"] == "d1"
    assert "peaks" not in only.columns


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (
            [row("a", peaks="b.bed"), row("b", peaks="c.bed")],
            r"line 2, column 'peaks': .*b.bed does not exist \(2 such",
        ),
        ([row("a", peaks=".."), row("b")], "is no plain file"),
        ([row("a", peaks="x" * 5_000)], "does not exist"),
        ([row("")], "line 2: the experiment has no name"),
        ([row("a", role="tested")], "line 2, column 'role': 'tested' must be label or input"),
        ([row("a"), row("a")], "experiment 'a' comes 2 times: give each a name of its own, or tell its replicates"),
        ([row("a", replicate="1"), row("a", replicate="1")], "comes 2 times"),
        ([row("a", replicate="1"), row("a", replicate="2", cell="liver")], "has the cell 'liver', another has 'K562'"),
        ([row("a b"), row("a@b")], "'a@b' would be called 'a_b', as 'a b' is: rename one"),
        ([row("a")[:4]], "has 4 columns, the first has 8"),
    ],
)
def test_what_a_sheet_cannot_mean_is_refused_with_its_line(tmp_path, rows, message):
    with pytest.raises(DataError, match=message):
        read_sheet(write(tmp_path, *rows))


def test_a_file_that_is_no_sheet_is_refused(tmp_path):
    with pytest.raises(DataError, match="has no column 'name'"):
        read_sheet(write(tmp_path, ("chr1", "1", "2"), columns=("chrom", "start", "end")))
    with gzip.open(tmp_path / "large.tsv", "wb") as file:
        file.write(b"name\n" + b"\n" * (17 << 20))
    with pytest.raises(DataError, match="larger than 16 MB unpacked, which no sheet"):
        read_sheet(tmp_path / "large.tsv")
    with pytest.raises(DataError, match="does not exist"):
        read_sheet(tmp_path / "none.tsv")


def test_inputs_follow_the_cells_of_the_labels_that_are_chosen(tmp_path):
    rows = [row("a"), row("b", cell="liver"), row("x", assay="atac", role="input")]
    rows += [row("y", assay="atac", cell="liver", role="input"), row("z", assay="phylop", cell="", role="input")]
    sheet = read_sheet(write(tmp_path, *rows))
    labels, inputs = choose_experiments(sheet, None, "cell=liver")
    assert [e.name for e in labels] == ["b"]
    assert [e.name for e in inputs] == ["y", "z"]
    assert [e.name for e in choose_experiments(sheet, None, "assay=ChIP")[1]] == ["x", "y", "z"]
    with pytest.raises(ConfigError, match="names no experiment 'x'"):
        choose_experiments(sheet, ["x"], None)
    with pytest.raises(ConfigError, match="names column 'cell' twice"):
        choose_experiments(sheet, None, ["cell=K562", "cell=liver"])


def test_what_is_nearly_a_column_and_inputs_that_nothing_reads_are_told(tmp_path):
    columns = [c.replace("batch", "bacth") for c in COLUMNS]
    sheet = read_sheet(write(tmp_path, row("a"), row("x", assay="atac", cell="k562", role="input"), columns=columns))
    assert sheet.notes == [
        "column 'bacth' of the sheet is none that zoo reads: did you mean 'batch'?",
        "1 inputs are not read, since their cells have no row of the role label: 'x' is of 'k562'",
    ]
    assert not read_sheet(write(tmp_path, row("a"), row("x", assay="atac", role="input"))).notes


@given(st.text(max_size=8), st.lists(st.text(max_size=8), max_size=5))
def test_a_name_chooses_itself_and_a_star_everything(name, others):
    assert match_names(name, [*others, name])[:1] == [name]
    assert match_names("*", others) == (["*"] if "*" in others else others)


def test_conditions_are_a_column_and_values():
    assert parse_conditions({"cell": ["a", "b"]}, "data.where") == {"cell": ["a", "b"]}
    with pytest.raises(ConfigError, match="'K562' must read COLUMN=VALUE"):
        parse_conditions("K562", "data.where")
