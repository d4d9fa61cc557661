"""From probabilities to calls: windows, decoding, sex, quality, and what a whole sample comes out as."""

import numpy as np
import pytest

from zoo.errors import ConfigError, DataError
from zoo_copy_number.bin_predictions import BinPredictions, estimate_noise
from zoo_copy_number.bins import Bins
from zoo_copy_number.quality import features, fit_quality, phred
from zoo_copy_number.segmentation import cut_segments, decode_states
from zoo_copy_number.sex import expect_copies, infer_sex
from zoo_copy_number.tracks import TRACKS, cut_windows, draw_sample, is_autosomal, log2_depth, stack_tracks

TWO = np.full(100, 2, np.int8)


def some_bins(depth, contigs=("chr1", "chrX"), split=None, **more):
    n = len(depth)
    split = n if split is None else split
    contig = (np.arange(n) >= split).astype(np.int32)
    start = np.where(contig == 0, np.arange(n), np.arange(n) - split).astype(np.int64) * 1000
    nothing = np.full(n, np.nan, np.float32)
    given = {"gc": nothing, "mappability": nothing, "mask": np.ones(n, bool), **more}
    return Bins(list(contigs), contig, start, start + 1000, np.asarray(depth, np.float32), **given)


def answer(states, sure=0.97):
    """A Predicted that says these states."""
    states = np.asarray(states)
    p = np.full((len(states), 5), (1 - sure) / 4, np.float32)
    p[np.arange(len(states)), states] = sure
    corrected = np.log2(np.maximum(states, 0.1) / 2).astype(np.float32)
    return BinPredictions(p, corrected, np.ones(len(states), bool))


@pytest.mark.parametrize("size", [1, 3, 7, 50])
@pytest.mark.parametrize("step", [None, 1, 2])
def test_windows_cover_every_bin_and_cross_no_contig(size, step):
    contig = np.repeat([0, 1, 3], [10, 1, 23])
    spans = cut_windows(contig, size, min(step or size, size))
    covered = np.zeros(len(contig), int)
    for first, last in spans:
        assert 0 < last - first <= size
        assert len(set(contig[first:last])) == 1
        covered[first:last] += 1
    assert (covered > 0).all()


def test_depth_is_set_against_the_median_of_each_kind():
    depth = np.array([10, 20, 10, 10, 1, 2, 1, 1], np.float32)
    bins = some_bins(depth, kind=np.array([0, 0, 0, 0, 1, 1, 1, 1], np.uint8))
    np.testing.assert_allclose(log2_depth(bins), [0, 1, 0, 0, 0, 1, 0, 0])
    tracks = stack_tracks(bins)
    assert tracks.shape == (len(TRACKS), 8)
    assert (tracks[TRACKS.index("gc_known")] == 0).all()
    assert tracks[TRACKS.index("off_target")].tolist() == [0, 0, 0, 0, 1, 1, 1, 1]


def test_what_is_not_known_is_said_and_not_filled_in():
    bins = some_bins([5, np.nan, 5, 0], mask=np.array([True, True, False, True]))
    tracks = stack_tracks(bins)
    assert tracks[TRACKS.index("depth_known")].tolist() == [1, 0, 0, 1]
    assert tracks[TRACKS.index("depth"), 1] == 0
    drawn = draw_sample(tracks, 6, np.random.default_rng(0), np.ones(tracks.shape[1], bool))
    assert (drawn[TRACKS.index("depth_known")] == 1).all()
    assert is_autosomal(some_bins(np.ones(4), split=2)).tolist() == [True, True, False, False]


def test_a_change_has_to_be_worth_its_cost():
    states = [2] * 10 + [1] + [2] * 10 + [1] * 8 + [2] * 5
    predicted, contig = answer(states), np.zeros(34, int)
    cheap, dear = (decode_states(predicted, contig, TWO[:34], p) for p in (0.5, 6.0))
    assert cheap.tolist() == states
    assert dear.tolist() == [2] * 21 + [1] * 8 + [2] * 5
    found = cut_segments(predicted, contig, TWO[:34], dear)
    assert found["state"].tolist() == [2, 1, 2]
    assert found["bins"].tolist() == [21, 8, 5]
    assert found["log2"][1] == pytest.approx(-1)


def test_states_of_one_direction_speak_together():
    states = np.repeat([2, 1, 2], [10, 6, 10])
    predicted = answer(states)
    unsure = predicted.probability.copy()
    unsure[10:16] = [0.33, 0.32, 0.34, 0.005, 0.005]
    found = decode_states(
        BinPredictions(unsure, predicted.corrected, predicted.known), np.zeros(26, int), TWO[:26], 1.5
    )
    assert found.tolist() == [2] * 10 + [1] * 6 + [2] * 10, "their depth is that of one copy"
    one = decode_states(
        BinPredictions(unsure, predicted.corrected, predicted.known), np.zeros(26, int), TWO[:26] * 0 + 1, 1.5
    )
    assert one[10:16].tolist() == [2] * 6, "where one copy is expected, two are a gain and one is nothing"


def test_segments_end_with_their_contig():
    predicted, contig = answer([1] * 6), np.array([0, 0, 0, 1, 1, 1])
    found = cut_segments(predicted, contig, TWO[:6], decode_states(predicted, contig, TWO[:6], 4.0))
    assert found["contig"].tolist() == [0, 1]


def test_bins_without_depth_say_nothing():
    predicted = answer([2] * 5 + [1] * 5 + [2] * 5)
    known = predicted.known.copy()
    known[5:10] = False
    silent = BinPredictions(predicted.probability, np.where(known, predicted.corrected, np.nan), known)
    assert decode_states(silent, np.zeros(15, int), TWO[:15], 4.0).tolist() == [2] * 15


def test_sex_is_read_from_x_and_y():
    contigs, contig = ["1", "X", "Y"], np.repeat([0, 1, 2], 30)
    male = np.repeat([0.0, -1.0, -1.0], 30)
    female = np.repeat([0.0, 0.0, -5.0], 30)
    odd = np.repeat([0.0, 0.0, -1.0], 30)
    assert infer_sex(male, contigs, contig)[0] == "male"
    assert infer_sex(female, contigs, contig)[0] == "female"
    assert "do not agree" in infer_sex(odd, contigs, contig)[1]
    assert infer_sex(male[:30], contigs, contig[:30])[0] is None
    assert expect_copies(["chr1", "chrX", "chrY"], "male").tolist() == [2, 1, 1]
    assert expect_copies(["chr1", "chrX", "chrY"], "female").tolist() == [2, 2, 0]
    assert expect_copies(["chr1", "chrX"], None).tolist() == [2, 2]
    with pytest.raises(ConfigError, match="female or male"):
        expect_copies(["1"], "unknown")


def test_qualities_are_calibrated_on_what_they_were_fitted_to():
    rng = np.random.default_rng(0)
    x = np.column_stack([np.ones(4000), *rng.normal(size=(4, 4000))])
    truth = np.array([1.0, 2.0, -1.0, 0.5, 0.0])
    right = rng.random(4000) < 1 / (1 + np.exp(-x @ truth))
    quality = phred(x, fit_quality(x, right))
    for low, high in ((0, 3), (3, 7), (7, 15)):
        part = (quality >= low) & (quality < high)
        claimed = 1 - 10 ** (-quality[part] / 10)
        assert part.sum() > 100
        assert abs(claimed.mean() - right[part].mean()) < 0.04
    assert quality.max() <= 60


def test_longer_and_clearer_segments_have_features_that_grow():
    states = [2] * 20 + [1] * 4 + [2] * 20 + [1] * 40
    predicted, contig = answer(states), np.zeros(84, int)
    found = cut_segments(predicted, contig, TWO[:84], np.array(states, np.int8))
    x = features(found, np.full(len(found), 2), 0.2)
    assert (x[[1, 3], :5] == 0).all()
    assert (x[[0, 2], 5:] == 0).all()
    short, long = x[1, 5:], x[3, 5:]
    assert (long[1:] >= short[1:]).all()
    assert x[0, 3] == 0, "a segment at its expected depth is no step away"


def test_noise_is_that_of_bins_and_not_of_events():
    rng = np.random.default_rng(0)
    level = np.repeat([0.0, -1.0, 0.0, 0.6], 500)
    assert estimate_noise(level + rng.normal(0, 0.2, 2000), np.zeros(2000, int)) == pytest.approx(0.2, rel=0.1)


def test_a_sample_of_a_few_bins_is_refused():
    import torch

    from zoo.model import build
    from zoo.spec import ModelSpec
    from zoo_copy_number.caller import call_sample

    encoder = {"name": "depth_cnn", "channels": 4, "layers": 1, "kernel": 3, "steps": 4, "hidden": 4, "dropout": 0.0}
    states = {"name": "copy_states", "in_channels": 5, "classes": ["0", "1", "2", "3", "4+"], "bin_size": 1}
    log2 = {"name": "corrected", "in_channels": 5, "tasks": ["log2_ratio"], "bin_size": 1}
    torch.manual_seed(0)
    spec = ModelSpec("tiny", encoder, {"states": states, "log2": log2}, 64, activation={"states": "softmax"})
    model = build(spec)
    with pytest.raises(DataError, match="usable bins"):
        call_sample(model, some_bins(np.ones(20)))
    called = call_sample(model, some_bins(np.random.default_rng(0).gamma(30, 1, 300), split=200))
    assert called.predicted.probability.shape == (300, 5)
    np.testing.assert_allclose(called.predicted.probability.sum(1), 1, atol=1e-5)
    assert sum(c.length for c in called.calls) == 300_000, "every bin is in a call or a no-call"
    assert {c.state for c in called.calls} == {"NO-CALL"}, "qualities of a model that was not calibrated are low"
