"""Designs are read back equal from every kind of file."""

import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zoo.errors import ConfigError, DataError
from zoo.files.tables import read_comments
from zoo_design.design import Design, Edit
from zoo_design.writers import DESIGNS, read_designs, write_designs

READABLE = [e for e in DESIGNS if e not in (".parquet", ".xlsx")]
LETTERS = st.text("ACGT", min_size=0, max_size=6)
NUMBERS = st.floats(allow_nan=False)
NAMES = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=60)


@st.composite
def designs(draw):
    sequence = draw(st.text("ACGTN", min_size=1, max_size=200))
    edit = st.builds(Edit, st.integers(0, len(sequence) - 1), LETTERS, LETTERS, st.integers(0, 99), NUMBERS)
    edits = draw(st.lists(edit, max_size=5))
    regions = st.tuples(st.integers(0, len(sequence) - 1), st.integers(1, 60), NAMES)
    return Design(
        name=draw(NAMES),
        start=draw(st.text("ACGTN", min_size=1, max_size=200)),
        sequence=sequence,
        start_value=draw(NUMBERS),
        value=draw(NUMBERS),
        edits=tuple(edits),
        trajectory=tuple(draw(st.lists(NUMBERS, max_size=4))),
        constraints=tuple(draw(st.lists(st.tuples(NAMES, st.booleans()), max_size=3))),
        status=draw(st.sampled_from(["ok", "no_improvement", "constraint, broken"])),
        protected=tuple((a, min(len(sequence), a + n), name) for a, n, name in draw(st.lists(regions, max_size=3))),
    )


@pytest.mark.parametrize("kind", READABLE)
@settings(max_examples=25, deadline=None)
@given(st.lists(designs(), min_size=1, max_size=3))
def test_what_is_written_is_read_back_equal(tmp_path_factory, kind, some):
    path = tmp_path_factory.mktemp("designs") / f"designs{kind}"
    header = {"model": "promoters", "objective": "2*leaf - root", "verdict": "supported: " + "by a judge = b, " * 20}
    write_designs(path, some, header, {"judge.value": [0.5] * len(some)})
    again, read = read_designs(path)
    assert again == some
    assert {key: read[key] for key in header} == header


def one(**changes):
    plain = Design(
        name="p1",
        start="ACGTACGTAC",
        sequence="ACGTTCGTAC",
        start_value=0.5,
        value=1.5,
        edits=(Edit(4, "A", "T", 1, 1.0),),
        trajectory=(0.5, 1.5),
        constraints=(("GC 40-60 %", True),),
        status="ok",
        protected=((0, 3, "minus 10"),),
    )
    return replace(plain, **changes)


def test_a_plasmid_editor_sees_parts_protected_regions_and_edits(tmp_path):
    from Bio import SeqIO

    path = tmp_path / "one.gb"
    write_designs(path, [one()], {"model": "m"}, parts=[[(5, 9, "RBS", -1)]])
    record = SeqIO.read(path, "genbank")
    features = {f.qualifiers["label"][0]: f for f in record.features if "label" in f.qualifiers}
    assert set(features) == {"RBS", "minus 10", "A5T"}
    assert (int(features["minus 10"].location.start), int(features["minus 10"].location.end)) == (0, 3)
    assert (int(features["A5T"].location.start), int(features["A5T"].location.end)) == (4, 5)
    assert features["A5T"].type == "variation"
    assert features["A5T"].qualifiers["replace"] == ["a"]
    assert str(record.seq) == "ACGTTCGTAC"
    assert read_designs(path)[0] == [one()]


def test_a_header_of_fasta_says_what_became_of_a_design(tmp_path):
    write_designs(tmp_path / "one.fa", [one()], {"model": "m"})
    line = (tmp_path / "one.fa").read_text().splitlines()[0]
    assert line.startswith(">p1 start_value=0.5 value=1.5 status=ok edits=A5T@1:1.0 trajectory=0.5,1.5 ")
    assert " start=" not in line, "the start is the sequence with its edits undone"


def test_tables_of_any_kind_hold_the_judges_columns_and_the_header(tmp_path):
    for kind in (".parquet", ".xlsx", ".csv", ".tsv"):
        path = tmp_path / f"one{kind}"
        write_designs(path, [one()], {"verdict": "supported"}, {"judge.gain": [0.25], "disagreement": [math.nan]})
        if kind != ".csv":
            assert read_comments(path)["verdict"] == "supported"
    header, row = (line.split(",") for line in (tmp_path / "one.csv").read_text().splitlines()[1:])
    assert (row[header.index("judge.gain")], row[header.index("disagreement")]) == ("0.25", "NA")


def test_files_that_hold_no_designs_are_named(tmp_path):
    (tmp_path / "plain.fa").write_text(">x\nACGT\n")
    (tmp_path / "plain.csv").write_text("name,sequence\nx,ACGT\n")
    (tmp_path / "plain.gb").write_text("no GenBank at all\n")
    for name, words in (("plain.fa", "line 1"), ("plain.csv", "has no column"), ("plain.gb", "no GenBank record")):
        with pytest.raises(DataError, match=words):
            read_designs(tmp_path / name)
    with pytest.raises(ConfigError, match="does not say which file to write"):
        write_designs(tmp_path / "designs.txt", [one()], {})


def test_nothing_is_left_where_writing_fails(tmp_path):
    with pytest.raises(AttributeError):
        write_designs(tmp_path / "designs.fa", [one(), None], {})
    assert list(tmp_path.iterdir()) == []
