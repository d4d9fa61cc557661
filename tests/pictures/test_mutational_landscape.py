"""Attributions above a landscape, and the window that is worth drawing."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoo.effects.mutational_landscape import Landscape
from zoo.errors import DataError
from zoo.pictures.mutational_landscape import best_window, draw_landscape


@given(st.lists(st.integers(-5, 5), min_size=1, max_size=40), st.integers(1, 45))
def test_the_window_holds_nearly_the_most_and_lies_within(scores, width):
    start, end = best_window(np.array(scores, float), width)
    assert 0 <= start < end <= len(scores)
    assert end - start == min(width, len(scores))
    every = [sum(map(abs, scores[i : i + width])) for i in range(max(1, len(scores) - width + 1))]
    assert sum(map(abs, scores[start:end])) >= 0.98 * max(every)


def test_one_peak_lies_in_the_middle_of_the_window():
    assert best_window(np.eye(1, 200, 100)[0], 51) == (75, 126)


def test_letters_are_the_attributions_and_cells_the_effects_in_rows():
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 4, 50).astype(np.uint8)
    effects = rng.normal(size=(4, 50)).astype(np.float32) * (np.arange(4)[:, None] != codes)
    heights = (np.arange(4)[:, None] == codes) * rng.normal(size=50)
    figure = draw_landscape(Landscape(effects, codes, "CTCF", 0.0), heights=heights, title="here", row_length=30)
    letters = [axes for axes in figure.axes if axes.get_ylabel() == "contribution"]
    cells = [axes for axes in figure.axes if axes.images and len(axes.get_yticklabels()) == 4]
    assert [axes.get_xlim() for axes in cells] == [(0, 25), (25, 50)]
    assert len(letters) == 1
    np.testing.assert_array_equal(np.hstack([a.images[0].get_array() for a in cells]), effects)
    assert figure.texts[0].get_text() == "here"


def test_attributions_of_another_length_are_refused():
    codes = np.zeros(5, np.uint8)
    with pytest.raises(DataError, match="cut both alike"):
        draw_landscape(Landscape(np.zeros((4, 5), np.float32), codes, "x", 0.0), heights=np.zeros((4, 6)))
