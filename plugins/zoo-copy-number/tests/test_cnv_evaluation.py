"""What a card says of calls: which are trusted, which of those are wrong, and which events they hold."""

import numpy as np
import pytest

from zoo_copy_number.bin_predictions import BinPredictions
from zoo_copy_number.caller import CalledSample
from zoo_copy_number.calls import Calls, CnvCall
from zoo_copy_number.evaluation import GROUPS, card_rows, count_trusted, reliability, simulate_group


@pytest.fixture(scope="module")
def sample():
    return simulate_group("genome", 1, 6000, 99)[0]


def said(sample, calls):
    """A `CalledSample` of these (first bin, bin after the last, copies, quality)."""
    bins, n = sample.bins, len(sample.bins)
    made = []
    for first, last, copies, quality in calls:
        normal = int(sample.expected[first])
        state = "DEL" if copies < normal else "DUP"
        where = (bins.contigs[bins.contig[first]], int(bins.start[first]), int(bins.end[last - 1]))
        made.append(CnvCall(*where, copies, state, quality, last - first, 0.0, normal))
    known = bins.mask & np.isfinite(bins.depth)
    predicted = BinPredictions(np.full((n, 5), 0.2, np.float32), np.zeros(n, np.float32), known)
    found = Calls("s", list(bins.contigs), made)
    more = sample.expected, sample.expected, np.zeros(n, np.float32)
    return CalledSample(found, predicted, np.zeros(n, np.int8), np.full(n, np.nan), *more, "male", "", 0.1)


def long_events(sample):
    return [e for e in sample.events if e["bins"] >= 10 and sample.expected[e["start"]] > 0]


def test_true_calls_hold_their_events(sample):
    events = long_events(sample)
    assert len(events) > 3
    calls = [(e["start"], e["end"], int(e["copies"]), 30.0) for e in events]
    assert count_trusted(said(sample, calls), sample).tolist() == [len(events), 0, len(events), len(events)]


def test_calls_below_the_border_hold_nothing_and_are_never_wrong(sample):
    events = long_events(sample)
    calls = [(e["start"], e["end"], int(e["copies"]), 19.9) for e in events]
    assert count_trusted(said(sample, calls), sample).tolist() == [0, 0, len(events), 0]


def test_a_call_of_the_wrong_direction_is_wrong(sample):
    events = long_events(sample)
    event = events[0]
    normal = int(sample.expected[event["start"]])
    turned = normal + 1 if event["copies"] < normal else normal - 1
    assert count_trusted(said(sample, [(event["start"], event["end"], turned, 40.0)]), sample).tolist() == [
        1,
        1,
        len(events),
        0,
    ]


def test_shares_come_with_an_interval_over_samples():
    wrong, held, calls, events = reliability([np.array([10, 1, 10, 9]), np.array([30, 0, 20, 20])])
    assert (calls, events) == (40, 30)
    assert wrong.value == pytest.approx(1 / 40)
    assert held.value == pytest.approx(29 / 30)
    assert wrong.low == 0
    assert wrong.high == pytest.approx(0.1)
    assert held.low == pytest.approx(0.9)


def test_every_group_has_the_reference_that_its_name_says():
    for group in GROUPS:
        bins = simulate_group(group, 1, 1500, 5)[0].bins
        assert (bins.reference is not None) == ("reference" in group)
        assert (bins.kind is not None and (bins.kind == 1).any()) == group.startswith("panel")


def test_a_baseline_has_no_qualities_to_show(sample):
    counts = [np.full((2, 6, 4), 3), np.full((2, 6, 4), 3)]
    ours = card_rows("network", "genome", counts, [np.array([10, 1, 10, 9])] * 2)
    theirs = card_rows("threshold", "genome", counts)
    assert {r["metric"] for r in ours} == {"event_f1", "wrong_at_q20", "held_at_q20"}
    assert {r["metric"] for r in theirs} == {"event_f1"}
    assert all(r["baseline"] for r in theirs)
    assert next(r for r in theirs if r["stratum"] == "genome, 10 bins")["value"] == 1
