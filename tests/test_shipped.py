"""The weights inside the packages: there, whole, small, and right about what they were trained for."""

import json
import os
import subprocess
import sys
from importlib.metadata import distribution

import numpy as np
import pytest
import torch

import zoo
from zoo.data.motifs import get_motif
from zoo.evaluation.strand_consistency import strand_error
from zoo.hub.golden import check_golden
from zoo.hub.loader import pull
from zoo.outputs import Output
from zoo.prediction.predict import predict_codes

NAMES = ["ctcf-motif-cnn", "ctcf-dilated-cnn"]


def test_each_shipped_model_is_listed_by_its_own_package():
    owners = {m["name"]: m["plugin"] for m in zoo.list_models() if m["source"].startswith("pkg://")}
    assert owners == {
        "ctcf-motif-cnn": "zoo-core",
        "ctcf-dilated-cnn": "zoo-dilated-cnn",
        "ci-spliceai": "zoo-splice",
        "ecoli-promoters": "zoo-dilated-cnn",
        "hic-simulated": "zoo-hic",
        "copy-number": "zoo-copy-number",
    }
    assert all(distribution(owner) for owner in owners.values())


@pytest.mark.parametrize("name", NAMES)
def test_golden_outputs_are_met_and_the_folder_is_small(name):
    folder = pull(name)
    assert check_golden(zoo.load(name), folder) <= 1e-5
    assert sum(f.stat().st_size for f in folder.rglob("*")) < 1_000_000
    assert "hg19" in (folder / "config.json").read_text()


@pytest.mark.parametrize("name", NAMES)
def test_a_machine_without_network_or_cache_loads_it_from_another_directory(name, tmp_path):
    program = f"import zoo; m = zoo.load({name!r}); print(zoo.predict(m, sequences=['ACGT' * 50])['CTCF'][0])"
    env = {**os.environ, "ZOO_OFFLINE": "1", "HF_HUB_OFFLINE": "1", "ZOO_CACHE": str(tmp_path / "cache")}
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    codes = np.tile(np.arange(4, dtype=np.uint8), 50)[None]
    model = zoo.load(name)
    expected = predict_codes(model, codes, Output.parse("CTCF", model.spec))[0, 0]
    assert float(done.stdout) == pytest.approx(float(expected), abs=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_it_tells_a_planted_site_from_the_same_site_shuffled(name):
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 4, (200, 200)).astype(np.uint8)
    site = get_motif("CTCF").sample(rng, 200)
    width = site.shape[1]
    with_site, without = codes.copy(), codes.copy()
    with_site[:, 90 : 90 + width] = site
    without[:, 90 : 90 + width] = rng.permuted(site, axis=1)
    model = zoo.load(name)
    output = Output.parse("CTCF:raw", model.spec)
    assert (predict_codes(model, with_site, output) > predict_codes(model, without, output)).mean() > 0.9


@pytest.mark.parametrize("name", NAMES)
def test_both_strands_give_one_answer(name):
    codes = np.random.default_rng(1).integers(0, 4, (64, 200)).astype(np.uint8)
    error, spread = strand_error(zoo.load(name), {"codes": torch.from_numpy(codes)})
    assert error < 1e-5
    assert spread > 0.1


@pytest.mark.parametrize("name", NAMES)
def test_the_card_says_how_good_it_is_and_beside_what(name):
    spec = json.loads((pull(name) / "config.json").read_text())
    rows = {r["predictor"]: r for r in spec["metrics"] if r["metric"] == "auroc" and r["stratum"] == "all" and r["n"]}
    assert rows[name]["low"] > rows["PWM MA0139.1"]["high"] > rows["GC"]["high"]
    assert rows[name]["n"] == 2 * 1133
    assert spec["licence"] == "MIT"
    assert spec["audit"]["clean"]


def test_every_shipped_model_is_pinned():
    revisions = {m["name"]: m["revision"] for m in zoo.list_models() if m["source"].startswith("pkg://")}
    assert set(NAMES) <= set(revisions)
    assert all(len(revision or "") == 64 for revision in revisions.values()), revisions
