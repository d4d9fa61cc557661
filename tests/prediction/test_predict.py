"""Every row that goes in comes out again, and the numbers are the model's own."""

import numpy as np
import pytest
import torch

from zoo.data.codes import decode, encode
from zoo.data.genome import Genome
from zoo.data.intervals import read_intervals
from zoo.errors import ConfigError, DataError
from zoo.model import build
from zoo.prediction.predict import predict, predict_intervals
from zoo.spec import ModelSpec


@pytest.fixture
def model():
    torch.manual_seed(0)
    spec = ModelSpec(
        name="tiny",
        encoder={"name": "motif_cnn", "filters": 8, "width": 7, "hidden": 4},
        heads={"binding": {"name": "scalar", "in_channels": 4, "tasks": ["CTCF", "PU.1"]}},
        input_length=40,
        activation={"binding": "sigmoid"},
    )
    return build(spec).eval()


@pytest.fixture
def letters():
    drawn = np.random.default_rng(1).integers(0, 4, 1000).astype(np.uint8)
    return decode(drawn[:600]) + "N" * 100 + decode(drawn[600:])


@pytest.fixture
def genome(tmp_path, letters):
    path = tmp_path / "genome.fa"
    path.write_text(f">1\n{letters}\n>MT\n{letters[:50]}\n")
    return Genome(path)


ROWS = [
    ("chr1\t100\t140\ta", "ok"),
    ("1\t100\t140\tb", "ok"),
    ("chr7\t100\t140\tc", "contig_unknown"),
    ("1\t0\t10\td", "out_of_bounds"),
    ("1\t1090\t1100\te", "out_of_bounds"),
    ("1\t640\t660\tf", "too_many_n"),
    ("1\t500\t400\tg", "malformed"),
    ("chrM\t5\t45\th", "ok"),
    ("1\tx\t400\ti", "malformed"),
    ("chr1\t119\t121\tj", "ok"),
]


def bed(tmp_path, rows=ROWS):
    path = tmp_path / "rows.bed"
    path.write_text("track name=x\n" + "".join(f"{row}\n" for row, _ in rows))
    return path


def test_every_row_comes_out_in_order_with_its_status(tmp_path, model, genome):
    table = predict(model, bed(tmp_path), fasta=genome, on_error="skip")
    assert list(table["name"].astype(str)) == list("abcdefghij")
    assert list(table["status"]) == [status for _, status in ROWS]
    assert list(table.columns) == ["chrom", "start", "end", "name", "status", "CTCF", "PU.1"]
    assert (table["CTCF"].notna() == (table["status"] == "ok")).all()


def test_aliases_of_contigs_are_said(tmp_path, model, genome):
    intervals = read_intervals(bed(tmp_path), on_error="skip")
    assert predict_intervals(model, intervals, genome).comments["aliases"] == "chr1 is 1, chrM is MT"


def test_probabilities_say_whether_they_are_calibrated_and_logits_need_not(tmp_path, model, genome):
    intervals = read_intervals(bed(tmp_path), on_error="skip")
    comments = predict_intervals(model, intervals, genome).comments
    assert comments["calibration"] == "binding: not calibrated: nothing of it is recorded"
    assert "calibration" not in predict_intervals(model, intervals, genome, output="CTCF:raw").comments


def test_the_numbers_are_the_models_own(tmp_path, model, genome, letters):
    table = predict(model, bed(tmp_path), fasta=genome, on_error="skip")
    codes = torch.from_numpy(encode(letters[100:140]))[None]
    with torch.no_grad():
        expected = model.predict({"codes": codes})["binding"][0].numpy()
    for name in "abj":
        row = table[table["name"] == name].iloc[0]
        np.testing.assert_allclose([row["CTCF"], row["PU.1"]], expected, atol=1e-6)


def test_sequences_are_predicted_as_they_are(model, genome, letters, tmp_path):
    table = predict(model, sequences=[letters[100:140], letters[:39], "N" * 40])
    assert list(table["status"]) == ["ok", "wrong_length", "too_many_n"]
    same = predict(model, bed(tmp_path, ROWS[:1]), fasta=genome)
    np.testing.assert_allclose(table["CTCF"][0], same["CTCF"][0], atol=1e-6)


def test_a_malformed_line_is_a_row_and_stops_the_run_where_that_is_asked_for(tmp_path, model, genome):
    with pytest.raises(DataError, match=r"rows\.bed line 8.*start 500 is after end 400.*--on-error skip"):
        predict(model, bed(tmp_path), fasta=genome, on_error="raise")
    table = predict(model, bed(tmp_path), fasta=genome)
    assert "malformed" in {status.split(":")[0] for status in table["status"]}


@pytest.mark.parametrize(
    "bad",
    ["chr1", "chr1\t5", "chr1\tx\t9", "chr1\t9\t5", "chr1\t-9\t5", "chr1\t5\t5", "chrUn\t0\t9",
     "chr1\t9999999\t10000000", "chr1\t1.5\t9", "\t5\t9", "chr1 5 9",
     "chr1\t5\t9\tx\t\t\t", "chr1\t99999999999999999999\t999999999999999999999"],
)  # fmt: skip
@pytest.mark.parametrize("at", [0, 60])
def test_a_bad_line_beside_a_hundred_good_ones_costs_them_nothing(tmp_path, model, genome, bad, at):
    good = [f"chr1\t{100 + i}\t{101 + i}" for i in range(100)]
    whole = predict(model, bed(tmp_path, [(row, "") for row in good]), fasta=genome)
    table = predict(model, bed(tmp_path, [(row, "") for row in (*good[:at], bad, *good[at:])]), fasta=genome)
    assert len(table) == 101
    kept = [i for i in range(101) if i != at]
    assert [table["status"][i] for i in kept] == list(whole["status"]) == ["ok"] * 100
    np.testing.assert_allclose(table["CTCF"][kept], whole["CTCF"], atol=1e-6)


def test_chunks_and_batches_do_not_change_a_row(tmp_path, model, genome, monkeypatch):
    whole = predict(model, bed(tmp_path), fasta=genome, on_error="skip")
    monkeypatch.setattr("zoo.prediction.predict.CHUNK", 3)
    monkeypatch.setattr("zoo.prediction.predict.batch_rows", lambda length, device: 2)
    cut = predict(model, bed(tmp_path), fasta=genome, on_error="skip")
    np.testing.assert_allclose(whole["CTCF"], cut["CTCF"], atol=1e-6)
    assert list(whole["status"]) == list(cut["status"])


def test_a_column_that_is_called_like_an_output_is_renamed(tmp_path, model, genome):
    intervals = read_intervals(bed(tmp_path, ROWS[:1]))
    intervals.columns[3] = "CTCF"
    assert predict_intervals(model, intervals, genome).columns[3] == "input_CTCF"


def test_the_mode_of_the_model_is_restored(model, letters):
    model.train()
    predict(model, sequences=[letters[:40]])
    assert model.training


def test_nothing_to_predict_says_what_to_give(model):
    with pytest.raises(ConfigError, match="intervals and their fasta"):
        predict(model, "rows.bed")
