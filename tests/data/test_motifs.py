import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zoo.data.codes import encode, reverse_complement
from zoo.data.motifs import Motif, best_hits, get_motif, motif_names, scan
from zoo.errors import DataError


def test_a_motif_is_found_by_name_identifier_and_version():
    assert get_motif("CTCF").id == get_motif("ma0139").id == get_motif("MA0139.2").id == "MA0139.2"
    assert get_motif("MA0139.1").consensus == "TGGCCACCAGGGGGCGCTA"
    assert get_motif("MA0139.1").counts[:, 0].tolist() == [87, 291, 76, 459]


def test_the_vertebrate_motif_of_core_is_taken_where_a_name_has_several():
    assert get_motif("CTCF").id.startswith("MA0139")


@pytest.mark.parametrize("name", ["CTCFF", "ctcff", "MA9139"])
def test_an_unknown_motif_is_answered_with_the_nearest(name):
    with pytest.raises(DataError, match="did you mean"):
        get_motif(name)


def test_an_unknown_release_is_refused():
    with pytest.raises(DataError, match="did you mean 'JASPAR2026'"):
        get_motif("CTCF", "JASPAR2025")


def test_names_are_many_and_each_once():
    names = motif_names()
    assert len(names) > 2000
    assert len(set(names)) == len(names)


def test_importing_motifs_imports_neither_pyjaspar_nor_torch():
    code = "import sys, zoo.data.motifs; assert not {'pyjaspar', 'Bio', 'torch'} & set(sys.modules), 'heavy'"
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)


def test_sampled_sites_have_the_frequencies_of_the_counts():
    motif = get_motif("GATA1")
    sites = motif.sample(np.random.default_rng(0), 20_000)
    observed = np.stack([(sites == base).mean(0) for base in range(4)])
    assert np.abs(observed - motif.counts / motif.counts.sum(0)).max() < 0.015


def test_counts_of_a_wrong_shape_are_refused():
    with pytest.raises(DataError, match=r"\(4, W\)"):
        Motif("x", "x", np.ones((3, 5)))


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 9), st.integers(9, 40))
def test_the_scan_agrees_with_a_loop_over_positions_and_strands(seed, width, length):
    rng = np.random.default_rng(seed)
    log_odds = Motif("x", "x", rng.integers(0, 20, (4, width)) + 1).log_odds()
    codes = rng.integers(0, 5, (3, length)).astype(np.uint8)
    table = np.vstack([log_odds, log_odds.min(0)])

    def by_hand(sequence):
        sites = [sequence[i : i + width] for i in range(length - width + 1)]
        return max(
            sum(table[base, i] for i, base in enumerate(site))
            for forward in sites
            for site in (forward, reverse_complement(forward))
        )

    assert np.allclose(scan(log_odds, codes), [by_hand(row) for row in codes])


def test_the_scan_says_the_same_of_both_strands():
    log_odds = get_motif("CTCF").log_odds()
    codes = np.random.default_rng(1).integers(0, 4, (50, 100)).astype(np.uint8)
    forward, backward = best_hits(log_odds, codes), best_hits(log_odds, reverse_complement(codes))
    assert np.allclose(forward[0], backward[0])
    assert (forward[1] == 100 - 15 - backward[1]).all()
    assert (forward[2] != backward[2]).all()


def test_a_sequence_shorter_than_the_motif_is_refused():
    with pytest.raises(DataError, match="shorter than the motif"):
        scan(get_motif("CTCF").log_odds(), encode("ACGT"))
