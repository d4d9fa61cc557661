"""data=table: columns to tensors, missing values to weights, mistakes to lines and columns."""

import gzip
import json

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from zoo.data.codes import decode
from zoo.data.sources.table import Table
from zoo.errors import ConfigError, DataError, ZooError
from zoo.outputs import as_name


def put(folder, text, name="t.tsv"):
    path = folder / name
    path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
    return str(path)


SMALL = "id\tsequence\tliver\tbrain\tfold\na\tACGT\t1.5\t\ttrain\nb\tGGCC\tNA\t-2\ttrain\nc\tTTTT\t0\t3e1\ttest\n"


def test_columns_become_channels_and_missing_values_weigh_nothing(tmp_path):
    source = Table(table=put(tmp_path, SMALL), splits={"column": "fold"}, row_name="id")
    assert source.targets["value"].channels == ("liver", "brain")
    assert source.targets["value"].values == "real"
    examples = source.examples("train")
    batch = examples.batch(np.array([0, 1]))
    assert batch["target/value"].tolist() == [[1.5, 0.0], [0.0, -2.0]]
    assert batch["weight/value"].tolist() == [[1, 0], [0, 1]]
    assert [decode(c) for c in batch["codes"]] == ["ACGT", "GGCC"]
    assert examples.identity(np.array([1]))["name"].tolist() == ["b"]
    assert source.examples("test").batch(np.array([0]))["target/value"].tolist() == [[0.0, 30.0]]
    said = source.describe()
    assert (said["n"], said["missing"]) == ({"train": 2, "validation": 0, "test": 1}, {"liver": 1, "brain": 1})
    assert json.loads(json.dumps(said)) == said


def test_binary_columns_are_seen_and_complete_ones_have_no_weights(tmp_path):
    rows = "".join(f"{'ACGT' * 3}{i:b}".replace("0", "A").replace("1", "C") + f",{i % 2}\n" for i in range(64, 128))
    source = Table(table=put(tmp_path, "sequence,bound\n" + rows, "t.csv.gz"))
    assert source.targets["value"].values == "binary"
    assert set(source.examples("train").batch(np.arange(3))) == {"codes", "target/value", "index"}
    assert sum(source.describe()["n"].values()) == 64
    assert (
        Table(table=put(tmp_path, "sequence,bound\n" + rows, "t.csv"), values="real").targets["value"].values == "real"
    )


def test_a_file_without_a_header_has_numbered_columns(tmp_path):
    path = put(tmp_path, "".join(f"ACGTACGT{'ACGT'[i % 4]}{'ACGT'[i // 4]}\t{i}.5\n" for i in range(16)))
    source = Table(table=path, header=False, sequence="1")
    assert source.targets["value"].channels == ("2",)
    assert sum(source.describe()["n"].values()) == 16


def test_a_split_column_that_leaks_is_reported(tmp_path):
    text = "sequence,y,split\nAACC,1,train\nGGTT,0,test\nAACC,1,val\n"
    between = Table(table=put(tmp_path, text, "t.csv"), splits={"column": "split"}).describe()["audit"]["between"]
    assert between["train / test"]["reverse_complement_duplicates"] == 1
    assert between["train / validation"]["duplicates"] == 1


@pytest.mark.parametrize(
    ("text", "arguments", "message"),
    [
        ("sequence\ty\nACGT\thigh\n", {"targets": "y"}, r"line 2, column 'y': 'high' is no finite number"),
        ("sequence\ty\nACGT\tinf\n", {"targets": ["y"]}, r"line 2, column 'y': 'inf' is no finite number"),
        ("sequence\ty\n\nAC!T\t1\n", {}, r"line 3, column 1: letter '!' at position 3"),
        ("sequence\ty\n\t1\n", {}, r"line 2, column 1: the sequence is empty"),
        ("sequence\ty\nACGT\t0\nNA\t1\n", {}, r"line 3, column 1: the sequence is 'NA': drop the line"),
        ("sequence\ty\nnan\t1\n", {}, r"line 2, column 1: the sequence is 'nan'"),
        ("sequence\ty\nACGT\n", {}, r"line 2 has 1 columns, the first has 2"),
        ("seqence\ty\nACGT\t1\n", {}, r"no column 'sequence': did you mean 'seqence'"),
        ("sequence\ty\nACGT\t1\n", {"targets": ["z"]}, r"no column 'z'"),
        ("sequence\ty\nACGT\tx\n", {}, r"no column of numbers"),
        ("sequence\ty\ty\nACGT\t1\t2\n", {}, r"line 1: column 'y' comes twice"),
        ("sequence\ty\tf\nACGT\t1\tfold9\n", {"splits": {"column": "f"}}, r"line 2: 'fold9' is no split"),
        ("sequence\ty\tf\nACGT\t1\ttest\n", {"splits": {"column": "f"}}, r"no row for training"),
        ("sequence\ty\nACGT\t2\n", {"values": "binary"}, r"more than 0 and 1"),
        ("sequence\ty\n", {}, r"holds no rows"),
        ("", {}, r"holds no rows"),
        ('sequence,y\n"ACGT,1\n', {}, r"check its quotes"),
    ],
)
def test_a_mistake_is_named_by_line_and_column(tmp_path, text, arguments, message):
    with pytest.raises(DataError, match=message):
        Table(table=put(tmp_path, text), **arguments)


def test_what_is_not_given_is_said(tmp_path):
    with pytest.raises(ConfigError, match=r"set data\.table="):
        Table()
    with pytest.raises(ConfigError, match="auto, binary or real"):
        Table(table=put(tmp_path, SMALL), values="counts")


def rows(n=40, **columns):
    """CSV text of n random sequences and columns of (n,) values."""
    rng = np.random.default_rng(3)
    columns = {"sequence": [decode(rng.integers(0, 4, 30).astype(np.uint8)) for _ in range(n)], **columns}
    lines = [",".join(map(str, row)) for row in zip(*columns.values(), strict=True)]
    return "\n".join([",".join(columns), *lines]) + "\n"


LABELS = [0, 1] * 20
REAL = [f"{x:.3f}" for x in np.random.default_rng(4).normal(size=40)]


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        (["1.5"] * 7 + ["l.5"] + ["2"] * 32, r"line 9, column 'y': 'l.5' is no finite number: correct it"),
        (["1.5"] * 7 + ["inf"] + ["2"] * 32, r"line 9, column 'y': 'inf' is no finite number"),
        (
            ["1.5"] * 7 + ["-Inf", "1e999"] + ["2"] * 31,
            r"line 9, column 'y': '-Inf' is no finite number \(2 such cells\)",
        ),
        (["1.5"] * 7 + ["?"] + ["2"] * 32, r"line 9, column 'y': '\?' is no finite number"),
        (["yes", "no"] * 10 + ["yse"] + ["no"] * 19, r"line 22, column 'y': 'yse' is neither yes nor no"),
        (["TRUE", "FALSE"] * 10 + ["2"] + ["TRUE"] * 19, r"line 22, column 'y': '2' is neither true nor false"),
    ],
)
def test_one_cell_that_is_no_number_does_not_drop_its_column(tmp_path, cells, message):
    path = put(tmp_path, rows(control=LABELS, y=cells), "t.csv")
    with pytest.raises(DataError, match=message):
        Table(table=path)
    assert Table(table=path, targets=["control"]).targets["value"].channels == ("control",)


def test_semicolons_separate_where_they_are_more_than_the_commas(tmp_path):
    path = put(tmp_path, rows(y=REAL).replace(",", ";"), "t.csv")
    assert Table(table=path).values[:, 0].tolist() == pytest.approx([float(x) for x in REAL])


def test_numbers_with_a_decimal_comma_are_named(tmp_path):
    path = put(tmp_path, rows(y=REAL).replace(",", "\t").replace(".", ","))
    with pytest.raises(DataError, match=r"line 2, column 'y': .* with a point in place of the comma"):
        Table(table=path)


@pytest.mark.parametrize(
    "name",
    [
        "id", "ID", "peak_id", "Unnamed: 0", "index", "chrom", "chr", "start", "chromStart", "peak_end", "end",
        "strand", "position", "fold", "cv_fold", "fold_id", "split", "is_train", "cluster", "batch",
    ],
)  # fmt: skip
def test_names_places_and_folds_are_left_out_with_a_word_and_taken_if_they_are_named(tmp_path, name):
    numbers = [7 * i % 5 for i in range(40)]
    path = put(tmp_path, rows(**{name: numbers, "bound": LABELS}), "t.csv")
    source = Table(table=path)
    assert source.targets["value"].channels == ("bound",)
    assert source.targets["value"].values == "binary"
    assert any(f"columns left out: '{name}' (" in note for note in source.notes)
    assert Table(table=path, targets=[name]).values[:, 0].tolist() == numbers


@pytest.mark.parametrize("name", ["log2_fold_change", "activity", "H3K27ac", "spend", "binding", "ends_in_A", "score"])
def test_other_names_are_targets(tmp_path, name):
    assert Table(table=put(tmp_path, rows(**{name: REAL}), "t.csv")).targets["value"].channels == (name,)


def test_a_column_that_counts_the_rows_is_no_target(tmp_path):
    source = Table(table=put(tmp_path, rows(n_th=range(1, 41), bound=LABELS), "t.csv"))
    assert source.targets["value"].channels == ("bound",)
    assert any("'n_th' (row numbers)" in note for note in source.notes)


def test_text_is_left_out_with_an_example(tmp_path):
    columns = {"tissue": ["liver", "brain"] * 20, "allele": ["", *"T" * 39], "empty": [""] * 40, "y": REAL}
    source = Table(table=put(tmp_path, rows(**columns), "t.csv"))
    assert source.targets["value"].channels == ("y",)
    (note,) = [note for note in source.notes if "left out" in note]
    assert "'tissue' (text, such as 'liver'), 'allele' (text, such as 'T'), 'empty' (empty)" in note


@pytest.mark.parametrize(
    "words", [("True", "False"), ("yes", "no"), ("Pos", "Neg"), ("positive", "negative"), ("T", "F"), ("Y", "N")]
)
def test_words_for_labels_are_read(tmp_path, words):
    source = Table(table=put(tmp_path, rows(bound=[words[1 - x] for x in LABELS]), "t.csv"))
    assert source.values[:, 0].tolist() == LABELS
    assert source.targets["value"].values == "binary"
    assert f"column 'bound': {words[0].lower()} is read as 1, {words[1].lower()} as 0" in source.notes


def test_labels_beside_measured_values_are_not_learned_as_one_of_them(tmp_path):
    path = put(tmp_path, rows(bound=LABELS, activity=REAL), "t.csv")
    with pytest.raises(ConfigError, match=r"column 'bound' holds labels of 0 and 1, column 'activity' .* data.targets"):
        Table(table=path)
    with pytest.raises(ConfigError, match=r"data.values=real"):
        Table(table=path, targets=["bound", "activity"])
    assert Table(table=path, values="real").targets["value"].channels == ("bound", "activity")
    assert Table(table=path, targets="bound").targets["value"].values == "binary"


@pytest.mark.parametrize("name", ["split", "Fold", "set", "partition"])
def test_a_column_that_says_the_split_is_the_split(tmp_path, name):
    words = ["train"] * 20 + ["val"] * 10 + ["test"] * 10
    path = put(tmp_path, rows(y=LABELS, **{name: words}), "t.csv")
    source = Table(table=path)
    assert source.describe()["n"] == {"train": 20, "validation": 10, "test": 10}
    assert source.notes == [f"splits are those of column {name!r}"]
    drawn = Table(table=path, splits={"column": ""})
    assert drawn.describe()["splits"]["by"] == "hash of the sequence"
    assert any(f"'{name}' (a part of the rows)" in note for note in drawn.notes)


def test_a_typo_in_the_split_column_is_named(tmp_path):
    words = ["train"] * 30 + ["tset"] + ["test"] * 9
    with pytest.raises(DataError, match=r"column 'split' line 32: 'tset' is no split"):
        Table(table=put(tmp_path, rows(y=LABELS, split=words), "t.csv"))


def test_names_that_no_output_could_have_are_changed_with_a_word(tmp_path):
    names = ["H3K27ac (rep 1)", "class", "status", "-log10p", "a:b"]
    source = Table(table=put(tmp_path, rows(**dict.fromkeys(names, REAL)), "t.csv"))
    assert source.targets["value"].channels == ("H3K27ac_(rep_1)", "class", "status_", "_log10p", "a_b")
    assert sum("is called" in note for note in source.notes) == 4
    with pytest.raises(DataError, match=r"several columns would be called 'a_b': rename"):
        Table(table=put(tmp_path, rows(**dict.fromkeys(["a b", "a:b"], REAL)), "t.csv"))


def test_a_small_table_has_both_classes_in_every_split(tmp_path):
    for n_positive in (3, 5, 10):
        labels = [1] * n_positive + [0] * (40 - n_positive)
        source = Table(table=put(tmp_path, rows(y=labels), "t.csv"))
        for split in ("train", "validation", "test"):
            assert set(source.examples(split).labels.tolist()) == {0, 1}, (n_positive, split)


CELLS = "0 1 1.5 -2 1e3 inf nan _ NA yes no TRUE false T l.5 1,5 x 12%".replace("_", "").split(" ")
NAMES = ["y", "id", "split", "fold", "chrom", "H3K27ac (rep 1)", "class", "status", "a.label", "score", "Unnamed: 0"]


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    columns=st.dictionaries(
        st.sampled_from(NAMES),
        st.lists(st.sampled_from(CELLS), min_size=1, max_size=3).flatmap(
            lambda some: st.lists(st.sampled_from(some), min_size=8, max_size=8)
        ),
        min_size=1,
        max_size=4,
    )
)
def test_every_column_is_predicted_or_left_out_with_a_word_or_an_error_that_names_its_cell(tmp_path, columns):
    letters = ["ACGT" * 3 + "ACGT"[i % 4] + "ACGT"[i // 4] for i in range(8)]
    header = "\t".join(["sequence", *columns])
    lines = ["\t".join(row) for row in zip(letters, *columns.values(), strict=True)]
    source, refusal = None, ""
    try:
        source = Table(table=put(tmp_path, "\n".join([header, *lines]) + "\n"))
    except ZooError as error:
        refusal = str(error)
    if source is None:
        assert any(repr(name) in refusal or as_name(name) in refusal for name in columns)
        return
    channels, notes = source.targets["value"].channels, " ".join(source.notes)
    for name, cells in columns.items():
        assert (as_name(name) in channels) != (f"{name!r} (" in notes or f"column {name!r}" == notes[-len(name) - 9 :])
        if as_name(name) in channels:
            values = source.values[:, channels.index(as_name(name))]
            missing = [cell.lower() in ("", "na", "nan") for cell in cells]
            assert np.isnan(values).tolist() == missing
