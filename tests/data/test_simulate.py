import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from zoo.data.codes import reverse_complement
from zoo.data.motifs import Motif, best_hits, get_motif
from zoo.data.simulate import Pair, activity, background, profile_counts, simulate
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
