"""Windows of maps and what is measured on them: places, padding, weights, metrics with known answers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoo.errors import ConfigError, DataError
from zoo.fields import Field
from zoo.testing import check_plugin, failures
from zoo_hic.context_tracks import read_tracks
from zoo_hic.metrics.window_metrics import MEAN_DIAGONAL, MSE, PEARSON
from zoo_hic.simulation.source import SimulatedContacts
from zoo_hic.source import ContactMaps
from zoo_hic.windows import SquareWindows, Stretch, window_starts

SMALL = {"bins": 16, "step": 8, "contig_bins": 64, "n_train": 2, "n_validation": 1, "n_test": 1}
TINY = {"resolution": 64}


@pytest.mark.slow
def test_the_plugin_keeps_its_promises():
    checks = check_plugin("zoo-hic")
    assert len(checks) > 60
    assert failures(checks) == []


@given(st.integers(0, 50), st.integers(1, 200), st.integers(1, 40), st.integers(1, 40))
def test_windows_cover_every_bin(first, size, bins, step):
    starts = window_starts(first, first + size, bins, min(step, bins))
    covered = np.zeros(size, bool)
    for start in starts:
        assert start >= first
        assert start + bins <= first + max(size, bins)
        covered[start - first : start - first + bins] = True
    assert covered.all()
    assert len(set(starts)) == len(starts)


def test_a_window_holds_its_sequence_and_its_square():
    source = SimulatedContacts(**SMALL, settings=TINY)
    assert source.input_length == 16 * 64
    assert source.targets["contacts"].axes == "CTT"
    contig = source.contigs("train")[1]
    examples = source.examples("train")
    row = int(np.flatnonzero((examples.places == (1, 24)).all(1))[0])
    batch = examples.batch([row])
    assert (batch["codes"][0] == contig.codes[24 * 64 : 40 * 64]).all()
    known = batch["weight/contacts"][0, 0] > 0
    np.testing.assert_allclose(
        batch["target/contacts"][0, 0][known], contig.log_oe[24:40, 24:40][known].astype(np.float32)
    )
    apart = np.abs(np.subtract.outer(np.arange(16), np.arange(16)))
    assert not known[apart < 2].any()
    assert known[apart >= 2].mean() > 0.9
    assert examples.identity([row])["start"].tolist() == [24 * 64]


def test_splits_are_contigs_of_their_own_and_a_seed_tells_everything():
    a, b = (SimulatedContacts(**SMALL, settings=TINY) for _ in range(2))
    assert (a.contigs("test")[0].codes == b.contigs("test")[0].codes).all()
    assert not (a.contigs("test")[0].codes == a.contigs("train")[0].codes).all()
    with pytest.raises(ConfigError, match=r"no setting 'insulations'.*insulation"):
        SimulatedContacts(settings={"insulations": 1})
    with pytest.raises(ConfigError, match="no flank"):
        a.examples("train").batch([0], margin=8)


def test_a_stretch_shorter_than_a_window_is_padded_with_what_is_unknown():
    square = np.ones((1, 10, 10), np.float32)
    stretch = Stretch("c", 0, 10, square, lambda a, b: np.where(np.arange(a, b) < 1000, 1, 4).astype(np.uint8))
    examples = SquareWindows([stretch], 16, 100, step=4, signal={"c": np.ones((2, 10), np.float32)})
    batch = examples.batch([0])
    assert len(examples) == 1
    assert batch["codes"].shape == (1, 1600)
    assert (batch["codes"][0, 1000:] == 4).all()
    assert batch["weight/contacts"][0, 0, :10, :10].all()
    assert not batch["weight/contacts"][0, 0, 10:].any()
    assert batch["signal"][0].sum() == 20


def test_windows_may_hang_over_the_ends_of_a_contig_where_they_read_n():
    square = np.arange(400, dtype=np.float32).reshape(1, 20, 20)
    square = square + square.transpose(0, 2, 1)
    inside = lambda a, b: np.where((np.arange(a, b) >= 0) & (np.arange(a, b) < 200), 1, 4).astype(np.uint8)  # noqa: E731
    whole, part = Stretch("c", 0, 20, square, inside), Stretch("c", 5, 20, square, inside)
    options = {"step": 4, "overhang": 3, "signal": {"c": np.arange(20, dtype=np.float32)[None]}}
    examples = SquareWindows([whole], 8, 10, **options)
    assert examples.starts(whole, 4) == [-3, 1, 5, 9, 13, 15]
    assert examples.starts(part, 4)[0] == 5, "a part of a contig hangs over its own end alone"
    batch = examples.batch([0, 5])
    assert (batch["codes"] == 4).sum(1).tolist() == [30, 30]
    assert not batch["weight/contacts"][0, 0, :3].any()
    assert (batch["target/contacts"][0, 0, 3:, 3:] == square[0, :5, :5]).all()
    assert (batch["target/contacts"][1, 0, :5, :5] == square[0, 15:, 15:]).all()
    assert batch["signal"][:, 0].tolist() == [[0, 0, 0, 0, 1, 2, 3, 4], [15, 16, 17, 18, 19, 0, 0, 0]]


def test_pairs_too_near_or_too_far_have_no_weight():
    stretch = Stretch("c", 0, 30, np.zeros((1, 30, 30), np.float32), lambda a, b: np.zeros(b - a, np.uint8))
    batch = SquareWindows([stretch], 10, 10, step=5, nearest=2, furthest=4).batch([0])
    apart = np.abs(np.subtract.outer(np.arange(10), np.arange(10)))
    assert ((batch["weight/contacts"][0, 0] > 0) == ((apart >= 2) & (apart <= 4))).all()


def test_a_measured_map_becomes_windows_with_every_step_in_the_card(tmp_path, write):
    weights = np.ones(35)
    path, _ = write.cool(weights={"weight": weights})
    rng = np.random.default_rng(0)
    fasta = tmp_path / "g.fa"
    with open(fasta, "w") as file:
        for name, size in (("1", 1950), ("2", 1000), ("M", 430)):
            file.write(f">{name}\n{''.join(rng.choice(list('ACGT'), size))}\n")
    bed = tmp_path / "peaks.bed"
    bed.write_text("chr1\t210\t220\nchr1\t250\t260\nchr2\t5\t9\n")
    source = ContactMaps(
        maps={"lab": str(path)},
        genome={"fasta": str(fasta)},
        resolution=100,
        windows={"bins": 8, "step": 2},
        pairs={"nearest": 200},
        splits={"validation": ["chr2"], "test": ["1:0-1000"], "train": ["1:1000-"], "exclude": ["chrM"]},
        preprocess={"pseudocount": 0.2},
        tracks={"peaks": str(bed)},
    )
    assert [len(source.examples(s)) for s in ("train", "validation", "test")] == [2, 2, 2]
    batch = source.examples("test").batch([0])
    assert batch["codes"].shape == (1, 800)
    assert batch["signal"][0, 0, 2] == pytest.approx(np.log(3))
    square = source.squares()["1"]
    np.testing.assert_allclose(
        np.where(batch["weight/contacts"][0] > 0, square[:, :8, :8], 0), batch["target/contacts"][0]
    )
    said = source.describe()
    assert said["preprocessing"]["pseudocount"] == 0.2
    assert len(said["preprocessing"]["order"]) == 7
    assert said["maps"]["lab"]["balance"] == "weight"
    with pytest.raises(ConfigError, match="no step 'smoth'"):
        ContactMaps(maps={"lab": str(path)}, genome={"fasta": str(fasta)}, preprocess={"smoth": 1})
    with pytest.raises(ConfigError, match="windows has no key 'bin': did you mean 'bins'"):
        ContactMaps(maps={"lab": str(path)}, genome={"fasta": str(fasta)}, windows={"bin": 8})
    with pytest.raises(ConfigError, match="names no map"):
        ContactMaps(genome={"fasta": str(fasta)})


def test_tracks_of_another_genome_are_refused(tmp_path):
    bed = tmp_path / "p.bed"
    bed.write_text("scaffold_9\t1\t5\n")
    with pytest.raises(DataError, match="no interval on chr1: is it of this genome"):
        read_tracks({"p": bed}, {"chr1": 10}, 100)


def maps(n=6, bins=12, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, bins, bins))
    return x + x.transpose(0, 2, 1)


ONES = np.ones((1, 6))


def test_metrics_have_known_answers():
    truth = maps()
    assert PEARSON.function(truth, truth, ONES)[0] == pytest.approx(1)
    assert PEARSON.function(truth, -2 * truth + 1, ONES)[0] == pytest.approx(-1)
    assert np.isnan(PEARSON.function(truth, np.zeros_like(truth), ONES)[0]), "distance alone has no correlation"
    assert MSE.function(truth, truth + 0.5, ONES)[0] == pytest.approx(0.25)
    upper = [np.concatenate([np.diagonal(m, d) for d in range(12)]) for m in (truth[0], maps(seed=1)[0])]
    one = np.array([[1, 0, 0, 0, 0, 0]])
    assert PEARSON.function(truth, maps(seed=1), one)[0] == pytest.approx(np.corrcoef(*upper)[0, 1])


def test_what_follows_distance_alone_adds_nothing_to_the_mean_of_diagonals():
    truth, other = maps(bins=20), maps(bins=20, seed=1)
    decay = -np.abs(np.subtract.outer(np.arange(20), np.arange(20))).astype(float)
    assert PEARSON.function(truth + decay, other + decay, ONES)[0] > 0.8
    plain = MEAN_DIAGONAL.function(truth, other, ONES)[0]
    assert MEAN_DIAGONAL.function(truth + decay, other + decay, ONES)[0] == pytest.approx(plain)
    assert abs(plain) < 0.2


def test_unknown_pairs_are_left_out_and_windows_are_resampled():
    truth, prediction = maps(), maps(seed=2)
    holed = truth.copy()
    holed[2] = np.nan
    without = np.array([[1, 1, 0, 1, 1, 1]])
    for metric in (PEARSON, MEAN_DIAGONAL, MSE):
        assert metric.function(holed, prediction, ONES)[0] == pytest.approx(
            metric.function(truth, prediction, without)[0]
        )
        twice = metric.function(truth, prediction, np.array([[2] * 6, [1] * 6]))
        assert twice[0] == pytest.approx(twice[1])
        assert metric.applies(Field("CTT", ("a",)))
        assert not metric.applies(Field("CT", ("a",)))
