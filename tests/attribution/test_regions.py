"""Every row that goes in comes out again, and the numbers are those of its window."""

import numpy as np
import pytest
import torch

from zoo.attribution.regions import attribute
from zoo.attribution.windows import interval_windows, one_window
from zoo.data.codes import decode, encode
from zoo.data.genome import Genome
from zoo.errors import ConfigError, DataError, GenomeMismatch
from zoo.interfaces import Attribution, Interpreter
from zoo.model import build
from zoo.spec import ModelSpec

LENGTH = 40


class Ramp(Interpreter):
    """Hypothetical contributions that are easy to foresee: letter times position; NaN where a window begins with A."""

    def __init__(self, missing=False):
        self.missing, self.seen = missing, 0

    def attribute(self, model, batch, output):
        n, length = batch["codes"].shape
        self.seen += n
        values = torch.arange(4.0)[:, None] * torch.arange(float(length)) + torch.zeros(n, 1, 1)
        if self.missing:
            values[batch["codes"][:, 0] == 0] = np.nan
        return Attribution({"one_hot": values}, "hypothetical", delta=torch.arange(float(n)))


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    spec = ModelSpec(
        name="tiny",
        encoder={"name": "motif_cnn", "filters": 8, "width": 7, "hidden": 4},
        heads={"binding": {"name": "scalar", "in_channels": 4, "tasks": ["CTCF", "PU.1"]}},
        input_length=LENGTH,
        activation={"binding": "sigmoid"},
    )
    return build(spec).eval()


@pytest.fixture(scope="module")
def letters():
    drawn = np.random.default_rng(1).integers(0, 4, 1000).astype(np.uint8)
    text = decode(drawn[:600]) + "N" * 100 + decode(drawn[600:])
    return text[:300] + text[300:320].lower() + text[320:]


@pytest.fixture(scope="module")
def genome(tmp_path_factory, letters):
    path = tmp_path_factory.mktemp("genome") / "genome.fa"
    path.write_text(f">2\n{letters}\n>10\n{letters[:200]}\n>1\n{letters[:120]}\n")
    return Genome(path)


ROWS = [
    ("chr1\t20\t60\ta", "ok"),
    ("2\t20\t60\tb", "ok"),
    ("chr7\t100\t140\tc", "contig_unknown"),
    ("2\t0\t10\td", "out_of_bounds"),
    ("2\t1090\t1100\te", "out_of_bounds"),
    ("2\t1190\t1200\tf", "out_of_bounds"),
    ("2\t640\t660\tg", "too_many_n"),
    ("2\t500\t400\th", "malformed"),
    ("2\t20\t60\ti", "ok"),
    ("chr2\t30\t70\tj", "ok"),
    ("2\tx\t400\tk", "malformed"),
    ("2\t310\t312\t.", "ok"),
]


@pytest.fixture
def bed(tmp_path):
    path = tmp_path / "rows.bed"
    path.write_text("track name=x\n" + "".join(f"{row}\n" for row, _ in ROWS))
    return path


def explain(model, regions, genome, **changes):
    given = {"fasta": genome, "interpreter": Ramp(), "output": "CTCF:raw", "on_error": "skip"}
    return attribute(model, regions, **{**given, **changes})


def test_every_row_keeps_its_place_and_says_why_it_is_not_explained(model, genome, bed):
    found = explain(model, bed, genome)
    assert list(found.rows.status) == [status for _, status in ROWS]
    assert [cells[3] for cells in found.rows.padded()] == list("abcdefghijk.")
    assert list(found.names) == ["a", "b", "i", "j", "2:292-331"]
    assert (len(found), found.shown) == (5, (0, LENGTH))


def test_windows_are_of_the_bases_that_the_rows_name(model, genome, bed, letters):
    found = explain(model, bed, genome)
    assert list(found.chrom) == ["1", "2", "2", "2", "2"]
    assert found.start.tolist() == [20, 20, 20, 30, 291]
    for codes, start in zip(found.codes, found.start, strict=True):
        np.testing.assert_array_equal(codes, encode(letters[start : start + LENGTH].upper()))
    assert list(found.contigs) == ["2", "10", "1"]
    assert found.comments["aliases"] == "chr1 is 1, chr2 is 2"


def test_the_numbers_are_those_of_the_interpreter_and_the_model(model, genome, bed):
    found = explain(model, bed, genome)
    np.testing.assert_array_equal(found.actual().sum(1), found.codes * np.arange(LENGTH))
    with torch.no_grad():
        raw = model({"codes": torch.from_numpy(found.codes)})["binding"][:, 0]
    np.testing.assert_allclose(found.predictions, raw, atol=1e-5)


def test_bases_in_several_windows_are_counted(model, genome, bed):
    found = explain(model, bed, genome)
    assert found.comments["overlap"] == "40 bases lie in several windows; bigWig has their mean"


def test_a_summit_is_the_middle_of_its_window(model, genome, tmp_path):
    path = tmp_path / "x.narrowPeak"
    path.write_text("chr2\t100\t300\tp\t0\t.\t5\t-1\t-1\t30\n")
    assert explain(model, path, genome).start.tolist() == [130 - LENGTH // 2]


def test_a_region_lies_in_the_middle_of_one_window(model, genome):
    found = explain(model, "chr2:101-110", genome)
    assert (found.start.tolist(), found.shown) == ([85], (15, 25))
    assert list(found.names) == ["2:101-110"]
    assert list(found.rows.cells) == [["2", 100, 110]]
    same = explain(model, ("2", 100, 110), genome)
    np.testing.assert_array_equal(found.codes, same.codes)


def test_beyond_the_rim_of_a_contig_a_region_reads_n(model, genome, tmp_path):
    found = explain(model, "2:1-10", genome)
    assert (found.codes[0, :15] == 4).all()
    assert (found.codes[0, 15:] < 4).all()
    assert found.comments["rim"] == "15 bp of the model's 40 lie beyond the contig and read as N"
    found.write(tmp_path / "t.bw")


def test_a_region_must_fit_the_model_and_the_contig(model, genome):
    with pytest.raises(ConfigError, match="50 bp but the model reads 40: split it into parts"):
        explain(model, "2:101-150", genome)
    with pytest.raises(GenomeMismatch, match="ends at 120"):
        explain(model, "1:101-130", genome)
    with pytest.raises(GenomeMismatch, match="no contig 'chr5'"):
        explain(model, "chr5:101-130", genome)


def test_sequences_need_no_genome(model, letters, tmp_path):
    path = tmp_path / "x.fa"
    path.write_text(f">a\n{letters[290:330]}\n>b\n{letters[:39]}\n>c\n{'N' * 40}\n>d\n{letters[5:45]}\n")
    found = attribute(model, sequences=path, interpreter=Ramp(), output="CTCF")
    assert list(found.rows.status) == ["ok", "wrong_length", "too_many_n", "ok"]
    assert list(found.names) == ["a", "d"]
    assert found.chrom is None
    np.testing.assert_array_equal(found.codes[0], encode(letters[290:330].upper()))


def test_a_row_whose_numbers_are_missing_gets_none(model, genome, bed, tmp_path):
    whole = explain(model, bed, genome)
    missing = whole.codes[:, 0] == 0
    assert 0 < missing.sum() < len(missing)
    found = explain(model, bed, genome, interpreter=Ramp(missing=True))
    assert (np.array(found.rows.status) == "not_finite").sum() == missing.sum()
    assert list(found.names) == [name for name, bad in zip(whole.names, missing, strict=True) if not bad]
    np.testing.assert_array_equal(found.codes, whole.codes[~missing])
    np.testing.assert_array_equal(found.start, whole.start[~missing])
    for name in ("t.tsv", "t.bw", "t.h5"):
        found.write(tmp_path / name)


def test_a_malformed_line_stops_the_run_unless_it_is_to_be_skipped(model, genome, bed):
    with pytest.raises(DataError, match=r"rows\.bed line 9.*start 500 is after end 400"):
        explain(model, bed, genome, on_error="raise")


def test_where_no_row_is_left_the_reasons_are_said(model, genome, tmp_path):
    path = tmp_path / "x.bed"
    path.write_text("2\t640\t660\nchr7\t1\t2\n")
    interpreter = Ramp()
    with pytest.raises(DataError, match=r"no row could be explained: 1 too_many_n, 1 contig_unknown"):
        explain(model, path, genome, interpreter=interpreter)
    assert interpreter.seen == 0


def test_what_is_no_region_and_no_file_is_said_so(model, genome, tmp_path):
    with pytest.raises(DataError, match="neither a file of intervals nor a region"):
        explain(model, "chr2", genome)
    (tmp_path / "empty.bed").write_text("")
    with pytest.raises(DataError, match="holds no interval"):
        explain(model, tmp_path / "empty.bed", genome)
    with pytest.raises(ConfigError, match="give regions and their fasta, or sequences"):
        attribute(model, "2:1-10")
    with pytest.raises(ConfigError, match="sequences stand alone"):
        attribute(model, "2:1-10", sequences="x.fa")


def test_more_n_may_be_allowed(genome, tmp_path):
    path = tmp_path / "x.bed"
    path.write_text("2\t580\t620\n2\t640\t660\n")
    assert list(interval_windows(path, genome, LENGTH, max_n=0.4).rows.status) == ["too_many_n", "too_many_n"]
    assert list(interval_windows(path, genome, LENGTH).rows.status) == ["ok", "too_many_n"]
    assert len(one_window("2:641-660", genome, LENGTH)) == 0
    assert len(one_window("2:641-660", genome, LENGTH, max_n=1)) == 1
