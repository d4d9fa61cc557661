"""data=table: columns to tensors, missing values to weights, mistakes to lines and columns."""

import gzip
import json

import numpy as np
import pytest

from zoo.data.codes import decode
from zoo.data.sources.table import Table
from zoo.errors import ConfigError, DataError


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
