"""What is printed before training, and which labels are refused."""

import numpy as np
import pytest

from zoo.cli.main import main
from zoo.data.codes import decode, reverse_complement
from zoo.data.source import SPLITS
from zoo.errors import ConfigError, ContractError
from zoo.fields import Field, Grid
from zoo.outputs import require_names
from zoo.training.label_statistics import disagreements
from zoo.training.plan import TrainingPlan


def letters(n, length=60, seed=0):
    rng = np.random.default_rng(seed)
    return [decode(rng.integers(0, 4, length).astype(np.uint8)) for _ in range(n)]


@pytest.fixture
def table(tmp_path, config):
    """table({"column": values}, objective=..., values=...) -> the plan of a run on that table."""

    def write(columns, objective="cross_entropy", sequences=None, **data):
        n = len(next(iter(columns.values())))
        columns = {"sequence": sequences or letters(n), **columns}
        rows = [",".join(map(str, row)) for row in zip(*columns.values(), strict=True)]
        path = tmp_path / "t.csv"
        path.write_text("\n".join([",".join(columns), *rows]) + "\n")
        data = {"name": "table", "table": str(path), "splits": {"validation": 0.2, "test": 0.2}, **data}
        return TrainingPlan.of({**config, "data": data, "objective": {"name": objective}})

    return write


REAL = np.random.default_rng(1).normal(1, 1, 60).round(3)
COUNTS = np.random.default_rng(1).poisson(4, 60)
LABELS = [0, 1] * 30


@pytest.mark.parametrize(
    ("values", "objective", "message"),
    [
        (REAL, "cross_entropy", "cross_entropy needs labels from 0 to 1, but column 'y' of target 'value' holds"),
        (REAL * 1e6, "cross_entropy", "set objective=squared_error"),
        (COUNTS, "cross_entropy", "column 'y' of target 'value' holds 1 to 8"),
        (REAL, "poisson", "poisson needs counts of 0 or more, but column 'y' of target 'value' holds -"),
        ([-1, 1] * 30, "cross_entropy", "or write 0 and 1 for labels of -1 and 1"),
    ],
)
def test_labels_that_an_objective_cannot_learn_are_refused_with_column_range_and_remedy(
    table, values, objective, message
):
    with pytest.raises(ConfigError) as refusal:
        table({"y": values}, objective).summary()
    assert message in str(refusal.value)
    assert "squared_error" in str(refusal.value)


def test_the_same_labels_are_taken_by_the_objective_that_is_named(table):
    lines = table({"y": REAL}, "squared_error").summary()
    assert f"y: {REAL.min():.4g} to {REAL.max():.4g}" in "\n".join(lines)
    assert not any("objective" in line for line in lines)


@pytest.mark.parametrize(
    ("values", "objective", "meant"),
    [(np.abs(REAL), "poisson", "counts"), (1 / (1 + np.exp(-REAL)), "cross_entropy", "probabilities")],
)
def test_fractions_are_learned_and_the_console_says_as_what(table, values, objective, meant):
    lines = table({"y": values.round(4)}, objective).summary()
    (line,) = [line for line in lines if f"which objective {objective} learns as {meant}" in line]
    assert "set objective=squared_error" in line


def test_counts_and_labels_need_no_word(table):
    for values, objective in ((COUNTS, "poisson"), (LABELS, "cross_entropy")):
        assert not any("objective" in line for line in table({"y": values}, objective).summary())


def test_training_labels_that_are_all_alike_are_refused(table):
    split = ["train"] * 40 + ["validation"] * 10 + ["test"] * 10
    columns = {"y": [1] * 40 + [0, 1] * 10, "part": split}
    with pytest.raises(ConfigError, match=r"all 40 training labels of column 'y' of target 'value' are 1"):
        table(columns, targets=["y"], splits={"column": "part"}).summary()
    columns["y"] = [""] * 40 + [0, 1] * 10
    with pytest.raises(ConfigError, match=r"no training example has a label of column 'y'"):
        table(columns, targets=["y"], splits={"column": "part"}).summary()


def test_a_split_of_one_class_is_named(table):
    split = ["train"] * 40 + ["validation"] * 10 + ["test"] * 10
    lines = table({"y": [0, 1] * 25 + [1] * 10, "part": split}, targets=["y"], splits={"column": "part"}).summary()
    assert any("test has one class only of 'y'" in line for line in lines)
    assert not any("validation has" in line or "train has" in line for line in lines)


@pytest.mark.parametrize("strand", ["none", "augmented"])
def test_contradictions_are_counted_on_the_strands_that_the_model_answers_alike(table, strand):
    sequences = letters(57)
    sequences += [sequences[0], decode(reverse_complement(np.array(["ACGT".index(x) for x in sequences[1]], np.uint8)))]
    sequences += [sequences[2]]
    labels = [0, 0, 1] + [0, 1] * 27 + [1, 1, 1]
    plan = table({"y": labels}, sequences=sequences)
    plan.config["strand"] = strand
    (line,) = [line for line in plan.summary() if "contradictory labels" in line]
    number = "1 of the sequences," if strand == "none" else "2 of the sequences (or their reverse complements),"
    assert f"contradictory labels of 'value' for {number} such as row_1 (" in line


def test_sequences_of_two_splits_are_counted(table):
    sequences = letters(50)
    part = ["train"] * 40 + ["validation"] * 10 + ["test"] * 10
    lines = table({"y": LABELS, "part": part}, targets=["y"], splits={"column": "part"}).summary()
    assert not any("earlier split" in line for line in lines)
    sequences += [*sequences[:3], *sequences[40:42], *letters(5, seed=8)]
    plan = table({"y": LABELS, "part": part}, sequences=sequences, targets=["y"], splits={"column": "part"})
    (line,) = [line for line in plan.summary() if "earlier split" in line]
    assert line.strip().startswith("5 of the test sequences or their reverse complements are in an earlier split")


def test_a_column_of_one_value_is_named(table):
    lines = table({"y": REAL, "flat": [2.5] * 60}, "squared_error").summary()
    assert "  train has one value only of 'flat'" in lines


def test_disagreements_are_by_column_and_leave_missing_labels_out():
    keys = np.array([1, 1, 2, 2, 3, 3], np.uint64)
    y = np.array([[0, 1], [0, 1], [np.nan, 0], [1, 0], [0, 0], [0, 1]], float)
    number, pair = disagreements(keys, y)
    assert (number, pair.tolist()) == (1, [4, 5])
    assert disagreements(keys[:4], y[:4])[0] == 0
    assert disagreements(np.empty(0, np.uint64), np.empty((0, 1)))[0] == 0


def test_what_is_learned_is_printed_before_training_and_by_explain(zoo_train, table, tmp_path):
    table({"y": LABELS})
    words = ["data=table", f"data.table={tmp_path / 't.csv'}", "encoder.filters=4", "trainer.max_epochs=1"]
    code, out, err = zoo_train(*words, "--explain")
    assert code == 0, err
    (first,) = [line for line in out.splitlines() if line.startswith("table: ")]
    assert "value (binary): y: 30 of 60 labels are 1, the others 0" in out
    code, out, err = zoo_train(*words, f"output_dir={tmp_path / 'run'}")
    assert code == 0, err
    assert first in err.splitlines()
    assert "value (binary): y: 30 of 60 labels are 1, the others 0" in err


def test_a_length_that_the_encoder_does_not_read_is_refused_before_the_first_step(table, monkeypatch):
    from zoo.encoders.motif_cnn import MotifCNN

    def grid(self, length):
        if length != 60:
            raise ContractError(f"60 bp, not {length} bp")
        return Grid(0, length, 1)

    monkeypatch.setattr(MotifCNN, "grid", grid)
    assert table({"y": LABELS}).summary()
    sequences = [*letters(58), *letters(2, length=61)]
    with pytest.raises(ConfigError, match=r"2 of 60 examples are 61 bp long, which encoder 'motif_cnn' does not read"):
        table({"y": LABELS}, sequences=sequences).summary()
    monkeypatch.undo()
    lines = table({"y": LABELS}, sequences=[*sequences[:59], "N" + sequences[59][1:]]).summary()
    assert "  2 of 60 examples have another length: 60 to 61 bp" in lines
    assert "  1 examples hold an N" in lines


def test_every_split_is_counted(table):
    plan = table({"y": LABELS})
    n = {split: len(plan.source.examples(split)) for split in SPLITS}
    assert plan.summary()[0] == f"table: {', '.join(f'{n[s]} {s}' for s in SPLITS)} examples of 60 bp"


@pytest.fixture
def zoo_train(capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)

    def call(*words):
        capsys.readouterr()
        code = main(["train", *words])
        out, err = capsys.readouterr()
        return code, out, err

    return call


def test_columns_with_names_of_all_kinds_are_trained_published_and_predicted(table, tmp_path):
    import zoo
    from zoo.training.publication import publish
    from zoo.training.run import train

    names = ["H3K27ac (rep 1)", "class", "name", "status", "chrom_state"]
    plan = table({name: np.roll(LABELS, i) for i, name in enumerate(names)}, targets=names)
    run = train({**plan.config, "trainer": {**plan.config["trainer"], "max_epochs": 1}})
    source = publish([run.folder], name="five", to=f"file://{tmp_path}/hub")
    model = zoo.load(source)
    sequences = letters(3, seed=9)
    every = zoo.predict(model, sequences=sequences)
    tasks = ["H3K27ac_(rep_1)", "class", "name", "status_", "chrom_state"]
    assert list(every.columns) == ["input_name", "length", "status", *tasks]
    for task in tasks:
        one = zoo.predict(model, sequences=sequences, output=task)
        assert list(one[task]) == pytest.approx(list(every[task]), abs=1e-6)
    alone = zoo.predict(model, sequences=sequences[0])
    assert len(alone) == 1
    assert alone["class"][0] == pytest.approx(every["class"][0], abs=1e-6)
    with pytest.raises(zoo.errors.ContractError, match=r"a batch is a mapping .* not str: zoo.predict\(model, seq"):
        model.predict(sequences[0])


@pytest.mark.parametrize("target", ["type", "keys", "a.b", "forward"])
def test_a_target_that_pytorch_could_not_hold_is_refused(table, target):
    with pytest.raises(ContractError, match=f"no part called '{target}': name the target otherwise"):
        table({"y": LABELS}, target=target).summary()


def test_a_target_that_no_output_could_name_is_refused():
    with pytest.raises(ConfigError, match=r"has no blanks .* call it 'H3K27ac_\(rep_1\)'"):
        require_names({"binding": Field("C", channels=("H3K27ac (rep 1)",))})
