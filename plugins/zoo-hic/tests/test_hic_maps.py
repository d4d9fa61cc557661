"""`ContactMap`: dense squares of sparse counts, masks, and what does not fit."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.sparse import csr_array

from zoo.errors import ConfigError, DataError, GenomeMismatch
from zoo_hic.coarsen import coarsen
from zoo_hic.maps import ContactMap, check_square


@st.composite
def maps(draw):
    """(map of one contig "c", its counts, its weights)."""
    n = draw(st.integers(1, 12))
    upper = np.triu(draw(hnp.arrays(np.int64, (n, n), elements=st.integers(0, 50))))
    weights = draw(hnp.arrays(np.float64, n, elements=st.floats(0.1, 4) | st.just(np.nan)))
    pixels = {"c": csr_array(upper.astype(np.float32))}
    size = draw(st.integers((n - 1) * 10 + 1, n * 10))
    return ContactMap(("c",), {"c": size}, 10, pixels, {"c": weights}), upper + np.triu(upper, 1).T, weights


@given(maps())
def test_square_is_symmetric_and_masked_bins_are_unknown(made):
    contacts, counts, weights = made
    square = contacts.square("c")
    assert square.shape == (contacts.bins("c"),) * 2
    assert square.dtype == np.float64
    np.testing.assert_array_equal(square, square.T)
    masked = np.isnan(weights)
    assert np.isnan(square[masked]).all()
    assert np.isnan(square[:, masked]).all()
    known = ~masked
    expected = (counts * np.outer(weights, weights))[known][:, known]
    np.testing.assert_allclose(square[known][:, known], expected)
    np.testing.assert_array_equal(contacts.square("c", balanced=False)[known][:, known], counts[known][:, known])


@given(maps(), st.data())
def test_part_of_a_square_is_the_part_of_the_square(made, data):
    contacts, _, _ = made
    first = data.draw(st.integers(0, contacts.bins("c")))
    last = data.draw(st.integers(first, contacts.bins("c")))
    np.testing.assert_array_equal(contacts.square("c", first, last), contacts.square("c")[first:last, first:last])


def test_dense_comes_back():
    dense = np.array([[4.0, 1, np.nan, 0], [1, 3, np.nan, 2], [np.nan] * 4, [0, 2, np.nan, 5]])
    contacts = ContactMap.from_dense({"chrI": dense}, 1_000, {"chrI": 3_500})
    np.testing.assert_array_equal(contacts.square("chrI"), dense)
    assert contacts.bins("chrI") == 4
    assert "4 bins of 1,000 bp, balanced" in repr(contacts)


def test_what_does_not_fit_is_refused():
    dense = np.ones((3, 3))
    contacts = ContactMap.from_dense({"c": dense}, 10)
    with pytest.raises(GenomeMismatch, match="no contig 'd'"):
        contacts.square("d")
    with pytest.raises(DataError, match="choose bins from 0 to 3"):
        contacts.square("c", 1, 4)
    with pytest.raises(DataError, match="is not symmetric"):
        ContactMap.from_dense({"c": np.arange(9.0).reshape(3, 3)}, 10)
    with pytest.raises(ConfigError, match=r"it must be \(T, T\)"):
        check_square(np.ones((2, 3)))
    with pytest.raises(DataError, match="31 bp have 4 of 10 bp: make them agree"):
        ContactMap.from_dense({"c": dense}, 10, {"c": 31})
    hole = dense.copy()
    hole[0, 1] = hole[1, 0] = np.nan
    with pytest.raises(DataError, match="mask whole bins"):
        ContactMap.from_dense({"c": hole}, 10)
    with pytest.raises(DataError, match=r"weights of 'c' .* give \(3,\)"):
        ContactMap.from_dense({"c": dense}, 10, weights={"c": np.ones(2)})
    raw = ContactMap(("c",), {"c": 30}, 10, contacts.pixels)
    with pytest.raises(DataError, match=r"`cooler balance`.*balance=none"):
        raw.square("c")
    np.testing.assert_array_equal(raw.square("c", balanced=False), dense)


@given(st.integers(1, 20), st.integers(2, 6), st.integers(0, 99))
def test_coarse_counts_are_sums(n, factor, seed):
    counts = np.triu(np.random.default_rng(seed).poisson(3, (n, n)))
    coarse = coarsen(ContactMap(("c",), {"c": n * 10}, 10, {"c": csr_array(counts.astype(np.float32))}), factor)
    assert coarse.resolution == 10 * factor
    padded = np.pad(counts, (0, -n % factor))
    wanted = padded.reshape(len(padded) // factor, factor, -1, factor).sum((1, 3))
    np.testing.assert_array_equal(coarse.pixels["c"].toarray(), wanted)
    assert coarse.square("c", balanced=False).shape == (coarse.bins("c"),) * 2


def test_coarse_bins_make_up_for_masked_ones():
    """A map whose balanced contacts are all 1 stays flat, whatever the weights, where enough is known."""
    weights = np.array([0.5, 2, 1, np.nan, 0.25, 1, np.nan, np.nan, np.nan, 1, 1])
    filled = np.nan_to_num(weights, nan=1)
    counts = csr_array(np.triu(1 / np.outer(filled, filled)).astype(np.float32))
    coarse = coarsen(ContactMap(("c",), {"c": 110}, 10, {"c": counts}, {"c": weights}), 3)
    square = coarse.square("c")
    assert np.isnan(square[2]).all()
    off = [(0, 1), (0, 3), (1, 3)]
    np.testing.assert_allclose([square[i, j] for i, j in off], 9.0, rtol=1e-6)
    assert "balanced contacts, not balanced again" in coarse.notes[-1]
    assert coarse.origin["coarsened_from"] == 10
    with pytest.raises(ConfigError, match="whole number from 1 on"):
        coarsen(coarse, 0)
