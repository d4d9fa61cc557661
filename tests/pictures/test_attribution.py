"""Pictures of attributions show the letters that are there, where they are."""

import numpy as np
import pytest
from matplotlib.collections import PathCollection, PolyCollection

from zoo.attribution.result import Attributed
from zoo.pictures.attribution import chosen, draw_attribution


def make(n=1, length=100, **changes):
    rng = np.random.default_rng(2)
    codes = rng.integers(0, 4, (n, length)).astype(np.uint8)
    values = rng.normal(0, 0.01, (n, 4, length)).astype(np.float32)
    fields = {
        "predictions": np.arange(n, dtype=np.float32),
        "output": "CTCF:raw",
        "interpreter": {"name": "deeplift_shap"},
        "names": [f"peak_{i}" for i in range(n)],
        "chrom": ["chr20"] * n,
        "start": np.full(n, 1000),
        "comments": {"model": "tiny"},
    }
    return Attributed(codes, values, "hypothetical", **{**fields, **changes})


def letters(axes):
    """Number of letters drawn."""
    return sum(len(c.get_paths()) for c in axes.collections if isinstance(c, PathCollection))


@pytest.mark.parametrize(("length", "rows"), [(1, 1), (130, 1), (131, 2), (200, 2), (520, 4)])
def test_up_to_520_bp_are_all_letters(length, rows):
    figure = draw_attribution(make(length=length))
    assert len(figure.axes) == rows
    assert sum(letters(axes) for axes in figure.axes) == length
    assert max(letters(axes) for axes in figure.axes) <= 130
    assert len({axes.get_ylim() for axes in figure.axes}) == 1


def test_a_letter_is_as_high_as_its_contribution():
    attributed = make(length=20)
    axes = draw_attribution(attributed).axes[0]
    actual = attributed.actual()[0]
    for base, collection in enumerate(axes.collections[:4]):
        boxes = np.array([p.get_extents().extents for p in collection.get_paths()])
        columns = np.flatnonzero(actual[base])
        np.testing.assert_allclose(boxes[:, [1, 3]].sum(1), actual[base, columns], atol=1e-6)
        assert (np.floor(boxes[:, 0]) == 1000 + columns).all()


def test_a_long_window_is_bars_and_letters_of_what_contributes_most():
    attributed = make(length=2000)
    sites = [300, 900, 1960]
    for at in sites:
        attributed.values[0, :, at : at + 15] += 1
    whole, *zooms = draw_attribution(attributed).axes
    assert sum(isinstance(c, PolyCollection) for c in whole.collections) >= 4
    assert whole.get_xlim() == (1000, 3000)
    assert [letters(axes) for axes in zooms] == [130] * 3
    for at, axes in zip(sites, zooms, strict=True):
        left, right = axes.get_xlim()
        assert left <= 1000 + at
        assert 1000 + at + 15 <= right
        assert axes.get_ylim() == whole.get_ylim()
    assert [t.get_text() for t in whole.texts] == ["1", "2", "3"]


def test_a_window_without_any_contribution_is_drawn_flat():
    attributed = make(length=600)
    attributed.values[:] = 0
    assert len(draw_attribution(attributed).axes) == 2


def test_only_the_columns_that_are_asked_for_are_drawn():
    figure = draw_attribution(make(length=200), shown=(70, 130))
    assert letters(figure.axes[0]) == 60
    assert figure.axes[0].get_xlim() == (1070, 1130)
    assert figure.texts[0].get_text() == "chr20:1,071-1,130, peak_0"
    assert figure.texts[1].get_text() == "CTCF:raw of tiny predicted 0, by deeplift_shap"


def test_of_many_windows_those_with_the_largest_predictions_are_drawn():
    attributed = make(30, 50)
    assert chosen(attributed) == list(range(29, 17, -1))
    figure = draw_attribution(attributed)
    assert len(figure.axes) == 12
    assert figure.texts[0].get_text() == "12 of 30 windows: those with the largest predictions"
    assert figure.texts[1].get_text().endswith("peak_29")
    assert chosen(make(12, 50)) == list(range(12))


def test_positions_count_from_1():
    axes = draw_attribution(make(length=40)).axes[0]
    ticks = dict(zip(axes.get_xticks(), [t.get_text() for t in axes.get_xticklabels()], strict=True))
    assert ticks[1009.5] == "1,010"


def test_names_of_strangers_are_no_formulas():
    figure = draw_attribution(make(names=["a $\\frac$ b"], chrom=None, start=None))
    figure.canvas.draw()
    assert "position, bp" in [axes.get_xlabel() for axes in figure.axes]
