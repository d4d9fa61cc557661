"""The published model, on simulated samples that it has never seen."""

import json

import numpy as np
import pytest
import torch

import zoo
from zoo.errors import DataError
from zoo.hub.golden import check_golden
from zoo.hub.loader import pull
from zoo_copy_number.calibration import count_events
from zoo_copy_number.caller import call_sample
from zoo_copy_number.evaluation import GROUPS, count_trusted, simulate_group
from zoo_copy_number.event_accuracy import summarise_counts
from zoo_copy_number.qc import quality_control

NAME = "copy-number"


@pytest.fixture(scope="module")
def model():
    return zoo.load(NAME)


@pytest.fixture(scope="module")
def called(model):
    """Ten genomes, and what is called of each."""
    return [(s, call_sample(model, s.bins)) for s in simulate_group("genome", 10, 4_000, 77)]


def test_it_is_small_and_its_golden_outputs_are_met():
    folder = pull(NAME)
    assert check_golden(zoo.load(NAME), folder) <= 1e-5
    assert sum(f.stat().st_size for f in folder.rglob("*")) < 3_000_000
    assert zoo.load(NAME).heads["states"].quality.abs().sum() > 0, "its qualities are calibrated"


def test_the_card_has_every_group_and_its_baselines_on_the_same_events():
    spec = json.loads((pull(NAME) / "config.json").read_text())
    assert spec["licence"] == "MIT"
    assert "/" not in str(spec["training"]["init"]), "no path of a private folder"
    rows = {(r["predictor"], r["metric"], r["stratum"]): r for r in spec["metrics"]}
    for group in GROUPS:
        ours = rows[NAME, "event_f1", group]
        for baseline in ("circular binary", "hidden Markov"):
            assert rows[baseline, "event_f1", group]["n"] == ours["n"]
        assert rows[NAME, "wrong_at_q20", group]["n"]
    for length in (3, 5, 10, 30, 100):
        ours = rows[NAME, "event_f1", f"genome, {length} bins"]
        assert ours["value"] > rows["circular binary", "event_f1", f"genome, {length} bins"]["value"]
    assert rows[NAME, "wrong_at_q20", "genome"]["value"] <= 0.01
    assert rows[NAME, "held_at_q20", "genome"]["value"] >= 0.8


def test_planted_events_are_found_and_little_else(called):
    counts = sum(count_events(c.copies, s) for s, c in called).sum((0, 1))
    found = summarise_counts(counts)
    assert counts[1] > 50
    assert found["precision"] > 0.9
    assert found["recall"] > 0.7


def test_trusted_calls_are_right(called):
    calls, wrong, events, held = sum(count_trusted(c, s) for s, c in called)
    assert calls > 30
    assert wrong <= 1
    assert held / events > 0.7


def test_the_sex_is_read_from_x_and_y(called):
    assert sum(c.seen_sex == ("male" if s.male else "female") for s, c in called) >= 9


def test_gc_is_taken_off_and_waves_are_no_events(called):
    for s, c in called:
        figures, _ = quality_control(s.bins, c)
        if figures["gc_correlation"] != "unknown":
            assert abs(float(figures["gc_correlation"].split()[2])) < 0.15
    flat = [s for s, _ in called if s.drawn["wave"] > 0.05]
    assert flat, "some of them have waves"


def test_an_event_keeps_its_height(model, called):
    """Half the depth in 60 bins where nothing else is: the corrected log2 falls by 1."""
    from dataclasses import replace

    sample, before = called[0]
    level = (sample.copies == 2) & before.predicted.known
    contig = np.bincount(sample.bins.contig[level]).argmax()
    quiet = np.flatnonzero(level & (sample.bins.contig == contig))[20:80]
    assert len(quiet) == 60
    depth = sample.bins.depth.copy()
    depth[quiet] /= 2
    after = call_sample(model, replace(sample.bins, depth=depth))
    step = np.nanmedian(after.predicted.corrected[quiet] - before.predicted.corrected[quiet])
    assert step == pytest.approx(-1, abs=0.03)


def test_a_model_whose_outputs_are_not_finite_calls_nothing():
    model = zoo.load(NAME)
    with torch.no_grad():
        for x in model.parameters():
            x *= 1e30
    (sample,) = simulate_group("genome", 1, 2_000, 5)
    with pytest.raises(DataError, match="gives NaN or infinity for this sample"):
        call_sample(model, sample.bins)
