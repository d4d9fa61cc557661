"""`zoo call-cnv` and `zoo calibrate-cnv` from files to files, with a network whose answer is known."""

import json

import numpy as np
import pysam
import pytest
import torch

from zoo.cli.main import main
from zoo.hub.loader import load
from zoo.hub.model_folder import save_bundle
from zoo.model import build
from zoo.spec import ModelSpec
from zoo_copy_number.caller import call_sample
from zoo_copy_number.evaluation import GROUPS
from zoo_copy_number.qc import quality_control
from zoo_copy_number.readers import read_bins
from zoo_copy_number.tracks import TRACKS
from zoo_copy_number.writers import write_output

BINS, WIDTH = 600, 10_000
LOSS = (200, 260)
QUALITY = [0.0, 1.0, 1.0, 0.5, 0.0]


def known_model():
    """Corrected depth is depth itself, and a bin's state is that whose level lies nearest to it."""
    encoder = {"name": "depth_cnn", "channels": 1, "layers": 0, "kernel": 3, "steps": 4, "hidden": 4, "dropout": 0.0}
    states = {"name": "copy_states", "in_channels": 2, "classes": ["0", "1", "2", "3", "4+"], "bin_size": 1}
    log2 = {"name": "corrected", "in_channels": 2, "tasks": ["log2_ratio"], "bin_size": 1}
    spec = ModelSpec(
        "known", encoder, {"states": states, "log2": log2}, 128, activation={"states": "softmax", "log2": "identity"}
    )
    model = build(spec)
    levels = torch.tensor([-4.0, -1.0, 0.0, 0.585, 1.0])
    with torch.no_grad():
        for p in model.parameters():
            p.zero_()
        head = model.heads["states"]
        head.linear.weight[:, 0, 0] = 2 * 20 * levels
        head.linear.bias.copy_(-20 * levels**2)
        head.quality.copy_(torch.tensor(QUALITY * 2))
    return model


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """run/model: the known model; depth.bedgraph: two contigs, half the depth in 60 bins of chr1 and on all of chrX."""
    path = tmp_path_factory.mktemp("cnv")
    zeros = np.zeros((2, len(TRACKS), 128), np.float32)
    (path / "run").mkdir()
    save_bundle(known_model(), path / "run" / "model", {"signal": zeros, "sample": zeros})
    rng = np.random.default_rng(0)
    depth = rng.normal(30, 2, BINS)
    depth[LOSS[0] : LOSS[1]] /= 2
    lines = [f"chr1\t{i * WIDTH}\t{(i + 1) * WIDTH}\t{d:.4f}" for i, d in enumerate(depth)]
    lines += [f"chrX\t{i * WIDTH}\t{(i + 1) * WIDTH}\t{d:.4f}" for i, d in enumerate(rng.normal(15, 1, 100))]
    (path / "depth.bedgraph").write_text("\n".join(lines) + "\n")
    return path


def zoo(capsys, *args):
    capsys.readouterr()
    code = main([str(a) for a in args])
    out, err = capsys.readouterr()
    return code, out, err


def test_a_loss_is_called_and_a_mans_x_is_not(folder, tmp_path, capsys):
    vcf, bed, seg = tmp_path / "calls.vcf.gz", tmp_path / "calls.bed", tmp_path / "calls.seg"
    png, html = tmp_path / "genome.png", tmp_path / "genome.html"
    outs = [x for path in (vcf, bed, seg, png, html) for x in ("-o", path)]
    code, out, err = zoo(capsys, "call-cnv", folder / "depth.bedgraph", "--model", folder / "run" / "model", *outs)
    assert code == 0, err
    assert "sex\tmale" in out
    with pysam.VariantFile(str(vcf)) as records:
        (record,) = list(records)
    assert (record.chrom, record.start + 1, record.stop) == ("chr1", LOSS[0] * WIDTH, LOSS[1] * WIDTH)
    assert record.alts == ("<DEL>",)
    assert record.samples[0]["CN"] == 1
    assert bed.read_text().count("\n") >= 1
    assert len(seg.read_text().splitlines()) == 1 + 4, "three stretches of chr1 and one of chrX"
    assert png.read_bytes().startswith(b"\x89PNG")
    page = html.read_text()
    assert "data:image/png;base64," in page
    assert "http" not in page.replace("http-equiv", "")


def test_given_as_female_the_same_x_is_a_loss_and_a_warning(folder, capsys):
    arguments = ("call-cnv", folder / "depth.bedgraph", "--model", folder / "run" / "model", "--sex", "female")
    code, out, err = zoo(capsys, *arguments)
    assert code == 0
    assert "calls\t2 DEL, 0 DUP" in out
    assert "said to be female" in err
    assert zoo(capsys, *arguments, "--strict")[0] == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-o", "calls.doc"], "end it in .vcf"),
        (["--ploidy", "0"], "ploidy 0"),
        (["--bin-size", "0"], "1 bp or more"),
    ],
)
def test_what_cannot_be_done_is_refused(folder, capsys, arguments, message):
    code, _, err = zoo(capsys, "call-cnv", folder / "depth.bedgraph", "--model", folder / "run" / "model", *arguments)
    assert code == 1
    assert message in err
    assert "Traceback" not in err


def test_a_model_of_sequences_is_refused(folder, capsys):
    code, _, err = zoo(capsys, "call-cnv", folder / "depth.bedgraph", "--model", "ctcf-motif-cnn")
    assert code == 1
    assert "does not call copy number" in err


def test_a_strangers_sample_name_is_text_in_the_page(folder, tmp_path):
    model = known_model()
    bins = read_bins(folder / "depth.bedgraph", sample="<script>alert(1)</script>")
    called = call_sample(model, bins)
    write_output(str(tmp_path / "x.html"), bins, called, {"warnings": "<b>"})
    page = (tmp_path / "x.html").read_text()
    assert "<script>" not in page
    assert "&lt;b&gt;" in page


def test_quality_control_hears_gc_that_is_left_and_other_kits(folder):
    from dataclasses import replace

    model = known_model()
    bins = read_bins(folder / "depth.bedgraph")
    rng = np.random.default_rng(1)
    gc = np.clip(0.41 + 0.08 * rng.standard_normal(len(bins)), 0, 1).astype(np.float32)
    skewed = replace(bins, gc=gc, depth=(bins.depth * 2 ** (4 * (gc - 0.41))).astype(np.float32))
    _, warnings = quality_control(skewed, call_sample(model, skewed))
    assert any("follows GC" in w for w in warnings)
    apart = np.where(np.arange(len(bins)) % 2, 1.0, -1.0).astype(np.float32)
    other = replace(bins, reference=apart, spread=np.full(len(bins), 0.1, np.float32))
    _, warnings = quality_control(other, call_sample(model, other))
    assert any("another kit" in w for w in warnings)
    _, none = quality_control(bins, call_sample(model, bins))
    assert none == []


@pytest.mark.slow
def test_calibration_is_kept_with_the_weights(folder, tmp_path, capsys):
    import shutil

    run = tmp_path / "run"
    shutil.copytree(folder / "run", run)
    before = json.loads((run / "model" / "manifest.json").read_text())
    code, out, err = zoo(
        capsys,
        "calibrate-cnv",
        run,
        "--samples",
        "6",
        "--size",
        "1500",
        "--kind",
        "genome",
        "--test",
        "3",
        "--baseline",
        "threshold",
    )
    assert code == 0, err
    assert "qualities from" in out
    model = load(str(run / "model"))
    found = {(r["predictor"], r["metric"], r["stratum"]): r for r in model.spec.metrics}
    for group in GROUPS:
        ours = found["known", "event_f1", group]
        assert ours["n"] == found["threshold", "event_f1", group]["n"] > 5, "on the same events"
        assert ours["low"] <= ours["value"] <= ours["high"]
        assert not ours["baseline"]
        assert 0 <= found["known", "held_at_q20", group]["value"] <= 1
    assert "event_f1" in out
    head = model.heads["states"]
    assert head.quality.abs().sum() > 0
    assert head.quality.tolist() != QUALITY * 2
    assert json.loads((run / "model" / "manifest.json").read_text()) != before


def test_normals_take_out_what_a_kit_does(folder, tmp_path, capsys):
    rng = np.random.default_rng(5)
    kit = np.exp2(rng.normal(0, 0.15, BINS))

    def wrote(name, loss=False):
        depth = kit * rng.normal(30, 1, BINS)
        depth[LOSS[0] : LOSS[1]] /= 1 + loss
        lines = [f"chr1\t{i * WIDTH}\t{(i + 1) * WIDTH}\t{d:.4f}" for i, d in enumerate(depth)]
        (tmp_path / name).write_text("\n".join(lines) + "\n")
        return str(tmp_path / name)

    tumour, normals = wrote("t.bedgraph", True), [wrote(f"n{i}.bedgraph") for i in range(3)]
    model = ["--model", str(folder / "run" / "model")]
    assert main(["call-cnv", tumour, *model, *(x for n in normals for x in ("--normal", n))]) == 0
    seen = capsys.readouterr()
    assert "reference pooled from n0 (sex unknown), n1 (sex unknown), n2 (sex unknown)" in seen.err
    assert main(["call-cnv", tumour, *model, "--normal", normals[0]]) != 0
    assert "1 normal is no pool" in capsys.readouterr().err
    assert main(["call-cnv", tumour, *model, "--normal", normals[0], "--reference", "pool.cnn"]) != 0
    assert "leave one out" in capsys.readouterr().err


def test_gc_can_be_withheld(folder, tmp_path, capsys):
    gc = tmp_path / "gc.bedgraph"
    rng = np.random.default_rng(1)
    rows = [("chr1", BINS), ("chrX", 100)]
    lines = [f"{c}\t{i * WIDTH}\t{(i + 1) * WIDTH}\t{rng.uniform(0.3, 0.6):.3f}" for c, n in rows for i in range(n)]
    gc.write_text("\n".join(lines) + "\n")
    given = ["call-cnv", str(folder / "depth.bedgraph"), "--model", str(folder / "run" / "model"), "--gc", str(gc)]
    assert main(given) == 0
    assert "raw" in capsys.readouterr().out
    assert main([*given, "--ignore-gc"]) == 0
    assert "gc_correlation\tunknown" in capsys.readouterr().out


def test_every_option_that_a_message_names_is_one_that_the_command_has():
    import re
    from pathlib import Path

    import zoo_copy_number
    from zoo_copy_number.cli.call_cnv import command

    options = {name for parameter in command.params for name in parameter.opts}
    texts = [
        path.read_text() for path in Path(zoo_copy_number.__file__).parent.rglob("*.py") if path.parent.name != "cli"
    ]
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", "\n".join(texts)))
    named -= {"--by", "--vanilla"}  # of mosdepth and Rscript
    assert {"--normal", "--reference", "--fasta", "--gc", "--sex", "--bin-size", "--ploidy"} <= named
    assert named <= options
