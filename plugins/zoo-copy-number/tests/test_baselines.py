"""Baselines find what is planted, invent nothing, and the correction takes the bias off."""

from dataclasses import replace

import numpy as np
import pytest

from zoo.errors import DataError, ZooError
from zoo_copy_number.baselines import BASELINES, call_baseline, corrected_log2, tune
from zoo_copy_number.baselines.change_points import CircularBinary
from zoo_copy_number.designs import genome_design, target_design
from zoo_copy_number.event_accuracy import count, summarise_counts
from zoo_copy_number.simulation import simulate_reference, simulate_sample
from zoo_copy_number.simulation_settings import DepthSettings

CLEAN = DepthSettings(
    noise=(0.08, 0.08),
    pure=1.0,
    wave=(0.0, 0.03),
    mappability_unknown=0.0,
    gc_unknown=0.0,
    outliers=(0.0, 0.001),
    mapping_noise=(0.3, 0.3),
)
NEEDS = {"pelt": "ruptures", "hidden Markov": "hmmlearn"}


@pytest.fixture(params=BASELINES)
def baseline(request):
    if request.param in NEEDS:
        pytest.importorskip(NEEDS[request.param])
    if request.param == "circular binary" and not CircularBinary.installed():
        pytest.skip("Rscript does not find DNAcopy")
    return BASELINES[request.param]()


def sample_of(settings=CLEAN, seed=0, bins=6000, width=50_000):
    rng = np.random.default_rng(seed)
    return simulate_sample(rng, genome_design(rng, width=width, bins=bins), settings)


def shares(copies, sample):
    counts = count(copies, sample.expected, sample.bins.contig, sample.bins.mask, sample.events)
    return {k: float(v) for k, v in summarise_counts(counts.sum((0, 1))).items()}


def test_clear_events_are_found(baseline):
    sample = sample_of(replace(CLEAN, events=(15.0, 15.0), long=(50,), arms=0.0))
    copies = call_baseline(baseline, sample.bins, sample.expected)
    assert len(copies) == len(sample.bins)
    got = shares(copies, sample)
    # A running median cannot see what is shorter than half its window; the others may miss a gain of 3 bins.
    assert got["recall"] > (0.5 if "window" in dir(baseline) else 0.7)
    assert got["precision"] > 0.8
    long = [e for e in sample.events if e["bins"] > 20]
    assert long
    for e in long:
        inside = copies[e["start"] : e["end"]]
        assert np.nanmedian(inside) == min(e["copies"], 4)


def test_nothing_is_found_where_nothing_is(baseline):
    sample = sample_of(replace(CLEAN, events=(0.0, 0.0), arms=0.0), seed=1)
    copies = call_baseline(baseline, sample.bins, sample.expected)
    known = np.isfinite(copies)
    assert known.mean() > 0.9
    assert (copies[known] != sample.expected[known]).mean() < 0.005


def test_one_x_of_a_man_is_no_deletion(baseline):
    settings = replace(CLEAN, events=(0.0, 0.0), arms=0.0)
    sample = next(s for s in (sample_of(settings, seed) for seed in range(20)) if s.male)
    copies = call_baseline(baseline, sample.bins, sample.expected)
    x = np.isin(sample.bins.chrom, ["chrX", "chrY"]) & np.isfinite(copies)
    assert x.any()
    assert (copies[x] == 1).mean() > 0.97


def test_bins_that_cannot_be_called_are_not(baseline):
    sample = sample_of(bins=2000)
    masked = replace(sample.bins, mask=sample.bins.mask & (np.arange(len(sample.bins)) % 7 > 0))
    copies = call_baseline(baseline, masked, sample.expected)
    assert np.isnan(copies[~masked.mask]).all()
    assert np.isnan(copies[sample.expected == 0]).all()
    nothing = replace(sample.bins, mask=np.zeros(len(sample.bins), bool))
    assert np.isnan(call_baseline(baseline, nothing, sample.expected)).all()


@pytest.mark.parametrize("asked", [-0.6, 0.6])
def test_the_correction_takes_gc_off(asked):
    settings = replace(CLEAN, gc_correlation=(asked, asked), gc_curvature=(15.0, 15.0), gc_gaps=(0.02, 0.02))
    sample = sample_of(settings, width=1000, bins=20_000)
    ratio = corrected_log2(sample.bins, sample.expected)
    plain = (sample.copies == sample.expected)[ratio.at] & np.isfinite(sample.bins.gc[ratio.at])
    raw = np.log2(np.maximum(sample.bins.depth, 1e-3))[ratio.at][plain]
    gc = sample.bins.gc[ratio.at][plain]
    assert abs(np.corrcoef(raw, gc)[0, 1]) > 0.45
    assert abs(np.corrcoef(ratio.log2[plain], gc)[0, 1]) < 0.05
    mappability = sample.bins.mappability[ratio.at][plain]
    assert abs(np.corrcoef(ratio.log2[plain], mappability)[0, 1]) < 0.08
    assert abs(np.median(ratio.log2[plain])) < 0.02


def test_the_correction_does_without_gc_and_mappability():
    sample = sample_of(replace(CLEAN, gc_unknown=1.0, mappability_unknown=1.0, gc_correlation=(0.0, 0.0)))
    ratio = corrected_log2(sample.bins, sample.expected)
    assert len(ratio.at) > 0.9 * len(sample.bins)
    assert abs(np.median(ratio.log2)) < 0.02


def test_the_correction_takes_a_kit_off():
    rng = np.random.default_rng(0)
    design = simulate_reference(rng, target_design(rng, targets=4000, off_target=150_000), CLEAN)
    sample = simulate_sample(rng, design, replace(CLEAN, events=(0.0, 0.0), arms=0.0))
    ratio = corrected_log2(sample.bins, sample.expected)
    bare = corrected_log2(replace(sample.bins, reference=None, spread=None), sample.expected)
    assert ratio.noise < 0.2 < 0.3 < bare.noise
    for kind in (0, 1):
        assert abs(np.median(ratio.log2[sample.bins.kind[ratio.at] == kind])) < 0.03


def test_settings_are_chosen_that_call_the_samples_best():
    noisy = DepthSettings(noise=(0.25, 0.25), pure=1.0, events=(10.0, 10.0))
    samples = [sample_of(noisy, seed, bins=3000) for seed in range(3)]
    poor = BASELINES["threshold"](window=1, least=0.1, sds=0.0, bins=1)
    before = [shares(call_baseline(poor, s.bins, s.expected), s)["f1"] for s in samples]
    seen = []
    tuned, score = tune(poor, samples, advance=seen.append)
    after = [shares(call_baseline(tuned, s.bins, s.expected), s)["f1"] for s in samples]
    assert tuned != poor
    assert np.mean(after) > np.mean(before) + 0.2
    assert min(after) <= score <= max(after)
    assert sum(seen) == len(poor.prepares["window"]) * len(samples)
    with pytest.raises(DataError, match="no event"):
        tune(poor, [sample_of(replace(CLEAN, events=(0.0, 0.0), arms=0.0))])


def test_r_that_is_missing_is_said(monkeypatch):
    monkeypatch.setenv("PATH", "")
    sample = sample_of(bins=500)
    assert not CircularBinary.installed()
    with pytest.raises(ZooError, match="Rscript"):
        call_baseline(CircularBinary(), sample.bins, sample.expected)
