"""Letters where the numbers are."""

import sys
from time import process_time

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from zoo.errors import DataError
from zoo.pictures.logo import COLOURS, draw_logo


@pytest.fixture
def axes():
    figure = Figure(figsize=(12, 2))
    FigureCanvasAgg(figure)
    return figure.add_axes((0.1, 0.1, 0.8, 0.8))


def boxes(collection):
    """(x0, y0, x1, y1) of each letter."""
    return np.array([p.get_extents().extents for p in collection.get_paths()])


def test_every_height_but_zero_is_a_letter_of_its_base(axes):
    heights = np.random.default_rng(0).normal(size=(4, 50))
    heights[:, ::3] = 0
    drawn = draw_logo(axes, heights)
    assert [len(c.get_paths()) for c in drawn] == np.count_nonzero(heights, axis=1).tolist()
    assert [to_hex(c.get_facecolor()[0]) for c in drawn] == list(COLOURS.values())


def test_letters_stack_away_from_zero_with_the_largest_outermost(axes):
    a, c, g, t = draw_logo(axes, np.array([[1.0], [3.0], [-0.5], [-2.0]]), start=100)
    np.testing.assert_allclose(boxes(a)[0, [1, 3]], [0, 1])
    np.testing.assert_allclose(boxes(c)[0, [1, 3]], [1, 4])
    np.testing.assert_allclose(boxes(g)[0, [1, 3]], [-0.5, 0])
    np.testing.assert_allclose(boxes(t)[0, [1, 3]], [-2.5, -0.5])
    assert 100 < boxes(a)[0, 0] < boxes(a)[0, 2] < 101
    low, high = axes.get_ylim()
    assert low <= -2.5 < 4 <= high


def test_a_letter_below_zero_stands_on_its_head(axes):
    up, down = draw_logo(axes, np.array([[0.0, 0], [0, 0], [0, 0], [1, -1]]))[3].get_paths()
    bar_of_t = up.vertices[:, 1] > 0.9
    assert (down.vertices[bar_of_t, 1] < -0.9).all()


def test_heights_that_cannot_be_drawn_are_errors(axes):
    with pytest.raises(DataError, match=r"\(5, 4\) of a logo must be \(4, W\)"):
        draw_logo(axes, np.zeros((5, 4)))
    with pytest.raises(DataError, match="NaN"):
        draw_logo(axes, np.full((4, 2), np.nan))


def test_500_bases_are_drawn_quickly(axes):
    """Bar: 3 s of CPU for 2,000 letters, one of each base in every column."""
    heights = np.random.default_rng(0).normal(size=(4, 500))
    began = process_time()
    draw_logo(axes, heights)
    axes.figure.canvas.draw()
    assert process_time() - began < 3
    assert (np.asarray(axes.figure.canvas.buffer_rgba())[..., :3] < 200).any()


def test_pyplot_is_not_needed(axes, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    draw_logo(axes, np.eye(4))
    axes.figure.canvas.draw()
    assert len(axes.collections) == 4
