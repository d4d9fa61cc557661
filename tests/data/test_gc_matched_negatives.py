"""Matched negatives: GC tells nothing any more, peaks are kept away from, and the seed decides."""

import numpy as np
import pytest

from zoo.data.gc_matched_negatives import auroc, gc_fraction, match_gc
from zoo.data.genome import Genome
from zoo.errors import DataError


@pytest.fixture(scope="module")
def genome(tmp_path_factory):
    """GC wanders along the contigs; a run of N lies in the first."""
    rng = np.random.default_rng(0)
    text = ""
    for name, n in (("1", 400_000), ("2", 200_000)):
        gc = np.clip(0.42 + 0.12 * np.sin(np.arange(n) / 900) + 0.06 * np.sin(np.arange(n) / 140), 0, 1)
        strong, coin = rng.random(n) < gc, rng.random(n) < 0.5
        letters = np.where(strong, np.where(coin, "C", "G"), np.where(coin, "A", "T"))
        if name == "1":
            letters[100_000:150_000] = "N"
        text += f">{name}\n{''.join(letters)}\n"
    path = tmp_path_factory.mktemp("genome") / "g.fa"
    path.write_text(text)
    return Genome(path)


@pytest.fixture(scope="module")
def peaks(genome):
    """GC-rich peaks on contig 1."""
    starts = np.arange(150_000, 399_000, 200)
    gc = gc_fraction(genome.windows(np.zeros(len(starts), int), starts, 200))
    rich = np.random.default_rng(1).permutation(np.flatnonzero(gc > 0.45))[:200]
    return starts[rich], gc[rich]


def matched(genome, peaks, **changes):
    starts, gc = peaks
    exclude = np.zeros(len(starts), int), starts, starts + 200
    return match_gc(genome, gc, 200, **{"exclude": exclude, "min_distance": 100, "seed": 7, **changes})


def test_gc_says_nothing_after_matching_and_much_before(genome, peaks):
    found = matched(genome, peaks)
    gc = gc_fraction(genome.windows(found.contig_ids, found.starts, 200))
    assert gc == pytest.approx(found.gc)
    assert auroc(peaks[1], gc) == pytest.approx(0.5, abs=0.01)
    assert found.report["auroc_of_gc"] == pytest.approx(auroc(peaks[1], gc), abs=1e-4)
    assert found.report["borrowed"] == 0
    assert found.report["histogram_distance"] < 0.05
    anywhere = np.random.default_rng(0).integers(150_000, 399_000, 500)
    assert auroc(peaks[1], gc_fraction(genome.windows(np.zeros(500, int), anywhere, 200))) > 0.75


def test_each_negative_is_matched_with_its_own_positive(genome, peaks):
    found = matched(genome, peaks, n_per_positive=2)
    assert found.matched_to.tolist() == np.repeat(np.arange(200), 2).tolist()
    assert np.abs(found.gc - peaks[1][found.matched_to]).max() <= 0.02 + 1e-9


def test_negatives_keep_their_distance_hold_no_n_and_do_not_overlap(genome, peaks):
    found = matched(genome, peaks)
    gap = np.maximum(peaks[0][None] - (found.starts + 200)[:, None], found.starts[:, None] - (peaks[0] + 200)[None])
    assert gap[found.contig_ids == 0].min() >= 100
    assert (genome.windows(found.contig_ids, found.starts, 200) < 4).all()
    for contig in (0, 1):
        starts = np.sort(found.starts[found.contig_ids == contig])
        assert (np.diff(starts) >= 200).all()
    assert found.report["overlapping"] == 0


def test_the_seed_decides(genome, peaks):
    one, same, other = matched(genome, peaks), matched(genome, peaks), matched(genome, peaks, seed=8)
    assert (one.starts == same.starts).all()
    assert not (one.starts == other.starts).all()


def test_negatives_come_from_the_regions(genome, peaks):
    found = matched(genome, peaks, regions=[(1, 50_000, 180_000)])
    assert (found.contig_ids == 1).all()
    assert found.starts.min() >= 50_000
    assert found.starts.max() + 200 <= 180_000


def test_what_cannot_be_matched_is_borrowed_and_reported(genome):
    found = match_gc(genome, np.full(30, 0.95), 200, seed=0)
    assert found.report["borrowed"] == 30
    assert found.report["bins_borrowing"] == 1
    assert found.report["auroc_of_gc"] == 1.0
    assert len({*zip(found.contig_ids.tolist(), found.starts.tolist(), strict=True)}) == 30


def test_overlapping_ones_are_taken_last_and_counted(genome):
    found = match_gc(genome, np.full(90, 0.4), 200, regions=[(1, 0, 9_000)], bin_width=0.5, seed=0)
    assert found.report["overlapping"] > 0
    assert len(set(found.starts.tolist())) == 90


def test_too_small_regions_are_an_error(genome):
    with pytest.raises(DataError, match="ask for fewer per positive, or give wider regions"):
        match_gc(genome, np.full(5_000, 0.4), 200, regions=[(1, 0, 1_000)])
    with pytest.raises(DataError, match="no GC content"):
        match_gc(genome, np.array([np.nan]), 200)
