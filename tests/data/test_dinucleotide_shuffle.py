"""Dinucleotide shuffles keep every pair count and are otherwise random."""

from collections import Counter
from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from zoo.data.dinucleotide_shuffle import dinucleotide_shuffle


@given(st.lists(st.integers(0, 4), max_size=60), st.integers(0, 5))
def test_pairs_ends_and_letters_are_kept(letters, seed):
    codes = np.array(letters, np.uint8)
    for row in dinucleotide_shuffle(codes, 3, seed):
        assert Counter(pairwise(row.tolist())) == Counter(pairwise(letters))
        assert Counter(row.tolist()) == Counter(letters)
        assert row[:1].tolist() == letters[:1]
        assert row[-1:].tolist() == letters[-1:]


def test_every_arrangement_is_about_equally_likely():
    codes = np.array([0, 1, 0, 2, 0, 1, 2, 0], np.uint8)
    rows = dinucleotide_shuffle(codes, 12_000, seed=1)
    found = Counter(map(bytes, rows))
    expected = 12_000 / len(found)
    assert len(found) > 4
    assert max(abs(n - expected) for n in found.values()) < 5 * expected**0.5


def test_a_row_depends_on_the_seed_and_its_number_alone():
    codes = np.random.default_rng(0).integers(0, 4, 500).astype(np.uint8)
    some, more = dinucleotide_shuffle(codes, 3, seed=4), dinucleotide_shuffle(codes, 10, seed=4)
    assert np.array_equal(some, more[:3])
    assert not np.array_equal(more[0], more[1])
    assert not np.array_equal(some[0], dinucleotide_shuffle(codes, 1, seed=5)[0])
    assert (more[0] == codes).mean() < 0.5
