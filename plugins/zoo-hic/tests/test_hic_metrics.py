"""Metrics of contact maps: equal to the field's own tools, right on planted truth, honest where there is nothing."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.sparse import coo_matrix
from scipy.stats import pearsonr, spearmanr

from zoo.errors import ConfigError, DataError, GenomeMismatch
from zoo_hic.expected import expand_expected, pool_expected
from zoo_hic.metrics.bands import cut_band, cut_bands, diagonals
from zoo_hic.metrics.boundaries import boundaries, li_threshold, overlap, strong_boundaries
from zoo_hic.metrics.distance import (
    by_diagonal,
    correlations,
    pearson_curve,
    shift_null,
)
from zoo_hic.metrics.insulation import insulation, insulation_correlation, insulation_tracks
from zoo_hic.metrics.pairs import enrichment, read_pairs
from zoo_hic.metrics.stratum import stratum_adjusted_correlation
from zoo_hic.metrics.summary import compare_maps, lines
from zoo_hic.metrics.transfer import transfer, transfer_lines
from zoo_hic.simulation.contact_maps import simulate_contig
from zoo_hic.simulation.settings import MapSettings

RESOLUTION = 2048
NEAR = (2 * RESOLUTION, 40 * RESOLUTION)
SHALLOW = MapSettings(depth=60.0, noise=0.2)


@pytest.fixture(scope="module")
def contigs():
    """Shallow maps, so that many pixels have no contact."""
    rng = np.random.default_rng(7)
    sims = {f"chr{k}": simulate_contig(rng, bins, SHALLOW) for k, bins in enumerate((180, 240), 1)}
    assert all((s.observed == 0).mean() > 0.3 for s in sims.values())
    return sims


@pytest.fixture(scope="module")
def replicates(contigs):
    """Two binomial halves of the counts of each contig."""
    rng = np.random.default_rng(8)
    out = ({}, {})
    for contig, sim in contigs.items():
        first = np.triu(rng.binomial(sim.observed, 0.5))
        second = np.triu(sim.observed) - first
        for maps, upper in zip(out, (first, second), strict=True):
            maps[contig] = (upper + np.triu(upper, 1).T).astype(float)
    return out


@pytest.fixture(scope="module")
def deep():
    """Observed log(O/E) and truth of the default simulation."""
    rng = np.random.default_rng(1)
    sims = {f"chr{k}": simulate_contig(rng, 300) for k in range(3)}
    return {c: s.log_oe for c, s in sims.items()}, {c: s.truth.astype(float) for c, s in sims.items()}, sims


def symmetric(upper):
    return np.triu(upper) + np.triu(upper, 1).T


def noise_map(rng, bins):
    return symmetric(rng.standard_normal((bins, bins)))


def write_cool(path, maps, weights=None):
    cooler = pytest.importorskip("cooler")
    pd = pytest.importorskip("pandas")
    bins, pixels, first = [], [], 0
    for contig, square in maps.items():
        n = len(square)
        at = np.arange(n)
        table = {"chrom": contig, "start": at * RESOLUTION, "end": (at + 1) * RESOLUTION}
        if weights is not None:
            table["weight"] = weights[contig]
        bins.append(pd.DataFrame(table))
        i, j = np.nonzero(np.triu(square))
        pixels.append(pd.DataFrame({"bin1_id": i + first, "bin2_id": j + first, "count": square[i, j].astype(int)}))
        first += n
    cooler.create_cooler(str(path), pd.concat(bins, ignore_index=True), pd.concat(pixels, ignore_index=True))
    return cooler.Cooler(str(path))


@pytest.mark.parametrize("h", [0, 1, 5])
@pytest.mark.parametrize("distance", [20 * RESOLUTION, 100 * RESOLUTION + 17, 10_000 * RESOLUTION])
def test_scc_is_that_of_hicrep(replicates, h, distance):
    """The steps of `hicrepSCC`, which itself fails with pandas 3, on the same counts."""
    utils = pytest.importorskip("hicrep.utils")
    hicrep = pytest.importorskip("hicrep.hicrep")
    total = [sum(m.sum() for m in maps.values()) for maps in replicates]
    theirs = []
    for contig, square in replicates[0].items():
        last = min(distance // RESOLUTION + 1, len(square))
        pair = []
        for maps, n in zip(replicates, total, strict=True):
            m = utils.trimDiags(coo_matrix(np.triu(maps[contig])), last, False).astype(float) / n
            pair.append(utils.meanFilterSparse(m, h) if h else m)
        theirs.append(hicrep.sccByDiag(*pair, last))
    ours = stratum_adjusted_correlation(*replicates, RESOLUTION, distance, h, draws=0)
    assert list(ours.by_contig.values()) == pytest.approx(theirs, abs=1e-9)
    assert np.abs(theirs).min() > 0.05


@pytest.mark.parametrize("window", [3, 10])
@pytest.mark.parametrize("ignore", [0, 2])
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_insulation_and_boundaries_are_those_of_cooltools(contigs, tmp_path, window, ignore):
    cooltools = pytest.importorskip("cooltools")
    rng = np.random.default_rng(3)
    raw = {c: s.observed for c, s in contigs.items()}
    weights = {c: np.where(rng.random(len(m)) < 0.06, np.nan, rng.uniform(0.5, 1.5, len(m))) for c, m in raw.items()}
    theirs = cooltools.insulation(
        write_cool(tmp_path / "a.cool", raw, weights), [window * RESOLUTION], ignore_diags=ignore, threshold="Li"
    )
    balanced = {c: m * np.outer(weights[c], weights[c]) for c, m in raw.items()}
    tracks = insulation_tracks(balanced, window, ignore=ignore)
    most = max(valid.max() for _, valid in tracks.values())
    strong = strong_boundaries(tracks)
    for contig, (score, valid) in tracks.items():
        table = theirs[theirs["chrom"] == contig]
        np.testing.assert_allclose(
            score, table[f"log2_insulation_score_{window * RESOLUTION}"], atol=1e-9, equal_nan=True
        )
        np.testing.assert_array_equal(valid, table[f"n_valid_pixels_{window * RESOLUTION}"])
        bins, prominence = boundaries(score, valid, most=most)
        strength = np.full(len(score), np.nan)
        strength[bins] = prominence
        np.testing.assert_allclose(strength, table[f"boundary_strength_{window * RESOLUTION}"], atol=1e-9)
        np.testing.assert_array_equal(strong[contig], np.flatnonzero(table[f"is_boundary_{window * RESOLUTION}"]))
        assert len(strong[contig]) > 2


@given(arrays(float, st.integers(2, 40), elements=st.floats(0, 100)))
def test_li_threshold_is_that_of_scikit_image(values):
    filters = pytest.importorskip("skimage.filters")
    values = np.round(values, 3)
    assert li_threshold(values) == pytest.approx(float(filters.threshold_li(values.copy())), abs=1e-6)


def test_correlations_are_those_of_scipy(deep):
    observed, truth, _ = deep
    got = correlations(cut_bands(truth, observed, RESOLUTION, NEAR), draws=50)
    at = [np.subtract.outer(np.arange(300), np.arange(300)) for _ in truth]
    x, y = (
        np.concatenate([m[c][(-d >= 2) & (-d <= 40)] for c, d in zip(truth, at, strict=True)])
        for m in (truth, observed)
    )
    known = np.isfinite(y)
    assert got["pearson"].n == known.sum()
    assert got["pearson"].value == pytest.approx(pearsonr(x[known], y[known]).statistic, abs=1e-9)
    assert got["spearman"].value == pytest.approx(spearmanr(x[known], y[known]).statistic, abs=1e-9)
    assert got["pearson"].low < got["pearson"].value < got["pearson"].high


def test_distances_are_diagonals_with_both_ends():
    assert diagonals(10_000, (20_000, 300_000)) == (2, 30)
    assert diagonals(2_048, (20_000, 300_000)) == (10, 146)
    assert diagonals(10_000, (0, 0)) == (0, 0)
    square = symmetric(np.arange(25.0).reshape(5, 5))
    band = cut_band(square, 1, 6)
    assert band.shape == (6, 5)
    assert band[0, :4].tolist() == [1, 7, 13, 19]
    assert np.isnan(band[0, 4])
    assert np.isnan(band[4:]).all()


def test_curve_is_the_pearson_of_each_diagonal_over_all_contigs(deep):
    observed, truth, _ = deep
    got = pearson_curve(cut_bands(truth, observed, RESOLUTION, NEAR))
    assert got.distances.tolist() == [d * RESOLUTION for d in range(2, 41)]
    for k in (0, 20, 38):
        x, y = (np.concatenate([np.diagonal(m[c], 2 + k) for c in m]) for m in (truth, observed))
        assert got.pearson[k] == pytest.approx(pearsonr(x, y).statistic, abs=1e-9)
        assert got.n[k] == 3 * (298 - k)


def test_a_correlation_that_lies_between_distances_is_not_in_the_diagonals():
    """Both maps follow distance and nothing else in common: the pooled figure is high, that of diagonals is 0."""
    rng = np.random.default_rng(0)
    at = np.abs(np.subtract.outer(np.arange(300), np.arange(300))) / 20
    bands = cut_bands({"a": noise_map(rng, 300) - at}, {"a": noise_map(rng, 300) - at}, 1000, (2000, 60_000))
    assert correlations(bands, draws=0)["pearson"].value > 0.3
    assert by_diagonal(bands, draws=0).value == pytest.approx(0, abs=0.03)


def test_distance_alone_wins_on_contacts_and_has_nothing_on_log_oe(deep):
    observed, _, sims = deep
    contacts = {c: s.observed.astype(float) for c, s in sims.items()}
    means = pool_expected(contacts.values())
    assert means[5] == pytest.approx(np.mean([np.diagonal(m, 5).mean() for m in contacts.values()]))
    alone = {c: expand_expected(means, len(m)) for c, m in contacts.items()}
    got = correlations(cut_bands(alone, contacts, RESOLUTION, NEAR), draws=50)
    assert got["pearson"].value > 0.9
    logs = [{c: np.log(np.where(m > 0, m, np.nan)) for c, m in maps.items()} for maps in (alone, contacts)]
    assert correlations(cut_bands(*logs, RESOLUTION, NEAR), draws=50)["pearson"].value > 0.9
    flat = {c: np.zeros_like(m) for c, m in observed.items()}
    nothing = correlations(cut_bands(flat, observed, RESOLUTION, NEAR), draws=50)
    assert np.isnan([nothing["pearson"].value, nothing["spearman"].value]).all()


def test_the_interval_covers_the_truth_about_as_often_as_it_says():
    """Bins with an effect of their own make pixels dependent: an interval over pixels would be far too narrow."""
    rng, hits, widths = np.random.default_rng(2), 0, []
    for _ in range(60):
        maps = []
        for _ in range(2):
            bins = rng.standard_normal(240)
            maps.append({"a": np.add.outer(bins, bins)})
        got = correlations(cut_bands(*maps, 1000, (2000, 10_000)), draws=200)["pearson"]
        hits += got.low <= 0 <= got.high
        widths.append(got.high - got.low)
    assert 0.8 <= hits / 60 <= 1
    assert np.mean(widths) > 2 * 2 * 1.96 / np.sqrt(240 * 9)


def test_the_shift_null_is_fair_on_smooth_maps_and_finds_what_is_there(deep):
    observed, truth, _ = deep
    p = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        maps = []
        for _ in range(2):
            track = np.convolve(rng.standard_normal(230), np.ones(15), "same")[15:215]
            maps.append({"a": np.add.outer(track, track)})
        p.append(shift_null(cut_bands(*maps, 1000, (2000, 20_000)), draws=200).p)
    assert np.mean(np.array(p) <= 0.1) <= 0.25
    assert 0.3 < np.mean(p) < 0.7
    got = shift_null(cut_bands(truth, observed, RESOLUTION, NEAR), draws=200)
    assert got.p == pytest.approx(1 / 201)
    assert got.value == pytest.approx(correlations(cut_bands(truth, observed, RESOLUTION, NEAR))["pearson"].value)


def test_the_shift_null_is_that_of_shifted_maps():
    rng = np.random.default_rng(0)
    x, y = (noise_map(rng, 24) for _ in range(2))
    x[5] = x[:, 5] = np.nan
    bands = cut_bands({"a": x}, {"a": y}, 1, (2, 6))
    a, b = bands.predicted[0], bands.observed[0]
    every = []
    for s in range(1, 24):
        moved = np.roll(a, -s, 1)
        known = np.isfinite(moved) & np.isfinite(b)
        every.append(pearsonr(moved[known], b[known]).statistic)
    got = shift_null(bands, draws=4000)
    assert got.mean == pytest.approx(np.mean(every), abs=4 * np.std(every) / np.sqrt(4000))
    assert got.spread == pytest.approx(np.std(every), rel=0.06)


def test_insulation_dips_at_planted_boundaries():
    square = np.full((60, 60), 1.0)
    for first, last in ((0, 20), (20, 45), (45, 60)):
        square[first:last, first:last] = 4.0
    score, valid = insulation(square, 6)
    dips = np.array([19, 20, 44, 45])
    assert (score[dips] < -1).all()
    assert np.delete(score, dips).min() > score[dips].max()
    assert valid.max() == 6 * 6 - 3
    assert valid[0] < valid[30]


def test_boundaries_of_the_truth_are_those_planted_and_chance_is_lower(deep):
    _, truth, sims = deep
    found = strong_boundaries(insulation_tracks({c: np.exp(m) for c, m in truth.items()}, 8))
    planted = {c: s.boundaries for c, s in sims.items()}
    got = overlap(found, planted, dict.fromkeys(truth, 300), tolerance=1, draws=200)
    assert got.share.value > 0.85
    assert got.chance < 0.35
    assert got.p < 0.01
    back = overlap(planted, found, dict.fromkeys(truth, 300), tolerance=1, draws=200)
    assert back.share.n == sum(map(len, planted.values()))
    rng = np.random.default_rng(0)
    random = {c: np.sort(rng.choice(300, 15, replace=False)) for c in truth}
    assert overlap(random, planted, dict.fromkeys(truth, 300), draws=200).p > 0.02


def test_overlap_counts_what_is_within_the_tolerance_and_not_round_the_end():
    got = overlap({"a": np.array([0, 10, 50])}, {"a": np.array([12, 99])}, {"a": 100}, tolerance=2, draws=10)
    assert got.share.value == pytest.approx(1 / 3)
    assert overlap({"a": np.array([0, 10])}, {"a": np.array([13])}, {"a": 100}, tolerance=2).share.value == 0
    assert np.isnan(overlap({"a": np.array([], int)}, {"a": np.array([1])}, {"a": 9}).share.value)


def test_enrichment_finds_planted_pairs_and_not_random_ones():
    rng = np.random.default_rng(5)
    square = noise_map(rng, 200)
    at = np.abs(np.subtract.outer(np.arange(200), np.arange(200)))
    square -= at / 50
    pairs = np.array([(i, i + d) for i, d in zip(rng.integers(0, 150, 40), rng.integers(5, 50, 40), strict=True)])
    assert enrichment({"a": square}, {"a": pairs}).p > 0.05
    square[pairs[:, 0], pairs[:, 1]] += 0.8
    square = symmetric(square)
    got = enrichment({"a": square}, {"a": pairs, "b": pairs})
    assert got.excess.value == pytest.approx(0.8, abs=0.4)
    assert got.excess.low > 0
    assert got.p < 0.01
    assert got.at_pairs - got.matched == pytest.approx(got.excess.value)
    assert got.matched == pytest.approx(-np.diff(pairs).mean() / 50, abs=0.1)
    square[pairs[0, 0]] = square[:, pairs[0, 0]] = np.nan
    fewer = enrichment({"a": square}, {"a": pairs})
    assert fewer.left_out >= 1
    assert fewer.excess.n == len(pairs) - fewer.left_out


def test_a_cell_type_that_shares_nothing_does_not_transfer():
    rng = np.random.default_rng(4)
    own = {n: [noise_map(rng, 160) for _ in range(2)] for n in "ab"}
    both = [noise_map(rng, 160) for _ in range(2)]
    truth = {n: {f"c{k}": both[k] + 0.7 * own[n][k] for k in range(2)} for n in "ab"}
    observed = {n: {c: m + 0.5 * noise_map(rng, 160) for c, m in maps.items()} for n, maps in truth.items()}
    got = transfer(truth, observed, 1000, distances=(2000, 20_000), draws=200)
    assert got.table["a"]["a"].value > got.table["a"]["b"].value > 0.4
    assert got.lost["a"]["b"].low > 0
    assert got.specific["a", "b"].low > 0.4
    assert any("from a to b" in line and "does not transfer" in line for line in transfer_lines(got))

    blind = {n: {f"c{k}": both[k] for k in range(2)} for n in "ab"}
    same = transfer(blind, observed, 1000, distances=(2000, 20_000), draws=200)
    assert same.lost["a"]["b"].value == pytest.approx(0, abs=1e-12)
    assert np.isnan(same.specific["a", "b"].value)
    assert same.alike["a", "b"].value > 0.3


def test_the_table_has_baseline_and_ceiling_beside_every_figure(deep):
    observed, truth, _ = deep
    rng = np.random.default_rng(0)
    again = {c: symmetric(m + rng.normal(0, 0.2, m.shape)) for c, m in truth.items()}
    rows = compare_maps(truth, observed, RESOLUTION, distances=NEAR, ceiling=again, draws=100)
    by_name = {r.name.split(",")[0]: r for r in rows}
    assert list(by_name)[:3] == ["Pearson log(O/E)", "Spearman log(O/E)", "mean Pearson of a diagonal"]
    first = rows[0]
    assert first.value > 0.8
    assert first.baseline == 0
    assert first.low < first.value < first.high
    assert first.p == pytest.approx(1 / 101)
    assert all(np.isfinite([r.value, r.baseline, r.ceiling]).all() for r in rows)
    assert rows[0].ceiling < rows[0].value
    text = lines(rows)
    assert len(text) == len(rows) + 1
    assert len({len(line) for line in text}) == 1

    expected = 100 / np.maximum(np.arange(300), 0.5)
    with_contacts = compare_maps(truth, observed, RESOLUTION, distances=NEAR, expected=expected, draws=20)
    contacts = next(r for r in with_contacts if r.name.startswith("Pearson contacts"))
    assert contacts.baseline > 0.8
    assert contacts.value > contacts.baseline
    assert np.isnan(contacts.ceiling)


@pytest.mark.parametrize("prediction", ["nothing", "constant", "distance", "unknown"])
def test_a_prediction_of_nothing_is_told_so(deep, prediction):
    observed, _, _ = deep
    at = np.abs(np.subtract.outer(np.arange(300), np.arange(300)))
    flat = {"nothing": at * 0.0, "constant": at * 0 + 0.1, "distance": -at / 40, "unknown": at * np.nan}[prediction]
    rows = compare_maps(dict.fromkeys(observed, flat), observed, RESOLUTION, distances=NEAR, draws=40)
    pearson, _, diagonal = rows[:3]
    assert np.isnan(diagonal.value)
    assert np.isnan(pearson.value) if prediction != "distance" else abs(pearson.value) < 0.1
    for r in rows:
        assert np.isnan(r.value) or abs(r.value) < 0.6, r
    assert lines(rows)


@st.composite
def two_maps(draw):
    bins = draw(st.integers(12, 40))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    a, b = noise_map(rng, bins), noise_map(rng, bins)
    b += draw(st.sampled_from([0.0, 1.0])) * a
    for square in (a, b):
        masked = rng.random(bins) < draw(st.sampled_from([0.0, 0.15]))
        square[masked] = np.nan
        square[:, masked] = np.nan
    return a, b


def every_figure(a, b):
    bands = cut_bands({"a": a}, {"a": b}, 1, (1, 8))
    got = [f.value for f in correlations(bands, draws=0).values()]
    got += [by_diagonal(bands, draws=0).value, *pearson_curve(bands).pearson]
    o, e = {"a": np.exp(a)}, {"a": np.exp(b)}
    got += [stratum_adjusted_correlation(o, e, 1, 8, h, draws=0).scc.value for h in (0, 2)]
    scores = [{c: s for c, (s, _) in insulation_tracks(m, 4).items()} for m in (o, e)]
    return np.array([*got, insulation_correlation(*scores, 10, draws=0).value])


@settings(max_examples=40, deadline=None)
@given(two_maps())
def test_turning_both_maps_round_changes_nothing(maps):
    a, b = maps
    np.testing.assert_allclose(every_figure(a, b), every_figure(a[::-1, ::-1], b[::-1, ::-1]), atol=1e-9)
    score, valid = insulation(np.exp(a), 4)
    turned = insulation(np.exp(a[::-1, ::-1]), 4)
    np.testing.assert_allclose(turned[0][::-1], score, atol=1e-9)
    bins, prominence = boundaries(score, valid)
    back, turned_prominence = boundaries(*turned)
    np.testing.assert_array_equal(np.sort(len(a) - 1 - back), bins)
    np.testing.assert_allclose(turned_prominence[::-1], prominence, atol=1e-9)


@settings(max_examples=40, deadline=None)
@given(two_maps())
def test_a_map_with_itself_is_1_and_the_order_of_two_does_not_matter(maps):
    a, b = maps
    own = every_figure(a, a)
    np.testing.assert_allclose(own[np.isfinite(own)], 1, atol=1e-9)
    assert np.isfinite(own[:3]).all()
    np.testing.assert_allclose(every_figure(a, b), every_figure(b, a), atol=1e-9)
    known = every_figure(a, b)
    assert (np.abs(known[np.isfinite(known)]) <= 1 + 1e-12).all()


@settings(max_examples=30, deadline=None)
@given(two_maps(), st.floats(0.01, 100), st.floats(-50, 50))
def test_scale_and_level_of_a_prediction_do_not_matter(maps, scale, level):
    a, b = maps
    was, now = (correlations(cut_bands({"a": m}, {"a": b}, 1, (1, 8)), draws=0) for m in (a, scale * a + level))
    assert now["pearson"].value == pytest.approx(was["pearson"].value, abs=1e-7)


def test_a_masked_bin_is_left_out_of_both():
    rng = np.random.default_rng(0)
    a, b = noise_map(rng, 50), noise_map(rng, 50)
    b[10] = b[:, 10] = np.nan
    wild = a.copy()
    wild[10] = wild[:, 10] = 1e6
    np.testing.assert_allclose(every_figure(a, b)[:-1], every_figure(np.where(np.isnan(b), np.nan, wild), b)[:-1])
    assert cut_bands({"a": wild}, {"a": b}, 1, (1, 8)).pixels == cut_bands({"a": a}, {"a": b}, 1, (1, 8)).pixels
    x, y = (stratum_adjusted_correlation({"a": m}, {"a": b}, 1, 8, 2, draws=0).scc.value for m in (a, wild))
    assert x == pytest.approx(y)


def test_maps_that_do_not_fit_are_refused():
    a, b = np.zeros((20, 20)), np.zeros((21, 21))
    with pytest.raises(DataError, match="20 bins predicted and 21 observed"):
        cut_bands({"a": a}, {"a": b}, 1000, (0, 5000))
    with pytest.raises(DataError, match="not observed"):
        cut_bands({"a": a}, {"b": a}, 1000, (0, 5000))
    with pytest.raises(DataError, match="symmetric"):
        cut_bands({"a": np.triu(a + 1)}, {"a": a}, 1000, (0, 5000))
    with pytest.raises(ConfigError, match="no diagonal"):
        cut_bands({"a": a}, {"a": a}, 10_000, (1000, 9000))
    with pytest.raises(DataError, match="not in the observed map"):
        compare_maps({"a": a}, {"b": a}, 1000)
    with pytest.raises(ConfigError, match="window"):
        compare_maps({"a": a}, {"a": a}, 1000, distances=(2000, 9000), window=2500)
    with pytest.raises(ConfigError, match="same names"):
        transfer({"a": {"c": a}}, {"a": {"c": a}}, 1000)
    with pytest.raises(DataError, match="first below second"):
        enrichment({"a": a}, {"a": np.array([[3, 20]])})
    with pytest.raises(ConfigError, match="no contig"):
        enrichment({"a": a}, {"b": np.array([[3, 5]])})


def test_pairs_are_read_as_bins_of_their_middles(tmp_path):
    path = tmp_path / "pairs.bed2d"
    path.write_text(
        "# peaks\nchr1\t16000\t18000\tchr1\t26000\t28000\nchr1 26000 28000 chr1 16000 18000 7\n\nchr1 0 2 chr1 1 3\n"
    )
    got = read_pairs(path, {"chr1": 27_500}, 2000)
    assert {c: p.tolist() for c, p in got.items()} == {"chr1": [[8, 13]]}
    for line, error, said in (
        ("chr1 1 2", DataError, "no pair"),
        ("chr1 1 x chr1 3 4", DataError, "no pair"),
        ("chr1 1 2 chr2 3 4", DataError, "one contig"),
        ("chrX 1 2 chrX 3 4", GenomeMismatch, "chrX"),
        ("chr1 1 2 chr1 30000 40000", DataError, "half-open"),
        ("chr1 5 5 chr1 7 8", DataError, "half-open"),
    ):
        path.write_text(line + "\n")
        with pytest.raises(error, match=said):
            read_pairs(path, {"chr1": 27_500, "chr2": 9}, 2000)
    with pytest.raises(DataError, match="no file"):
        read_pairs(tmp_path, {"chr1": 1}, 2000)


@pytest.mark.parametrize(
    "bad",
    [
        "chr1 1 2",
        "chr1 1 x chr1 3 4",
        "chr1 1 2 chr2 3 4",
        "chrX 1 2 chrX 3 4",
        "chr1 1 2 chr1 300000 400000",
        "chr1 5 5 chr1 7 8",
        "chr1 9 5 chr1 7 8",
        "chr1 -1 5 chr1 7 8",
        "chr1 " + "9" * 5000 + " 5 chr1 7 8",
    ],
)
def test_one_bad_pair_among_hundred_is_left_out_with_a_note(tmp_path, bad):
    path, notes = tmp_path / "loops.bedpe", []
    good = [f"chr1 {2000 * i} {2000 * i + 1} chr1 {2000 * i + 2000} {2000 * i + 2001}" for i in range(100)]
    path.write_text("\n".join([*good[:50], bad, *good[50:]]))
    pairs = read_pairs(path, {"chr1": 300_000, "chr2": 9}, 2000, notes)
    assert pairs["chr1"].tolist() == [[i, i + 1] for i in range(100)]
    assert len(notes) == 1
    assert "1 of 101 lines of loops.bedpe are left out, the first: loops.bedpe line 51" in notes[0]
