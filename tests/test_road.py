"""One model from FASTA to hub and back, on the command line, with the corners real files have."""

import json
import os
import subprocess

import numpy as np
import pytest

from zoo.data.codes import decode
from zoo.data.motifs import get_motif
from zoo.files.tables import read_table

SMALL = ["encoder.filters=16", "encoder.width=19", "trainer.max_epochs=8", "optimizer.lr=1e-2", "trainer.bar=false"]


@pytest.fixture(scope="module")
def zoo(forks):
    """zoo("train", ..., cwd=folder, ZOO_HUB=...) -> the finished process."""

    def run(*arguments, cwd, **environment):
        env = {**os.environ, "ZOO_CACHE": str(cwd / "cache"), "OMP_NUM_THREADS": "1", **environment}
        command = [str(forks / "zoo"), *map(str, arguments)]
        return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, timeout=300)

    return run


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A genome whose contigs are called 1, 2, 3, and peaks that call them chr1, chr2, chr3, at planted CTCF sites."""
    folder = tmp_path_factory.mktemp("road")
    rng = np.random.default_rng(0)
    motif = get_motif("CTCF")
    records, rows = [], []
    for contig in ("1", "2", "3"):
        codes = rng.integers(0, 4, 330_000).astype(np.uint8)
        for middle in range(1_000, 329_000, 2_000):
            site = motif.sample(rng, 1)[0]
            codes[middle : middle + len(site)] = site if rng.random() < 0.5 else 3 - site[::-1]
            rows.append(f"chr{contig}\t{middle - 150}\t{middle + 170}\tpeak{len(rows)}\t0\t.\t5.0\t3.0\t2.0\t{160}")
        lower = decode(codes)[:70_000].lower() + decode(codes)[70_000:]
        records.append(
            f">{contig} test\r\n" + "\r\n".join(lower[i : i + 71] for i in range(0, len(lower), 71)) + "\r\n"
        )
    (folder / "genome.fa").write_text("".join(records))
    (folder / "sites.narrowPeak").write_text("# made here\n" + "\n".join(rows) + "\n")
    return folder


@pytest.fixture(scope="module")
def runs(folder, zoo):
    data = ["data=peaks", "data.peaks=sites.narrowPeak", "data.task=CTCF", "genome=custom", "genome.fasta=genome.fa"]
    splits = [
        "data.splits.validation=[chr2]",
        "data.splits.test=[chr3]",
        "data.windows.length=100",
        "evaluation.bootstrap=200",
    ]
    made = []
    for seed in (1, 2):
        done = zoo("train", *data, *splits, *SMALL, f"seed={seed}", f"output_dir=run{seed}", cwd=folder)
        assert done.returncode == 0, done.stderr
        made.append(folder / f"run{seed}")
    return made


@pytest.mark.slow
def test_training_on_peaks_finds_the_motif_and_prints_baselines(runs):
    rows = json.loads((runs[0] / "metrics.json").read_text())
    auroc = {r["predictor"]: r for r in rows if r["metric"] == "auroc" and r["stratum"] == "all"}
    assert auroc["run"]["value"] > 0.9
    assert auroc["run"]["low"] > auroc["GC"]["high"]
    assert abs(auroc["GC"]["value"] - 0.5) < 0.05
    assert auroc["run"]["n"] == auroc["GC"]["n"] == 2 * auroc["run"]["n_positive"]


@pytest.mark.slow
def test_an_ensemble_is_published_pulled_and_predicts_the_mean_of_its_members(zoo, folder, runs):
    hub = {"ZOO_HUB": f"file://{folder}/hub"}
    done = zoo("publish", *runs, "--name", "pair", "--licence", "MIT", cwd=folder, **hub)
    assert done.returncode == 0, done.stderr
    revision = done.stdout.split("@")[1].split()[0]
    assert zoo("pull", "pair", "--check", cwd=folder, **hub).returncode == 0
    card = json.loads((folder / "hub" / "pair" / revision / "config.json").read_text())
    metrics, (calibration,) = card["metrics"], card["training"]["calibration"]
    own = [r for r in metrics if r["metric"] == "auroc" and r["predictor"] == "pair" and r["stratum"] == "all"]
    assert sorted(r.get("member", -1) for r in own) == [-1, 0, 1], "of the ensemble, and of each member"
    listed = json.loads(zoo("list", "models", "--json", cwd=folder, **hub).stdout)
    assert {"name", "task", "plugin"} <= set(next(m for m in listed if m["name"] == "pair"))
    common = ["--fasta", "genome.fa", "--bed", "sites.narrowPeak", "--output", "CTCF:raw"]
    for name, model in {"pair": "pair", "first": f"{runs[0]}/model", "second": f"{runs[1]}/model"}.items():
        done = zoo("predict", model, *common, "-o", f"{name}.tsv", cwd=folder, **hub)
        assert done.returncode == 0, done.stderr
    comments, both = read_table(folder / "pair.tsv")
    each = [read_table(folder / f"{name}.tsv")[1] for name in ("first", "second")]
    assert comments["revision"] == revision
    assert [r["name"] for r in both] == [f"peak{i}" for i in range(len(both))]
    mean = np.mean([[float(r["CTCF:raw"]) for r in rows] for rows in each], axis=0)
    # The mean is calibrated once more, since that of calibrated members is not.
    expected = calibration.get("scale", 1) * mean + calibration.get("shift", 0)
    np.testing.assert_allclose([float(r["CTCF:raw"]) for r in both], expected, rtol=1e-4, atol=1e-4)


def test_a_run_in_which_nothing_could_be_scored_exits_with_1_and_keeps_its_rows(zoo, folder, runs):
    (folder / "other.bed").write_text("chrUn\t1\t2\nchrUn\t5\t9\n")
    done = zoo("predict", runs[0] / "model", "--fasta", "genome.fa", "--bed", "other.bed", "-o", "none.tsv", cwd=folder)
    assert done.returncode == 1
    assert done.stderr.count("\n") <= 3
    assert "contig_unknown" in done.stderr
    assert [r["status"] for r in read_table(folder / "none.tsv")[1]] == ["contig_unknown"] * 2
