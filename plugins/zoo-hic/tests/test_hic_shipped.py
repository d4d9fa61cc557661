"""The published model, on simulated contigs that it has never seen: what it predicts, and what edits do to it."""

import json

import numpy as np
import pytest
import torch

import zoo
from zoo.errors import ConfigError
from zoo.hub.golden import check_golden
from zoo.hub.loader import pull
from zoo_hic.predictor import Predictor
from zoo_hic.simulation.contact_maps import simulate_contig
from zoo_hic.simulation.sequence import erase_sites, invert_sites
from zoo_hic.simulation.settings import MapSettings
from zoo_hic.simulation.structure import compute_truth, drop_sites, flip_sites

NAME = "hic-simulated"
SETTINGS = MapSettings(resolution=1024)
BINS = 128


@pytest.fixture(scope="module")
def predictor():
    return Predictor.of(zoo.load(NAME))


@pytest.fixture(scope="module")
def contig():
    return simulate_contig(np.random.default_rng(20_261), 512, SETTINGS)


def window(contig, site):
    """First bin of a window with the site in its middle."""
    at = int(site["position"]) // contig.resolution
    return min(max(at - BINS // 2, 0), 512 - BINS), at


def predicted(predictor, codes, first):
    return predictor.maps(codes[first * 1024 : (first + BINS) * 1024][None])[0, 0]


def test_it_is_small_and_its_golden_outputs_are_met():
    folder = pull(NAME)
    assert check_golden(zoo.load(NAME), folder) <= 1e-5
    assert sum(f.stat().st_size for f in folder.rglob("*")) < 3_000_000
    spec = json.loads((folder / "config.json").read_text())
    rows = {r["predictor"]: r for r in spec["metrics"] if r["metric"] == "pearson"}
    assert rows[NAME]["low"] > 0.7
    assert rows[NAME]["n"] == rows["mean map"]["n"] == 32
    assert abs(rows["mean map"]["value"]) < 0.05, "distance and place in the window explain nothing"


def test_a_contig_that_it_has_never_seen_is_predicted_and_distance_alone_is_not(predictor, contig):
    starts = range(0, 512, BINS)
    found = np.concatenate([predicted(predictor, contig.codes, s)[np.triu_indices(BINS, 10)] for s in starts])
    observed = np.concatenate([contig.log_oe[s : s + BINS, s : s + BINS][np.triu_indices(BINS, 10)] for s in starts])
    truth = np.concatenate([contig.truth[s : s + BINS, s : s + BINS][np.triu_indices(BINS, 10)] for s in starts])
    known = np.isfinite(found) & np.isfinite(observed)
    assert np.corrcoef(found[known], observed[known])[0, 1] > 0.75
    assert np.corrcoef(found[known], truth[known])[0, 1] > 0.83


@pytest.mark.slow
def test_erasing_a_boundary_site_merges_its_domains(predictor, contig):
    """Across strong boundaries contacts rise where the truth says, and by about as much."""
    rng, changes = np.random.default_rng(0), []
    strong = np.flatnonzero(contig.motifs["strength"] == 1)
    for index in strong[2:-2][:8]:
        first, at = window(contig, contig.motifs[index])
        gone = erase_sites(rng, contig.codes, contig.motifs[index : index + 1], SETTINGS)
        after = predicted(predictor, gone, first) - predicted(predictor, contig.codes, first)
        truth = compute_truth(drop_sites(contig.motifs, index), 512, SETTINGS, expected=contig.expected) - contig.truth
        middle = at - first
        across = np.ix_(range(middle - 6, middle - 1), range(middle + 2, middle + 7))
        changes.append((np.nanmean(after[across]), truth[first : first + BINS, first : first + BINS][across].mean()))
    found, truth = np.array(changes).T
    assert len(found) == 8
    assert (truth > 0.1).all()
    assert (found > 0).mean() >= 7 / 8
    assert found.mean() > 0.5 * truth.mean()


@pytest.mark.slow
def test_turning_one_site_of_a_convergent_pair_removes_the_loop(predictor, contig):
    drops, kept = [], []
    for loop in contig.loops[contig.loops["strength"] > 0.7]:
        apart = int(loop["second"] - loop["first"])
        if not 12 <= apart <= 60:
            continue
        bins = contig.boundaries
        index = int(np.flatnonzero(bins == loop["first"])[0])
        first = min(max(int(loop["first"] + loop["second"]) // 2 - BINS // 2, 0), 512 - BINS)
        a, b = int(loop["first"]) - first, int(loop["second"]) - first
        other = invert_sites(contig.codes, contig.motifs[index : index + 1])
        after = predicted(predictor, other, first) - predicted(predictor, contig.codes, first)
        truth = compute_truth(flip_sites(contig.motifs, index), 512, SETTINGS, expected=contig.expected) - contig.truth
        if truth[loop["first"], loop["second"]] < -0.4:
            drops.append(after[a, b])
            kept.append(np.nanmean(np.abs(np.diagonal(after, 4))))
    assert len(drops) >= 4
    assert np.mean(drops) < -0.3
    assert np.mean(np.array(drops) < 0) >= 0.9
    assert np.mean(kept) < 0.15, "the boundary itself stays"


def test_the_other_strand_gives_the_same_map_turned_round(predictor, contig):
    codes = contig.codes[: BINS * 1024]
    here = predictor.maps(codes[None])[0, 0]
    there = predictor.maps((3 - codes)[::-1].copy()[None])[0, 0]
    known = np.isfinite(here)
    np.testing.assert_allclose(there[::-1, ::-1][known], here[known], atol=1e-4)


def overflowing():
    """Weights that are finite, and maps that are not."""
    model = zoo.load(NAME)
    with torch.no_grad():
        for x in model.parameters():
            x *= 1e30
    return model


def test_a_map_that_is_not_finite_is_no_map(contig):
    assert np.isnan(predicted(Predictor.of(overflowing()), contig.codes, 0)).all()


@pytest.mark.parametrize(
    "data",
    [
        {"config": "x"},
        {"config": {"windows": [1]}},
        {"pairs": {"nearest_bins": "far"}},
        {"preprocessing": 7, "pairs": 3},
    ],
)
def test_a_card_that_describes_no_maps_is_a_sentence_or_is_not_minded(data):
    model = zoo.load(NAME)
    model.spec = model.spec.replace(data=data)
    try:
        Predictor.of(model)
    except ConfigError as error:
        assert "does not describe its maps" in str(error)  # noqa: PT017
