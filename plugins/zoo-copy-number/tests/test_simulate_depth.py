"""What is planted is what comes out: copies, noise, the pull of GC, waves, and what is unknown."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoo.errors import ConfigError
from zoo_copy_number.designs import genome_design, target_design
from zoo_copy_number.simulation import simulate_reference, simulate_sample
from zoo_copy_number.simulation_settings import DepthSettings
from zoo_copy_number.source import SimulatedDepth

FLAT = DepthSettings(
    noise=(0.1, 0.1),
    poisson=(0.5, 0.5),
    pure=1.0,
    gc_correlation=(0.0, 0.0),
    gc_curvature=(0.0, 0.0),
    wave=(0.0, 0.0),
    mapping_noise=(0.0, 0.0),
    background=(0.0, 0.0),
    outliers=(0.0, 0.0),
    gc_unknown=0.0,
    gc_gaps=(0.0, 0.0),
    mappability_unknown=0.0,
    events=(0.0, 0.0),
    arms=0.0,
)


def design_of(seed=0, bins=20_000, width=1000, **options):
    return genome_design(np.random.default_rng(seed), bins=bins, width=width, **options)


def make_sample(settings, seed=1, design=None):
    return simulate_sample(np.random.default_rng(seed), design or design_of(), settings)


def level_bins(sample):
    """Bins that tell the noise alone."""
    return sample.bins.mask & (sample.bins.mappability == 1) & (sample.expected == 2)


def test_a_seed_tells_everything():
    a, b, c = make_sample(DepthSettings()), make_sample(DepthSettings()), make_sample(DepthSettings(), seed=2)
    assert a.bins.depth.tobytes() == b.bins.depth.tobytes()
    assert (a.copies == b.copies).all()
    assert a.drawn == b.drawn
    assert not np.array_equal(a.bins.depth, c.bins.depth)


@pytest.mark.parametrize("seed", range(6))
def test_the_events_are_the_altered_bins(seed):
    settings = DepthSettings(events=(30.0, 30.0), arms=1.0)
    sample = make_sample(settings, seed)
    altered = np.zeros(len(sample.bins), bool)
    for e in sample.events:
        inside = slice(e["start"], e["end"])
        assert (sample.copies[inside] == e["copies"]).all()
        assert (sample.copies[inside] != sample.expected[inside]).all()
        assert (sample.bins.contig[inside] == e["contig"]).all()
        assert sample.bins.mask[inside].sum() == e["bins"]
        assert e["copies"] > 0 or e["bins"] <= settings.short
        altered[inside] = True
    assert len(sample.events) > 5
    assert (sample.copies[~altered] == sample.expected[~altered]).all()
    assert (sample.events["start"][1:] >= sample.events["end"][:-1] + 3).all() or (
        np.diff(sample.events["contig"])[sample.events["start"][1:] < sample.events["end"][:-1] + 3] > 0
    ).all()
    assert altered[sample.bins.mask].mean() <= settings.altered
    assert (sample.classes == np.minimum(sample.copies, 4)).all()


def test_lengths_are_those_of_the_classes_and_copies_follow_their_weights():
    rng, design = np.random.default_rng(0), design_of()
    settings = DepthSettings(events=(30.0, 30.0), arms=0.0)
    events = np.concatenate([simulate_sample(rng, design, settings).events for _ in range(30)])
    lengths, counts = np.unique(events["bins"], return_counts=True)
    share = dict(zip(lengths.tolist(), counts / len(events), strict=True))
    assert share[3] == pytest.approx(1 / 6, abs=0.03)
    assert set(lengths) <= {3, 4, 5, 6, *range(8, 13), *range(24, 37), *range(80, 121), *range(240, 361)}
    assert (events["copies"][events["bins"] <= 10] == 0).mean() == pytest.approx(0.1, abs=0.04)


def test_sex_sets_the_expected_copies():
    samples = [make_sample(DepthSettings(), seed) for seed in range(12)]
    assert {s.male for s in samples} == {True, False}
    for s in samples:
        assert (s.ploidy["chrX"], s.ploidy["chrY"]) == ((1, 1) if s.male else (2, 0))
        assert (s.expected == [s.ploidy[c] for c in s.bins.chrom]).all()
    male = next(s for s in samples if s.male)
    plain = (male.bins.chrom == "chrX") & (male.copies == 1)
    assert (male.log2_ratio[plain] == -1).all()


@pytest.mark.parametrize("purity", [1.0, 0.6])
def test_depth_follows_copies_and_purity(purity):
    settings = replace(FLAT, pure=0.0, purity=(purity, purity), events=(40.0, 40.0), noise=(0.05, 0.05))
    sample = make_sample(settings)
    here = level_bins(sample)
    log2 = np.log2(np.maximum(sample.bins.depth, 1e-9) / np.median(sample.bins.depth[here & (sample.copies == 2)]))
    for copies in (1, 3, 4):
        altered = here & (sample.copies == copies)
        assert altered.sum() > 20
        wanted = np.log2((purity * copies + (1 - purity) * 2) / 2)
        assert sample.log2_ratio[altered] == pytest.approx(wanted, abs=1e-6)
        assert np.median(log2[altered]) == pytest.approx(wanted, abs=0.02)


@pytest.mark.parametrize("noise", [0.05, 0.15, 0.3])
@pytest.mark.parametrize("poisson", [0.1, 0.9])
def test_noise_is_what_was_asked_for(noise, poisson):
    sample = make_sample(replace(FLAT, noise=(noise, noise), poisson=(poisson, poisson)))
    here = level_bins(sample) & (sample.bins.depth > 0)
    log2 = np.log2(sample.bins.depth[here])
    assert 1.4826 * np.median(np.abs(log2 - np.median(log2))) == pytest.approx(noise, rel=0.08)


@pytest.mark.parametrize("asked", [-0.6, -0.3, 0.0, 0.3, 0.6])
@pytest.mark.parametrize("curvature", [0.0, 20.0])
def test_depth_correlates_with_gc_as_drawn(asked, curvature):
    settings = replace(
        FLAT, gc_correlation=(asked, asked), gc_curvature=(curvature, curvature), mapping_noise=(0.5, 0.5)
    )
    sample = make_sample(settings)
    here = sample.bins.mask & (sample.bins.depth > 0) & (sample.expected == 2) & (sample.bins.mappability > 0.05)
    got = np.corrcoef(np.log2(sample.bins.depth[here]), sample.bins.gc[here])[0, 1]
    assert got == pytest.approx(asked, abs=0.04)


def test_a_wave_has_its_amplitude_and_is_smooth():
    sample = make_sample(replace(FLAT, noise=(0.01, 0.01), wave=(0.15, 0.15)))
    log2 = np.log2(sample.bins.depth[level_bins(sample)])
    assert log2.std() == pytest.approx(0.15 / 2**0.5, rel=0.3)
    assert np.diff(log2).std() < 0.4 * log2.std()


def test_depth_falls_with_mappability():
    settings = replace(FLAT, mappability_power=(0.6, 0.6), mappability_floor=(0.0, 0.0))
    sample = make_sample(settings)
    whole = np.median(sample.bins.depth[level_bins(sample)])
    for low, high in ((0.2, 0.3), (0.45, 0.55), (0.7, 0.8)):
        m = sample.bins.mappability
        here = sample.bins.mask & (m >= low) & (m < high) & (sample.expected == 2)
        assert np.median(sample.bins.depth[here]) / whole == pytest.approx(((low + high) / 2) ** 0.6, abs=0.06)


def test_gc_of_1_kb_bins_is_like_that_of_a_human_chromosome():
    design = design_of(sizes={"chr1": 1}, bins=240_000)
    gc = design.gc
    assert np.nanquantile(gc, [0.01, 0.5, 0.99]) == pytest.approx([0.285, 0.40, 0.63], abs=0.03)
    for lag, wanted in ((1, 0.62), (5, 0.43), (100, 0.31), (1000, 0.19)):
        a, b = gc[:-lag], gc[lag:]
        known = np.isfinite(a) & np.isfinite(b)
        assert np.corrcoef(a[known], b[known])[0, 1] == pytest.approx(wanted, abs=0.12)
    usable = design.mappability[design.mask]
    assert np.quantile(usable, [0.05, 0.5]) == pytest.approx([0.47, 0.99], abs=0.05)
    assert 0.96 < design.mask.mean() < 0.99


def test_wide_bins_average_gc():
    narrow, wide = (np.nanstd(design_of(width=w).gc) for w in (1000, 100_000))
    assert wide < 0.8 * narrow


def test_channels_go_missing():
    design = design_of(bins=2000)
    lost = make_sample(replace(FLAT, gc_unknown=1.0, mappability_unknown=1.0), design=design)
    assert np.isnan(lost.bins.gc).all()
    assert np.isnan(lost.bins.mappability).all()
    gaps = make_sample(replace(FLAT, gc_gaps=(0.1, 0.1)), design=design)
    assert np.isnan(gaps.bins.gc[gaps.bins.mask]).mean() == pytest.approx(0.1, abs=0.03)
    assert np.isfinite(design.gc[design.mask]).all()


def test_gaps_of_the_assembly_are_masked_and_empty():
    sample = make_sample(DepthSettings())
    gap = sample.bins.mask == 0
    empty = np.isnan(design_of().gc)
    assert empty.any()
    assert (sample.bins.depth[empty] == 0).all()
    assert gap[empty].all()


def test_targets_are_uneven_and_lie_in_clusters():
    design = target_design(np.random.default_rng(0), targets=8000, off_target=150_000)
    width, on = design.end - design.start, ~design.off_target
    assert on.sum() == pytest.approx(8000, abs=20)
    assert width[on].min() >= 100
    assert width[on].max() <= 5000
    assert np.median(width[on]) == pytest.approx(200, rel=0.05)
    assert width[~on].min() >= 15_000
    assert width[~on].max() < 300_000
    only = target_design(np.random.default_rng(0), targets=8000)
    gap = (only.start[1:] - only.end[:-1])[np.diff(only.contig) == 0]
    assert (gap >= 0).all()
    assert (gap == 0).mean() == pytest.approx(0.19, abs=0.05)
    assert np.quantile(gap, 0.95) > 20 * np.median(gap)


def test_a_reference_takes_the_efficiency_of_the_kit_away():
    rng = np.random.default_rng(0)
    design = simulate_reference(rng, target_design(rng, targets=6000, off_target=150_000), FLAT)
    sample = simulate_sample(rng, design, FLAT)
    bins = sample.bins
    assert set(np.unique(bins.kind)) == {0, 1}
    for kind in (0, 1):
        here = bins.mask & (bins.kind == kind) & (bins.depth > 0) & (sample.expected == 2) & np.isfinite(bins.reference)
        log2 = np.log2(bins.depth[here])
        scatter = [1.4826 * np.median(np.abs(x - np.median(x))) for x in (log2, log2 - bins.reference[here])]
        assert scatter[0] > 0.3
        assert scatter[1] < 0.2
        assert abs(np.nanmedian(bins.reference[bins.mask & (bins.kind == kind)])) < 0.02
    assert np.nanmedian(bins.spread) == pytest.approx(0.1, abs=0.04)
    assert np.median(bins.depth[bins.kind == 1]) < np.median(bins.depth[bins.kind == 0]) / 20


def test_the_reference_is_of_two_copies_on_x_too():
    rng = np.random.default_rng(3)
    design = simulate_reference(rng, target_design(rng, targets=20_000), FLAT)
    x = np.array(design.contigs)[design.contig] == "chrX"
    assert np.nanmedian(design.reference[x] - design.efficiency[x]) == pytest.approx(0, abs=0.06)


@given(st.integers(0, 10_000), st.integers(130, 3000), st.sampled_from([200, 1000, 50_000, 1_000_000]))
def test_any_genome_gives_a_valid_sample(seed, bins, width):
    rng = np.random.default_rng(seed)
    design = genome_design(rng, width=width, bins=bins)
    sample = simulate_sample(rng, design)
    assert np.isfinite(sample.bins.depth).all()
    assert len(design) == pytest.approx(bins, rel=0.1, abs=130)
    assert (sample.copies[~sample.bins.mask & (sample.expected == 0)] == 0).all()
    assert np.isfinite(sample.log2_ratio).all()
    assert 0.3 <= sample.purity <= 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"noise": (0.3, 0.1)},
        {"noise": (0.0, 0.1)},
        {"pure": 1.5},
        {"gc_correlation": (-1.0, 0.0)},
        {"purity": (0.0, 1.0)},
    ],
)
def test_settings_that_cannot_be_are_refused(wrong):
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        DepthSettings(**wrong)


def test_designs_that_cannot_be_are_refused():
    rng = np.random.default_rng(0)
    with pytest.raises(ConfigError, match="cannot cover"):
        genome_design(rng, bins=10)
    with pytest.raises(ConfigError, match="do not fit"):
        target_design(rng, targets=1000, sizes={"chr1": 100_000})
    with pytest.raises(ConfigError, match="at least 3"):
        simulate_reference(rng, target_design(rng, targets=300), normals=2)


def test_the_source_takes_other_settings_and_says_them():
    options = {"bins": 64, "samples": 6, "size": 400, "kinds": ["genome"]}
    source = SimulatedDepth(**options, settings={"pure": 1.0, "noise": [0.05, 0.06]})
    assert source.settings.noise == (0.05, 0.06)
    assert source.settings.any_length, "what is not named stays as in training"
    assert source.describe()["settings"]["pure"] == 1.0
    assert source.describe()["config"]["settings"] == {"pure": 1.0, "noise": [0.05, 0.06]}
    with pytest.raises(ConfigError, match=r"no setting 'purty'.*purity"):
        SimulatedDepth(**options, settings={"purty": 1})


def test_events_of_any_length_are_mostly_short():
    settings = DepthSettings(events=(60.0, 60.0), any_length=True, arms=0.0, altered=0.9)
    lengths = make_sample(settings, design=design_of(bins=60_000)).events["bins"]
    assert lengths.min() <= 2
    assert lengths.max() > 100
    assert np.median(lengths) < 30
