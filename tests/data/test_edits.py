"""Edits make the sequences that a person would write by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoo.data.codes import decode, encode
from zoo.data.edits import Edits
from zoo.errors import DataError

REFERENCE = "ACGTNACGTTAACC"


def by_hand(text, edits, length):
    for position, replaced, letters in sorted(edits, reverse=True):
        text = text[:position] + letters + text[position + replaced :]
    return (text + "N" * length)[:length]


@st.composite
def mutants(draw):
    ends = sorted(draw(st.sets(st.integers(0, len(REFERENCE)), max_size=6)))
    pairs = list(zip(ends[::2], ends[1::2], strict=False))
    return [(a, b - a, draw(st.text("ACGTN", max_size=4))) for a, b in pairs]


@given(st.lists(mutants(), max_size=5), st.integers(1, len(REFERENCE)))
def test_mutants_read_as_if_written_by_hand(sets, length):
    codes = encode(REFERENCE)[None]
    edits = Edits.sets(sets)
    made = edits.apply(codes, length)
    assert [decode(x) for x in made] == [by_hand(REFERENCE, e, length) for e in sets]
    low, high = edits.span(length)
    same = made == codes[0, :length]
    for m in range(len(sets)):
        assert same[m, : low[m]].all()
        assert same[m, high[m] :].all()
    assert edits.shift.tolist() == [sum(len(t) - n for _, n, t in e) for e in sets]


@given(st.lists(mutants(), min_size=1, max_size=5), st.data())
def test_a_part_of_the_mutants_is_those_mutants(sets, data):
    chosen = data.draw(st.lists(st.integers(0, len(sets) - 1), max_size=6))
    codes = encode(REFERENCE)[None]
    edits = Edits.sets(sets)
    part = edits[np.array(chosen, int)]
    assert len(part) == len(chosen)
    assert np.array_equal(part.apply(codes), edits.apply(codes)[chosen])


def test_every_other_base_is_a_substitution_and_an_n_has_four():
    codes = np.stack([encode("ACN"), encode("GGT")])
    edits = Edits.substitutions(codes)
    assert edits.row.tolist() == [0] * 10 + [1] * 9
    assert edits.are_substitutions
    assert [decode(x) for x in edits.apply(codes)[:7]] == ["CCN", "GCN", "TCN", "AAN", "AGN", "ATN", "ACA"]
    part = Edits.substitutions(codes, 1, 2, rows=[1])
    assert (part.row == 1).all()
    assert part.position.tolist() == [1, 1, 1]


@pytest.mark.parametrize(
    ("edits", "yes"),
    [
        ([[(3, 1, "A")], [(0, 1, "C")]], True),
        ([[(3, 1, "")], [(0, 1, "CC")]], False),
        ([[], [(0, 1, "C"), (3, 1, "A")]], False),
        ([[(3, 2, "A")]], False),
    ],
)
def test_single_substitutions_are_told_apart(edits, yes):
    assert Edits.sets(edits).are_substitutions is yes


def test_what_overlaps_or_leaves_the_window_is_refused():
    with pytest.raises(DataError, match="edits at 3 and 4 of one mutant overlap: join them"):
        Edits.sets([[(4, 1, "A"), (3, 2, "")]])
    with pytest.raises(DataError, match="edit of 2 bp at 13 leaves the window of 14 bp: use positions from 0 to 13"):
        Edits.sets([[(13, 2, "")]]).apply(encode(REFERENCE)[None])
