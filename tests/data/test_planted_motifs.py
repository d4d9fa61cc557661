import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from zoo.data.codes import reverse_complement
from zoo.data.motif_pair import Pair
from zoo.data.motifs import Motif, best_hits, get_motif
from zoo.data.planted_motifs import activity, background, profile_counts, simulate
from zoo.errors import ConfigError


def fixed(letters, name):
    """A motif that is always the same site."""
    counts = np.zeros((4, len(letters)))
    counts[["ACGT".index(x) for x in letters], range(len(letters))] = 1
    return Motif(name, name, counts)


FIRST, SECOND = fixed("ACCGTTTGCA", "first"), fixed("GGATACCA", "second")


def sites_read(simulation, motifs):
    truth = simulation.truth
    for row, index, start, end, strand in zip(
        *(truth[c] for c in ("row", "index", "start", "end", "strand")), strict=True
    ):
        site = simulation.codes[row, start:end]
        yield motifs[index].counts.argmax(0), reverse_complement(site) if strand == "-" else site


def test_every_planted_site_stands_where_the_truth_says_on_its_strand():
    motifs = [FIRST, SECOND]
    simulation = simulate(motifs, 300, length=80, sites=2, seed=1)
    checked = 0
    for expected, found in sites_read(simulation, motifs):
        assert (expected == found).all()
        checked += 1
    assert checked == 2 * simulation.labels.sum() == 600
    assert set(simulation.truth["strand"]) == {"+", "-"}


def test_planted_sites_of_a_row_do_not_overlap_and_lie_inside():
    truth = simulate([FIRST, SECOND], 400, length=40, sites=2, positives=1.0, seed=2).truth
    same_row = truth["row"][1:] == truth["row"][:-1]
    assert (truth["start"][1:] >= truth["end"][:-1])[same_row].all()
    assert truth["start"].min() >= 0
    assert truth["end"].max() <= 40


def test_planted_sites_lie_anywhere():
    truth = simulate([FIRST], 5_000, length=100, positives=1.0, seed=3).truth
    assert np.bincount(truth["start"], minlength=91).min() > 20
    assert abs((truth["strand"] == "+").mean() - 0.5) < 0.03


def test_the_scan_finds_the_planted_site():
    motif = get_motif("CTCF")
    simulation = simulate([motif], 400, positives=1.0, seed=4)
    _, start, strand = best_hits(motif.log_odds(), simulation.codes)
    right = (start == simulation.truth["start"]) & (strand == simulation.truth["strand"])
    assert right.mean() > 0.93


@pytest.mark.parametrize("decoys", ["shuffled", "scattered"])
def test_decoys_leave_base_composition_without_information(decoys):
    simulation = simulate([get_motif("CTCF")], 6_000, gc=0.3, decoys=decoys, seed=5)
    for bases in ((1, 2), (0, 1), (1, 3)):
        share = np.isin(simulation.codes, bases).mean(1)
        assert abs(roc_auc_score(simulation.labels[:, 0], share) - 0.5) < 0.025


def test_without_decoys_base_composition_tells_the_label():
    simulation = simulate([get_motif("CTCF")], 2_000, gc=0.3, decoys="none", seed=5)
    assert roc_auc_score(simulation.labels[:, 0], np.isin(simulation.codes, (1, 2)).mean(1)) > 0.65


def test_labels_are_balanced_exactly_and_independent_between_motifs():
    labels = simulate([FIRST, SECOND], 2_000, positives=0.3, seed=6).labels
    assert labels.sum(0).tolist() == [600, 600]
    assert abs(np.corrcoef(labels.T)[0, 1]) < 0.06


def test_the_background_has_the_gc_or_the_transitions_asked_for():
    rng = np.random.default_rng(0)
    assert abs(np.isin(background(200, 500, gc=0.62, rng=rng), (1, 2)).mean() - 0.62) < 0.01
    transitions = np.array([[0.7, 0.1, 0.1, 0.1], [0.3, 0.3, 0.1, 0.3], [0.1, 0.4, 0.4, 0.1], [0.25] * 4])
    codes = background(400, 500, transitions=transitions, rng=rng)
    pairs = np.zeros((4, 4))
    np.add.at(pairs, (codes[:, :-1], codes[:, 1:]), 1)
    assert np.abs(pairs / pairs.sum(1, keepdims=True) - transitions).max() < 0.015
    assert np.abs((codes[:, 0] == 0).mean() - (codes == 0).mean()) < 0.08


@pytest.mark.parametrize(("orientation", "relative"), [("same", {True}), ("opposite", {False})])
def test_an_arranged_pair_has_its_spacing_and_orientation_on_either_strand(orientation, relative):
    pair = Pair(spacing=7, orientation=orientation, fraction=0.5)
    simulation = simulate([FIRST, SECOND], 1_000, length=60, pair=pair, seed=7)
    assert all((a == b).all() for a, b in sites_read(simulation, [FIRST, SECOND]))
    truth = simulation.truth
    seen = set()
    for row in np.flatnonzero(simulation.arranged):
        at = {truth["index"][i]: i for i in np.flatnonzero(truth["row"] == row)}
        first, second = at[0], at[1]
        seen.add(truth["strand"][first])
        if truth["strand"][first] == "+":
            assert truth["start"][second] - truth["end"][first] == 7
        else:
            assert truth["start"][first] - truth["end"][second] == 7
        assert (truth["strand"][first] == truth["strand"][second]) in relative
    assert seen == {"+", "-"}
    both = simulation.labels.all(1)
    assert 0.4 < simulation.arranged[both].mean() < 0.6
    assert not simulation.arranged[~both].any()


def stand_as_said(pair, truth, row):
    """Whether some first and some second site of a row are arranged as the pair is, written out for one row."""
    shortest, longest = pair.spacings
    sites = [{c: truth[c][i] for c in ("index", "start", "end", "strand")} for i in np.flatnonzero(truth["row"] == row)]
    for a in (s for s in sites if s["index"] == pair.first):
        for b in (s for s in sites if s["index"] == pair.second):
            gap = b["start"] - a["end"] if a["strand"] == "+" else a["start"] - b["end"]
            same = a["strand"] == b["strand"]
            if shortest <= gap <= longest and same == (pair.orientation == "same"):
                return True
    return False


@pytest.mark.parametrize("orientation", ["same", "opposite"])
def test_a_range_of_spacings_is_drawn_evenly_with_both_ends(orientation):
    pair = Pair(spacing=[8, 12], orientation=orientation, fraction=1.0)
    simulation = simulate([FIRST, SECOND], 2_000, length=60, positives=1.0, pair=pair, seed=11)
    assert simulation.arranged.all()
    assert all((a == b).all() for a, b in sites_read(simulation, [FIRST, SECOND]))
    truth = simulation.truth
    first, second = (truth["index"] == i for i in (0, 1))
    forward = truth["strand"][first] == "+"
    gap = np.where(forward, truth["start"][second] - truth["end"][first], truth["start"][first] - truth["end"][second])
    assert np.unique(gap).tolist() == [8, 9, 10, 11, 12]
    assert (np.abs(np.bincount(gap)[8:] - 400) < 80).all()
    same = truth["strand"][first] == truth["strand"][second]
    assert (same == (orientation == "same")).all()
    assert truth["start"].min() >= 0
    assert truth["end"].max() <= 60
    assert 0.45 < forward.mean() < 0.55


@pytest.mark.parametrize("sites", [1, 2])
@pytest.mark.parametrize("spacing", [4, (2, 9)])
def test_arranged_is_what_stands_there_even_by_chance(sites, spacing):
    """In a short row many of the others come to stand so; each is found, and no row beside them."""
    pair = Pair(spacing=spacing, orientation="opposite", fraction=0.3)
    simulation = simulate([FIRST, SECOND], 400, length=50, positives=0.9, sites=sites, pair=pair, seed=12)
    both = simulation.labels.all(1)
    expected = [bool(b) and stand_as_said(pair, simulation.truth, row) for row, b in enumerate(both)]
    assert simulation.arranged.tolist() == expected
    nobody = simulate(
        [FIRST, SECOND], 400, length=50, positives=0.9, sites=sites, pair=Pair(spacing=spacing, fraction=0), seed=12
    )
    assert 0 < nobody.arranged.sum() < 200


def test_the_others_hold_both_motifs_in_every_other_arrangement():
    """Which strand, which side and which gap each occur without the others, so that none of them tells the label."""
    pair = Pair(spacing=(8, 12), orientation="opposite", fraction=0.4)
    simulation = simulate([FIRST, SECOND], 4_000, length=80, positives=1.0, pair=pair, seed=13)
    truth = simulation.truth
    first, second = (truth["index"] == i for i in (0, 1))
    forward = truth["strand"][first] == "+"
    downstream = (truth["start"][second] > truth["start"][first]) == forward
    same = truth["strand"][first] == truth["strand"][second]
    gap = np.maximum(truth["start"][second] - truth["end"][first], truth["start"][first] - truth["end"][second])
    others = ~simulation.arranged
    for side in (True, False):
        for strand in (True, False):
            here = others & (downstream == side) & (same == strand)
            assert here.sum() > 400
            inside = here & (gap >= 8) & (gap <= 12)
            assert inside.any() == ((side, strand) != (True, False))


def test_a_range_of_one_spacing_gives_the_rows_of_that_spacing():
    one, range_of_one = (
        simulate([FIRST, SECOND], 100, length=60, pair=Pair(spacing=s, fraction=0.5), seed=14) for s in (6, (6, 6))
    )
    assert (one.codes == range_of_one.codes).all()
    assert (one.arranged == range_of_one.arranged).all()


def test_the_rows_of_a_seed_stay_what_they_were():
    """A hash of the arrays of the first release: data that models were trained on must not change under them."""
    import hashlib

    simulation = simulate([get_motif("CTCF"), get_motif("SPI1")], 500, length=150, pair=Pair(), seed=5)
    assert hashlib.sha256(simulation.codes.tobytes()).hexdigest()[:16] == "8ddd57721bb246e3"


def test_the_activity_adds_up_except_for_the_pair():
    pair = Pair(synergy=3.0)
    simulation = simulate([FIRST, SECOND], 500, length=60, pair=pair, seed=8)
    value = activity(simulation, [1.0, 2.0], pair)
    expected = simulation.labels @ [1.0, 2.0] + 3.0 * simulation.arranged
    assert np.allclose(value, expected)
    assert 0.4 < np.std(activity(simulation, [1.0, 2.0], pair, noise=0.5, seed=1) - value) < 0.6


@pytest.mark.parametrize("stranded", [False, True])
def test_counts_peak_at_the_planted_site(stranded):
    simulation = simulate([FIRST], 600, length=200, positives=1.0, seed=9)
    counts = profile_counts(simulation, 1, bin_size=5, reads=200, spread=8, stranded=stranded, seed=1)
    assert counts.shape == (600, 2 if stranded else 1, 40)
    middle = (simulation.truth["start"] + simulation.truth["end"]) / 2
    inside = (middle > 40) & (middle < 160)
    centre = (counts[:, 0] * (np.arange(40) * 5 + 2.5)).sum(1) / counts[:, 0].sum(1)
    shift = -8 if stranded else 0
    assert abs(np.median((centre - middle)[inside]) - shift) < 2.5
    if stranded:
        forward = simulation.truth["strand"] == "+"
        plus, minus = counts.sum(2).T
        assert plus[forward & inside].sum() > 1.5 * minus[forward & inside].sum()
        assert minus[~forward & inside].sum() > 1.5 * plus[~forward & inside].sum()


def test_the_same_seed_gives_the_same_arrays_and_another_gives_others():
    a, b, c = (simulate([FIRST], 50, length=60, seed=s) for s in (1, 1, 2))
    assert (a.codes == b.codes).all()
    assert all((a.truth[k] == b.truth[k]).all() for k in a.truth)
    assert (a.codes != c.codes).any()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"length": 9}, "do not fit"),
        ({"decoys": "both"}, "must be one of"),
        ({"gc": 1.4}, "gc 1.4"),
        ({"transitions": np.ones((4, 4))}, "each row a distribution"),
        ({"pair": Pair()}, "needs two motifs"),
    ],
)
def test_what_cannot_be_simulated_is_refused(arguments, message):
    with pytest.raises(ConfigError, match=message):
        simulate([FIRST], 10, **arguments)


@pytest.mark.parametrize("spacing", [-1, [12, 8], [8], [8, 10, 12], "8", 2.5, [-1, 3], True, None])
def test_a_spacing_that_is_none_is_refused(spacing):
    with pytest.raises(ConfigError, match="must be bp, as in 10, or a range"):
        Pair(spacing=spacing)


def test_a_range_fits_as_a_whole_or_not_at_all():
    with pytest.raises(ConfigError, match="pair of 48 bp in all do not fit into 40 bp"):
        simulate([FIRST, SECOND], 5, length=40, positives=1.0, pair=Pair(spacing=(1, 30)))


def test_a_profile_needs_bins_that_divide_the_length():
    with pytest.raises(ConfigError, match="use 60 bp"):
        profile_counts(simulate([FIRST], 5, length=64), 1, bin_size=10)


def test_shuffled_decoys_stand_in_one_place_and_scattered_ones_anywhere():
    motif = fixed("GGGGGGGGGG", "run")
    spans = {}
    for decoys in ("shuffled", "scattered"):
        codes = simulate([motif], 200, length=100, gc=0.0, positives=0.0, decoys=decoys, seed=10).codes
        strong = np.isin(codes, (1, 2))
        assert (strong.sum(1) == 10).all()
        spans[decoys] = 100 - strong[:, ::-1].argmax(1) - strong.argmax(1)
    assert (spans["shuffled"] == 10).all()
    assert spans["scattered"].min() > 20
