"""What peaks say of windows, against a rule that is applied to one window and one peak at a time."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from zoo.data.assays.peak_labels import LinePeaks, combine_replicates, core_start, label_windows, merge_centers

PEAKS = st.lists(
    st.tuples(st.integers(0, 600), st.integers(1, 150), st.integers(0, 149), st.booleans()), min_size=0, max_size=8
)


def said(start, length, core, near, peaks):
    """1, 0 or -1 of one window, peak by peak."""
    label = 0
    for first, width, offset, counts in peaks:
        end, center = first + width, first + min(offset, width - 1)
        covered = min(end, start + length) - max(first, start)
        in_core = 0 <= center - start - core_start(length, core) < core
        if counts and (in_core or 2 * covered >= length):
            return 1
        if first - near < start + length and end + near > start:
            label = -1
    return label


@settings(deadline=None)
@given(
    starts=st.sets(st.integers(-50, 700), min_size=1, max_size=20),
    length=st.integers(1, 90),
    share=st.floats(0, 1),
    near=st.integers(0, 30),
    peaks=PEAKS,
)
def test_labels_are_those_of_the_rule(starts, length, share, near, peaks):
    core = max(1, round(share * length))
    columns = np.array([(p, p + w, p + min(o, w - 1), c) for p, w, o, c in peaks], np.int64).reshape(-1, 4).T
    ordered = np.array(sorted(starts))
    labels = label_windows(ordered, length, core, near, LinePeaks(*columns[:3], columns[3].astype(bool)))
    assert labels.tolist() == [said(s, length, core, near, peaks) for s in ordered.tolist()]


@given(
    centers=st.lists(st.integers(0, 2_000), min_size=1, max_size=40), core=st.integers(1, 120), rim=st.integers(0, 99)
)
def test_every_centre_lies_in_the_core_of_a_window_and_windows_share_what_they_can(centers, core, rim):
    length = core + rim
    starts = merge_centers(np.array(centers), length, core)
    assert (np.diff(starts) > 0).all()
    at = np.array(sorted(set(centers)))[:, None] - starts - core_start(length, core)
    inside = (at >= 0) & (at < core)
    assert inside.any(1).all()
    assert inside.any(0).all()
    first = np.array([centers_in.min() for centers_in in (np.array(sorted(set(centers)))[i] for i in inside.T)])
    assert (np.diff(first) >= 1).all()


def test_replicates_that_disagree_say_nothing():
    a, b = np.array([1, 1, 1, 0, 0, -1], np.int8), np.array([1, 0, -1, 0, -1, -1], np.int8)
    assert combine_replicates([a, b], "all").tolist() == [1, -1, -1, 0, -1, -1]
    assert combine_replicates([a, b], "any").tolist() == [1, 1, 1, 0, -1, -1]
