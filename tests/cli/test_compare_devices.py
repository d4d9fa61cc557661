"""--compare-devices: a device that drifts or makes NaN is noticed before anything is written."""

import re

import numpy as np
import pytest
import torch

import zoo
from zoo.cli.main import main
from zoo.data.codes import decode
from zoo.encoders.motif_cnn import MotifCNN
from zoo.prediction.device_check import TOLERANCE, compare_numbers, reference_model, spread_rows

LINE = re.compile(r"compared: (\d+) rows in float32 on cpu and in float64 on the CPU: largest difference (\S+) \(")


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A genome of 4,000 bp, 40 intervals of which the first lies outside, and 12 SNVs and an insertion."""
    folder = tmp_path_factory.mktemp("devices")
    letters = decode(np.random.default_rng(0).integers(0, 4, 4000).astype(np.uint8))
    (folder / "g.fa").write_text(f">chr1\n{letters}\n")
    (folder / "p.bed").write_text("".join(f"chr1\t{90 * i}\t{90 * i + 20}\n" for i in range(40)))
    other = {"A": "C", "C": "G", "G": "T", "T": "A"}
    rows = [(p, letters[p - 1], other[letters[p - 1]]) for p in range(1000, 2200, 100)]
    rows.append((2300, letters[2299], letters[2299] + "TT"))
    header = "##fileformat=VCFv4.2\n##contig=<ID=chr1,length=4000>\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"
    (folder / "v.vcf").write_text(header + "".join(f"chr1\t{p}\t.\t{r}\t{a}\t.\t.\t.\n" for p, r, a in rows))
    return folder


@pytest.fixture(params=["predict", "score"])
def command(request, files, tmp_path):
    """command(*more) -> exit code of a command that writes tmp_path/o.tsv."""
    common = ["--fasta", str(files / "g.fa"), "--output", "CTCF:raw", "-o", str(tmp_path / "o.tsv"), "--device", "cpu"]
    if request.param == "predict":
        return lambda *more: main(["predict", "ctcf-motif-cnn", "--bed", str(files / "p.bed"), *common, *more])
    return lambda *more: main(["score", str(files / "v.vcf"), "--model", "ctcf-motif-cnn", *common, *more])


@pytest.fixture
def faulty(monkeypatch):
    """faulty(change): a device that changes what float32 gives, as `change` says."""
    forward = MotifCNN.forward

    def install(change):
        def wrong(self, inputs):
            embedding = forward(self, inputs)
            return change(embedding) if embedding.dtype == torch.float32 else embedding

        monkeypatch.setattr(MotifCNN, "forward", wrong)

    return install


def test_a_sound_device_differs_by_rounding_and_the_numbers_are_those_without_it(command, tmp_path, capsys):
    assert command() == 0
    before = (tmp_path / "o.tsv").read_text().replace("##run", "")
    capsys.readouterr()
    assert command("--compare-devices", "7") == 0
    line = LINE.search(capsys.readouterr().err)
    assert int(line[1]) in (6, 7)  # the first interval lies outside
    assert 0 < float(line[2]) < 1e-5
    assert (tmp_path / "o.tsv").read_text().replace("##run", "") == before


def test_drift_beyond_the_tolerance_ends_the_run_before_anything_is_written(command, faulty, tmp_path, capsys):
    faulty(lambda x: (x * 64).round() / 64)
    assert command("--compare-devices", "5") == 1
    error = capsys.readouterr().err
    assert re.search(
        r"largest difference \S+ \(CTCF:raw, row \d of them\).* beyond 1e-04 x max\(1, \|number\|\)", error
    )
    assert not (tmp_path / "o.tsv").exists()


def test_nan_of_the_device_alone_is_counted_and_refused(command, faulty, tmp_path, capsys):
    faulty(lambda x: x + torch.nan)
    assert command("--compare-devices", "4") == 1
    assert re.search(r": \d rows in .* [34] and 0 numbers are NaN; beyond", "error: " + capsys.readouterr().err)
    assert not (tmp_path / "o.tsv").exists()


def test_without_it_such_a_device_goes_unnoticed(command, faulty, tmp_path):
    faulty(lambda x: (x * 64).round() / 64)
    assert command() == 0
    assert (tmp_path / "o.tsv").exists()


def test_several_models_are_compared_each(files, capsys):
    models = ["--model", "ctcf-motif-cnn", "--model", "ctcf-dilated-cnn"]
    arguments = [str(files / "v.vcf"), *models, "--fasta", str(files / "g.fa"), "--compare-devices", "13"]
    assert main(["score", *arguments, "--output", "CTCF:raw"]) == 0
    line = LINE.search(capsys.readouterr().err)
    assert (int(line[1]), float(line[2]) < 1e-5) == (13, True)


def test_another_engine_is_refused_in_one_sentence(files, capsys):
    arguments = [str(files / "v.vcf"), "--model", "ctcf-motif-cnn", "--fasta", str(files / "g.fa")]
    assert main(["score", *arguments, "--compare-devices", "2", "--engine", "ray"]) == 1
    assert "error" in capsys.readouterr().err


def test_the_copy_leaves_the_model_as_it_is():
    model = zoo.load("ctcf-dilated-cnn")
    twin = reference_model(model)
    assert (model.dtype, twin.dtype) == (torch.float32, torch.float64)
    assert twin.revision == model.revision
    assert all(a.data_ptr() != b.data_ptr() for a, b in zip(model.parameters(), twin.parameters(), strict=True))


def test_differences_are_relative_beyond_one_and_rows_are_named():
    reference = np.array([[0.5, 1000.0], [np.nan, -2.0]])
    comparison = compare_numbers("cuda:0", reference + np.array([[2e-5, 0.05], [0, 1e-3]]), reference, ["a", "b"])
    assert (comparison.row, comparison.column, comparison.one_sided) == (2, "b", 0)
    assert comparison.worst == pytest.approx(5e-4)
    assert comparison.worst > TOLERANCE
    assert compare_numbers("cpu", np.zeros((0, 2)), np.zeros((0, 2)), ["a", "b"]).rows == 0
    assert spread_rows(0, 3).tolist() == []
