"""`zoo validate-attribution`: the two verdicts, the files, and what is refused."""

import json

import numpy as np
import pytest


@pytest.fixture
def fasta(tmp_path):
    rng = np.random.default_rng(0)
    records = [f">s{i}\n{''.join(rng.choice(list('ACGT'), 200))}\n" for i in range(12)]
    path = tmp_path / "sequences.fa"
    path.write_text("".join(records))
    return str(path)


def test_both_questions_are_answered(zoo, fasta, tmp_path):
    table, picture = tmp_path / "each.tsv", tmp_path / "agreement.png"
    code, out, err = zoo(
        "validate-attribution", "ctcf-motif-cnn", "--output", "CTCF:raw", "--interpreter", "ism", "--sequences", fasta,
        "--shuffles", "20", "-o", str(table), "-o", str(picture),
    )  # fmt: skip
    assert code == 0, err
    assert "Is the attribution faithful to the model? yes" in out
    assert "Is the model worth explaining? yes: AUROC on the test split is 0.897" in out
    assert len([line for line in table.read_text().splitlines() if not line.startswith("##")]) == 13
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_numbers_come_as_json(zoo, fasta):
    arguments = ("--interpreter", "ism", "--sequences", fasta, "--shuffles", "20", "--json")
    code, out, err = zoo("validate-attribution", "ctcf-motif-cnn", *arguments)
    assert code == 0, err
    found = json.loads(out)
    assert {row["measure"] for row in found["rows"]} == {"pearson", "spearman", "top_k", "sign"}
    assert [v["answer"] for v in found["verdicts"]] == ["yes", "yes"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--interpreter", "nonsense"], "no interpreter named 'nonsense'"),
        (["--interpreter", "ism", "-s", "depth=3"], "has no 'depth'"),
        (["--interpreter", "ism", "-s", "start"], "does not read key=value"),
        (["--interpreter", "ism", "-o", "x.doc"], "end it in .tsv"),
        (["--interpreter", "ism", "--shuffles", "3"], "20 or more"),
        (["--interpreter", "ism", "--bed", "peaks.bed"], "--fasta"),
        ([], "Missing option '--interpreter'"),
    ],
)
def test_what_cannot_be_done_is_refused_in_one_sentence(zoo, arguments, message):
    code, _, err = zoo("validate-attribution", "ctcf-motif-cnn", *arguments)
    assert code == 1
    assert message in err
    assert "Traceback" not in err
