"""Tracks of a model whose one motif is known: the letters are where the motif was planted."""

import numpy as np
import pytest

from zoo.data.motifs import get_motif
from zoo.report.attribution import attribution, highest
from zoo.report.section import Picture, Text


def planted(at, length=200):
    """A sequence with CTCF's consensus at `at`."""
    codes = np.random.default_rng(3).integers(0, 4, length).astype(np.uint8)
    best = get_motif("MA0139.2").log_odds().argmax(0)
    codes[at : at + len(best)] = best
    return codes, len(best)


@pytest.fixture
def subject(plain):
    made = plain(interpreter={"name": "ism"})
    made.codes[5], width = planted(120)
    made.names = [f"row {i}" for i in range(8)]
    made.labels = np.array([0, 0, 0, 0, 0, 1, 0, np.nan])
    made.width = width
    return made


def pictures(section):
    return [p for p in section.parts if isinstance(p, Picture)]


def test_the_highest_prediction_comes_first_and_its_letters_stand_on_the_motif(subject):
    first = pictures(attribution(subject))[0]
    assert first.caption.startswith("row 5: CTCF:raw = ")
    assert "labelled positive" in first.caption
    letters, cells = first.figure.axes[:2]
    boxes = np.concatenate(
        [[p.get_extents().extents for p in c.get_paths()] for c in letters.collections if c.get_paths()]
    )
    middles, heights = (boxes[:, 0] + boxes[:, 2]) / 2, boxes[:, 3] - boxes[:, 1]
    inside = (middles >= 120) & (middles < 120 + subject.width)
    assert heights[inside].sum() > 0.95 * heights.sum()
    assert letters.get_xlim() == cells.get_xlim()
    assert cells.images[0].get_array()[:, 120 - round(cells.get_xlim()[0]) :][:, : subject.width].min() < -1


def test_a_long_input_is_drawn_where_its_attribution_is_and_says_so(subject):
    caption = pictures(attribution(subject))[0].caption
    start, end = (int(x) for x in caption.split("positions ")[1].split(" of ")[0].split(" to "))
    assert end - start + 1 == 100
    assert start - 1 <= 120
    assert 120 + subject.width <= end
    assert "of 200, which hold 100% of all attribution" in caption


def test_places_of_a_genome_are_on_the_axis(subject):
    subject.places = [("chr7", 1000 * i) for i in range(8)]
    first = pictures(attribution(subject))[0]
    low, high = first.figure.axes[1].get_xlim()
    assert 5000 <= low <= 5120
    assert high <= 5200
    assert first.figure.axes[1].get_xlabel() == "position on chr7, bp"


def test_random_sequences_and_how_they_were_chosen_are_said(subject):
    subject.random = True
    text = [p for p in attribution(subject).parts if isinstance(p, Text)]
    assert "look at the filters, not at the tracks" in text[0].text
    assert "3 sequences with the highest CTCF:raw among eight sequences" in text[1].text


def test_ties_go_to_the_first_and_fewer_sequences_than_shown_are_all_shown():
    assert highest(np.array([1.0, 3, 3, 2]), 3).tolist() == [1, 2, 3]
    assert highest(np.array([1.0]), 3).tolist() == [0]


def test_no_interpreter_no_section(plain):
    assert attribution(plain()) is None


def test_a_name_with_dollars_and_markup_is_drawn_as_text(subject):
    subject.names = [r"$\frac{1}{" + "<b>" * 100] * 8
    attribution(subject)
    for picture in pictures(attribution(subject)):
        picture.figure.canvas.draw()
