"""Events found and calls that are true, counted by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoo.errors import ConfigError, DataError
from zoo_copy_number.event_accuracy import CLASSES, count, summarise_counts, table
from zoo_copy_number.events import EVENT

N = 60


def scored(called, events, *, usable=None, contig=None, expected=2, **options):
    """{(direction, class): [found, events, true, calls]} of N bins; called and events are (start, end, copies)."""
    copies = np.full(N, float(expected))
    for start, end, value in called:
        copies[start:end] = value
    rows = np.array([(0, a, b, c, b - a) for a, b, c in events], EVENT)
    usable = np.ones(N, bool) if usable is None else usable
    contig = np.zeros(N, int) if contig is None else contig
    out = count(copies, np.full(N, expected), contig, usable, rows, **options)
    keys = [(d, length) for d in ("DEL", "DUP") for length in CLASSES]
    return {k: v.tolist() for k, v in zip(keys, out.reshape(-1, 4), strict=True) if v.any()}


def test_a_call_in_place_is_found_and_true():
    assert scored([(10, 20, 1)], [(10, 20, 1)]) == {("DEL", 10): [1, 1, 1, 1]}


def test_the_number_of_copies_is_not_judged_but_the_direction_is():
    assert scored([(10, 20, 5)], [(10, 20, 3)]) == {("DUP", 10): [1, 1, 1, 1]}
    assert scored([(10, 20, 3)], [(10, 20, 1)]) == {("DEL", 10): [0, 1, 0, 0], ("DUP", 10): [0, 0, 0, 1]}


def test_half_of_an_event_is_enough_and_less_is_not():
    assert scored([(10, 15, 1)], [(10, 20, 1)]) == {("DEL", 5): [0, 0, 1, 1], ("DEL", 10): [1, 1, 0, 0]}
    assert scored([(10, 14, 1)], [(10, 20, 1)]) == {("DEL", 5): [0, 0, 0, 1], ("DEL", 10): [0, 1, 0, 0]}


def test_a_call_that_reaches_far_beyond_its_event_is_false():
    assert scored([(10, 40, 1)], [(10, 20, 1)]) == {("DEL", 10): [1, 1, 0, 0], ("DEL", 30): [0, 0, 0, 1]}


def test_an_event_in_pieces_is_found_and_its_pieces_are_false():
    pieces = [(10, 13, 1), (15, 18, 1), (20, 23, 1), (25, 28, 1)]
    assert scored(pieces, [(10, 30, 1)]) == {("DEL", 3): [0, 0, 0, 4], ("DEL", 30): [1, 1, 0, 0]}


def test_one_call_over_two_events_counts_for_one_of_them_at_most():
    got = scored([(10, 30, 1)], [(10, 18, 1), (22, 30, 1)])
    assert got == {("DEL", 10): [2, 2, 0, 0], ("DEL", 30): [0, 0, 0, 1]}


def test_silence_costs_recall_unless_it_is_excluded():
    silent = [(10, 16, np.nan), (16, 20, 1)]
    assert scored(silent, [(10, 20, 1)]) == {("DEL", 5): [0, 0, 0, 1], ("DEL", 10): [0, 1, 0, 0]}
    assert scored(silent, [(10, 20, 1)], no_call="excluded") == {("DEL", 5): [0, 0, 1, 1]}
    half = [(10, 15, np.nan), (15, 20, 1)]
    assert scored(half, [(10, 20, 1)], no_call="excluded") == {("DEL", 5): [0, 0, 1, 1], ("DEL", 10): [1, 1, 0, 0]}


def test_a_silent_or_masked_bin_does_not_break_a_call():
    usable = np.ones(N, bool)
    usable[14] = False
    broken = [(10, 20, 1), (14, 15, 3), (16, 17, np.nan)]
    assert scored(broken, [(10, 20, 1)], usable=usable) == {("DEL", 10): [1, 1, 1, 1]}


def test_an_event_of_masked_bins_is_not_counted():
    usable = np.ones(N, bool)
    usable[10:20] = False
    assert scored([(10, 20, 1)], [(10, 20, 1)], usable=usable) == {}


def test_a_contig_ends_a_call():
    contig = np.repeat([0, 1], N // 2)
    assert scored([(20, 40, 3)], [(20, 30, 3)], contig=contig) == {("DUP", 10): [1, 1, 1, 2]}


def test_one_copy_of_x_is_no_event_and_two_are():
    assert scored([], [], expected=1) == {}
    assert scored([(10, 20, 2)], [(10, 20, 2)], expected=1) == {("DUP", 10): [1, 1, 1, 1]}
    assert scored([(10, 20, 2)], [], expected=0) == {}


@pytest.mark.parametrize(("bins", "length"), [(1, 3), (3, 3), (4, 5), (7, 5), (8, 10), (17, 10), (18, 30), (54, 30)])
def test_lengths_go_to_the_nearest_class(bins, length):
    assert scored([(0, bins, 1)], [(0, bins, 1)]) == {("DEL", length): [1, 1, 1, 1]}


events_of = st.lists(st.tuples(st.integers(1, 8), st.integers(0, 4), st.sampled_from([0, 1, 3, 4])), max_size=6)


@given(events_of)
def test_the_truth_scores_one(pieces):
    at, events = 0, []
    for length, gap, copies in pieces:
        at += gap + 1
        events.append((at, min(at + length, N), copies))
        at += length
    events = [e for e in events if e[0] < e[1]]
    got = scored(events, events)
    assert sum(v[1] for v in got.values()) == len(events)
    assert all(v[0] == v[1] == v[2] == v[3] for v in got.values())


@given(
    st.lists(st.sampled_from([0.0, 1, 2, 3, np.nan]), min_size=N, max_size=N), st.sampled_from(["missed", "excluded"])
)
def test_counts_never_exceed_what_there_is(copies, no_call):
    events = np.array([(0, 5, 15, 1, 10), (0, 30, 33, 3, 3)], EVENT)
    out = count(np.array(copies), np.full(N, 2), np.zeros(N, int), np.ones(N, bool), events, no_call=no_call)
    assert (out[..., 0] <= out[..., 1]).all()
    assert (out[..., 2] <= out[..., 3]).all()
    assert out[..., 1].sum() <= 2
    if no_call == "missed":
        assert out[..., 1].sum() == 2


def test_shares_and_their_intervals():
    perfect, half = np.zeros((2, len(CLASSES), 4), int), np.zeros((2, len(CLASSES), 4), int)
    perfect[0, 0], half[0, 0] = (2, 2, 2, 2), (1, 2, 1, 3)
    rows = {r.length: r for r in table([perfect, half] * 20)}
    assert (rows[3].events, rows[3].calls) == (80, 100)
    assert rows[3].recall.value == pytest.approx(0.75)
    assert rows[3].precision.value == pytest.approx(0.6)
    assert rows[3].f1.value == pytest.approx(2 * 0.75 * 0.6 / 1.35)
    assert rows[3].recall.low < 0.72 < 0.78 < rows[3].recall.high
    assert rows[None] == type(rows[3])(None, 80, 100, rows[3].recall, rows[3].precision, rows[3].f1)
    assert np.isnan(rows[5].recall.value)
    assert str(rows[5].f1) == "-"
    assert table([perfect, half], direction="DUP")[0].events == 0
    same = {r.length: r for r in table([perfect] * 9)}
    assert (same[3].f1.low, same[3].f1.high) == (1, 1)


def test_f1_without_calls_is_nought_and_without_events_is_nothing():
    assert summarise_counts(np.array([0, 4, 0, 0]))["f1"] == 0
    assert np.isnan(summarise_counts(np.array([0, 4, 0, 0]))["precision"])
    assert np.isnan(summarise_counts(np.array([0, 0, 0, 3]))["f1"])
    assert summarise_counts(np.array([0, 0, 0, 3]))["precision"] == 0


def test_what_does_not_fit_is_refused():
    with pytest.raises(ConfigError, match="missed or excluded"):
        scored([], [], no_call="dropped")
    with pytest.raises(DataError, match="bins"):
        count(np.zeros(3), np.zeros(4), np.zeros(4), np.ones(4, bool), np.zeros(0, EVENT))
    with pytest.raises(DataError, match="no samples"):
        table([])
