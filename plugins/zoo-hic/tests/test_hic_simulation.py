"""A simulated contact map follows from its sequence, and edits of the sequence do what they should to it."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zoo.errors import ConfigError, DataError
from zoo_hic.simulation.contact_maps import log_observed_over_expected, oracle, simulate_contig, tune_noise
from zoo_hic.simulation.sequence import erase_sites, find_sites, invert_sites, plant
from zoo_hic.simulation.settings import MOTIF, MapSettings
from zoo_hic.simulation.structure import bin_sites, build_structure, compute_truth, drop_sites, find_loops, flip_sites

PLAIN = MapSettings(strengths=(1.0,), shares=(1.0,))
SMALL = replace(PLAIN, resolution=256)


@pytest.fixture(scope="module")
def sims():
    rng = np.random.default_rng(0)
    return [simulate_contig(rng, 512) for _ in range(12)]


def sites(*where, resolution=256):
    """A table of sites: +b a site on the + strand of bin b, -b on the other."""
    out = np.zeros(len(where), MOTIF)
    out["position"] = np.abs(where) * resolution + 100
    out["strand"] = np.sign(where)
    out["strength"], out["width"] = 1, 14
    return out


def flipped(table, length):
    out = table[::-1].copy()
    out["position"] = length - out["position"] - out["width"]
    out["strand"] *= -1
    return out


def distance_only_correlation(train, test, near, far):
    """Of a model that learned the mean log(O/E) of each diagonal, on contigs it has not seen."""
    learned = [np.nanmean(np.concatenate([np.diagonal(m, d) for m in train])) for d in range(near, far + 1)]
    x, y = [], []
    for m in test:
        for d in range(near, far + 1):
            y.append(np.diagonal(m, d))
            x.append(np.full(len(y[-1]), learned[d - near]))
    x, y = np.concatenate(x), np.concatenate(y)
    known = np.isfinite(y)
    return np.corrcoef(x[known], y[known])[0, 1]


def test_a_seed_tells_everything():
    a, b, c = (simulate_contig(np.random.default_rng(seed), 100, SMALL) for seed in (1, 1, 2))
    for name in ("codes", "motifs", "boundaries", "loops", "truth", "expected", "observed"):
        assert getattr(a, name).tobytes() == getattr(b, name).tobytes()
    assert not np.array_equal(a.observed, c.observed)


def test_shapes_types_and_symmetry(sims):
    s = sims[0]
    assert s.codes.shape == (512 * 2048,)
    assert s.codes.dtype == np.uint8
    assert set(np.unique(s.codes)) == {0, 1, 2, 3}
    assert s.truth.shape == s.observed.shape == (512, 512)
    assert s.truth.dtype == np.float32
    assert (s.truth == s.truth.T).all()
    assert (s.observed == s.observed.T).all()
    assert np.isfinite(s.truth).all()
    assert s.resolution == 2048
    assert np.isin(s.codes, [1, 2]).mean() == pytest.approx(MapSettings().gc, abs=0.005)


def test_a_window_of_128_bins_holds_4_to_8_boundaries_and_some_loops(sims):
    per_window = sum(len(s.boundaries) for s in sims) / (12 * 4)
    assert 5 < per_window < 7.5
    assert sum(len(s.loops) for s in sims) / (12 * 4) > 2
    gaps = np.concatenate([np.diff(s.boundaries) for s in sims])
    assert gaps.min() >= MapSettings().gap
    assert np.mean(np.concatenate([s.motifs["strand"] for s in sims]) > 0) == pytest.approx(0.5, abs=0.1)


def test_the_oracle_reaches_09_and_distance_alone_nothing(sims):
    first, second = np.triu_indices(512)
    maps = [s.log_oe for s in sims]
    for low, high in ((10, 128), (10, 146)):
        kept = (second - first >= low) & (second - first <= high)
        x = np.concatenate([s.truth[first[kept], second[kept]] for s in sims])
        y = np.concatenate([m[first[kept], second[kept]] for m in maps])
        assert np.corrcoef(x, y)[0, 1] == pytest.approx(0.9, abs=0.02)
        assert distance_only_correlation(maps[:6], maps[6:], low, high) == pytest.approx(0, abs=0.02)
    assert np.mean([oracle(s) for s in sims]) == pytest.approx(0.9, abs=0.03)


def test_contacts_decay_with_distance_as_asked():
    flat = replace(SMALL, insulation=0, loop=0, noise=0.0, decay=1.2, depth=1000)
    s = simulate_contig(np.random.default_rng(0), 300, flat)
    assert (s.truth == 0).all()
    for d in (1, 4, 20):
        assert np.diagonal(s.observed, d).mean() == pytest.approx(1000 * d**-1.2, rel=0.03)
    assert np.diagonal(s.observed, 4).var() == pytest.approx(np.diagonal(s.observed, 4).mean(), rel=0.3)
    noisy = simulate_contig(np.random.default_rng(0), 300, replace(flat, noise=0.3))
    near = np.diagonal(noisy.observed, 1).astype(float)
    assert near.std() / near.mean() == pytest.approx(np.sqrt(0.09 + 1 / 1000), rel=0.15)


def test_the_truth_is_log_oe_without_noise(sims):
    """The mean of O/E on each diagonal is 1, and deep counts without noise come to the truth."""
    for d in (0, 1, 7, 100):
        assert np.exp(np.diagonal(sims[0].truth, d).astype(float)).mean() == pytest.approx(1, abs=1e-5)
    s = simulate_contig(np.random.default_rng(3), 128, replace(SMALL, noise=0, depth=1e7))
    assert log_observed_over_expected(s.observed) == pytest.approx(s.truth, abs=0.05)


@pytest.mark.slow
def test_the_noise_of_the_default_settings_is_what_is_found():
    found = tune_noise(MapSettings(), rng=np.random.default_rng(0), contigs=4)
    assert MapSettings().noise == pytest.approx(found, abs=0.008)


def test_noise_is_found_for_other_settings_and_refused_where_there_is_none():
    options = {"contigs": 6, "bins": 256, "far": 64}
    found = tune_noise(replace(SMALL, insulation=1.0), 0.7, **options)
    assert found > 2 * MapSettings().noise
    assert tune_noise(replace(SMALL, insulation=1.0), 0.8, **options) < found
    with pytest.raises(ConfigError, match="raise depth"):
        tune_noise(replace(SMALL, depth=5), **options)
    with pytest.raises(ConfigError, match="oracle is 1"):
        tune_noise(SMALL, 1.0)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(5, 80), st.sampled_from([0.3, 0.5, 0.7]), st.sampled_from([0.0, 2.0, 4.0]))
def test_the_sequence_tells_what_was_planted(seed, bins, gc, decoys):
    chosen = replace(MapSettings(), resolution=512, gc=gc, decoys=decoys)
    codes, motifs = plant(np.random.default_rng(seed), bins, chosen)
    np.testing.assert_array_equal(find_sites(codes, chosen), motifs)
    assert len(np.unique(bin_sites(motifs, chosen))) == len(motifs)
    assert (motifs["position"] // 512 == (motifs["position"] + 13) // 512).all()
    again = find_sites(3 - codes[::-1], chosen)
    np.testing.assert_array_equal(again, flipped(motifs, len(codes)))


def test_strength_follows_from_mismatches_and_decoys_are_no_sites():
    chosen = MapSettings()
    codes, motifs = plant(np.random.default_rng(1), 2000, chosen)
    consensus = np.array(["ACGT".index(c) for c in chosen.motif])
    for motif in motifs:
        word = codes[motif["position"] : motif["position"] + 14]
        word = word if motif["strand"] > 0 else 3 - word[::-1]
        assert motif["strength"] == chosen.strengths[int((word != consensus).sum())]
    shares = [np.mean(motifs["strength"] == s) for s in chosen.strengths]
    assert shares == pytest.approx(chosen.shares, abs=0.13)
    near_misses = find_sites(codes, replace(chosen, strengths=(1,) * 4, shares=(0.25,) * 4))
    assert len(near_misses) > len(motifs) + 20


@pytest.mark.parametrize(
    ("where", "loops"),
    [
        ([10, -30], [(10, 30)]),
        ([-10, 30], []),
        ([10, 30], []),
        ([10, 20, -40], [(10, 40), (20, 40)]),
        ([10, -25, -40], [(10, 25), (10, 40)]),
        ([10, -20, 30, -40], [(10, 20), (10, 40), (30, 40)]),
        ([10, 20, -30, -40], [(10, 30), (20, 30), (20, 40)]),
        ([10, 20, -30, 35, -45], [(10, 30), (20, 30), (20, 45), (35, 45)]),
        ([10, -14], []),
        ([10, -80], []),
    ],
)
def test_loops_follow_extrusion(where, loops):
    assert [(int(a), int(b)) for a, b, _ in find_loops(sites(*where), SMALL)] == loops


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(5, 20), st.sampled_from([-1, 1])), min_size=1, max_size=9))
def test_turning_the_contig_round_turns_the_map_round(rows):
    here = np.cumsum([gap for gap, _ in rows])
    table = sites(*(here * [s for _, s in rows]))
    table["strength"] = np.linspace(0.5, 1, len(table))
    bins = int(here[-1]) + 3
    other = flipped(table, bins * 256)
    np.testing.assert_array_equal(np.sort(bins - 1 - bin_sites(table, SMALL)), bin_sites(other, SMALL))
    np.testing.assert_allclose(
        compute_truth(other, bins, SMALL), compute_truth(table, bins, SMALL)[::-1, ::-1], atol=1e-5, rtol=1e-5
    )
    brute = extruded(table, SMALL)
    assert {(int(a), int(b)) for a, b, _ in find_loops(table, SMALL)} == brute


def extruded(table, chosen):
    """Pairs at which the legs of a cohesin stop, for every place it may be loaded at."""
    here, strand, out = bin_sites(table, chosen), table["strand"], set()
    for place in range(len(table) + 1):
        left, right = np.flatnonzero(strand[:place] > 0), np.flatnonzero(strand[place:] < 0)
        if len(left) and len(right):
            pair = here[left[-1]], here[place + right[0]]
            if chosen.loop_distance[0] <= pair[1] - pair[0] <= chosen.loop_distance[1]:
                out.add((int(pair[0]), int(pair[1])))
    return out


def test_deleting_a_boundary_merges_its_domains():
    table = sites(20, 40, 60)
    quiet = replace(SMALL, loop=0)
    before, after = build_structure(table, 80, quiet), build_structure(drop_sites(table, 1), 80, quiet)
    inside = before[22:39, 22:39]
    across, merged = before[22:39, 42:59], after[22:39, 42:59]
    assert (inside == 0).all()
    np.testing.assert_allclose(across, -quiet.insulation, rtol=1e-6)
    assert (merged == 0).all()
    assert (after[5, 70] - before[5, 70]) == pytest.approx(quiet.insulation * (3**0.6 - 2**0.6), abs=1e-5)
    half = before[20, 30]
    assert half == pytest.approx(-quiet.insulation * 0.5**quiet.saturation)


def test_turning_one_of_a_convergent_pair_removes_the_loop_and_nothing_else():
    table = sites(20, -40, 60)
    expected = np.zeros(80)
    before = compute_truth(table, 80, SMALL, expected=expected)
    after = compute_truth(flip_sites(table, 1), 80, SMALL, expected=expected)
    assert before[20, 40] - after[20, 40] == pytest.approx(SMALL.loop)
    changed = np.argwhere(before != after)
    far = np.minimum(np.abs(changed - (20, 40)).max(1), np.abs(changed - (40, 20)).max(1))
    assert far.max() <= 4 * SMALL.loop_width
    assert (table["strand"] == [1, -1, 1]).all()


def test_edits_of_the_sequence_are_edits_of_the_table(sims):
    chosen, s = MapSettings(), sims[0]
    rng = np.random.default_rng(0)
    k = len(s.motifs) // 2
    erased = erase_sites(rng, s.codes, s.motifs[k], chosen)
    np.testing.assert_array_equal(find_sites(erased, chosen), drop_sites(s.motifs, k))
    assert (erased != s.codes).sum() <= 14
    np.testing.assert_array_equal(find_sites(invert_sites(s.codes, s.motifs[k]), chosen), flip_sites(s.motifs, k))
    every = erase_sites(rng, s.codes, s.motifs, chosen)
    assert len(find_sites(every, chosen)) == 0
    assert (compute_truth(find_sites(every, chosen), 512, chosen) == 0).all()


def test_with_the_expected_of_the_unedited_map_an_edit_stays_where_it_is(sims):
    s = sims[0]
    first = int(s.boundaries[0])
    edited = compute_truth(drop_sites(s.motifs, 0), 512, MapSettings(), expected=s.expected)
    assert (edited[first + 100 :, first + 100 :] == s.truth[first + 100 :, first + 100 :]).all()
    assert np.abs(edited - s.truth)[: first + 20, : first + 20].max() > 0.2
    np.testing.assert_array_equal(compute_truth(s.motifs, 512, MapSettings()), s.truth)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"motif": "ACGTN"}, "motif is"),
        ({"motif": "ACGTACGTACGT"}, "reverse complement"),
        ({"strengths": (1.0,)}, "one of each"),
        ({"shares": (0.5, 0.3, 0.3)}, "sum to 1"),
        ({"strengths": (1.0, 0.5, 0.0)}, "above 0"),
        ({"resolution": 50}, "resolution"),
        ({"gc": 1.0}, "gc"),
        ({"gap": 30}, "gap"),
        ({"noise": -1.0}, "noise"),
        ({"noise": float("nan")}, "noise"),
        ({"loop_distance": (20, 10)}, "loop_distance"),
        ({"decoys": 1e6}, "decoys"),
    ],
)
def test_settings_that_cannot_be_are_refused(wrong, said):
    with pytest.raises(ConfigError, match=said):
        MapSettings(**wrong)


def test_what_does_not_belong_together_is_refused():
    with pytest.raises(ConfigError, match="2 bins"):
        simulate_contig(np.random.default_rng(0), 2)
    with pytest.raises(DataError, match="its own motifs"):
        compute_truth(sites(20, 90), 80, SMALL)
    with pytest.raises(DataError, match="one a diagonal"):
        compute_truth(sites(20), 80, SMALL, expected=np.zeros(3))
    with pytest.raises(DataError, match="no sequence"):
        find_sites(np.full(40, 7), SMALL)
    assert len(find_sites(np.zeros(3, np.uint8), SMALL)) == 0
    assert len(find_sites(np.full(400, 4), SMALL)) == 0
