"""How alleles of different length are laid on one another, what is picked and what is masked."""

import numpy as np
import pytest

from zoo_splice.variants.conventions import CI_SPLICEAI, SPLICEAI
from zoo_splice.variants.genes import Gene

GENE = Gene("g", 0, 1, 50, 200, np.array([98]), np.array([105]), np.array([50, 98, 105, 199]))


def columns(*values):
    return np.array([values] * 3, np.float32)


def test_deleted_bases_are_zeros_behind_alt_in_one_tool_and_in_front_of_it_in_the_other():
    alternate = columns(1, 2, 3, 4)  # distance 2, REF of 3 bases to ALT of 1: two bases less
    assert SPLICEAI.lay(alternate, 2, 3, 1)[0].tolist() == [1, 2, 3, 0, 0, 4]
    assert CI_SPLICEAI.lay(alternate, 2, 3, 1)[0].tolist() == [1, 2, 0, 0, 3, 4]


def test_inserted_bases_and_the_one_in_front_are_their_maximum():
    alternate = columns(1, 2, 3, 9, 4, 5)
    for convention in (SPLICEAI, CI_SPLICEAI):
        assert convention.lay(alternate, 2, 1, 3)[0].tolist() == [1, 2, 9, 5]


@pytest.mark.parametrize("convention", [SPLICEAI, CI_SPLICEAI])
@pytest.mark.parametrize("reference", [1, 2, 7, 40, 300])
@pytest.mark.parametrize("letters", [1, 2, 7, 300])
def test_laid_alleles_have_a_number_for_each_base_that_is_looked_at(convention, reference, letters):
    first, last = convention.outputs(1000, reference, 50)
    assert first == 950
    alternate = np.random.default_rng(0).random((3, last - first + letters - reference), np.float32)
    assert convention.lay(alternate, 50, reference, letters).shape == (3, last - first)
    assert last >= 1000 + reference


def test_gain_and_loss_and_their_places():
    reference, alternate = np.zeros((3, 21), np.float32), np.zeros((3, 21), np.float32)
    alternate[1, 3], reference[1, 8], alternate[2, 20], reference[2, 0] = 0.75, 0.5, 0.25, 1
    for convention in (SPLICEAI, CI_SPLICEAI):
        scores, places = convention.deltas(reference, alternate, 90, 100, None, False)
        assert scores == [0.75, 0.5, 0.25, 1.0]
        assert places == [-7, -2, 10, -10]


def test_a_mask_before_picking_leaves_the_next_and_one_after_it_leaves_nothing():
    reference, alternate = np.zeros((3, 21), np.float32), np.zeros((3, 21), np.float32)
    alternate[1, 8], alternate[1, 3] = 0.75, 0.5  # at 98, which is a known acceptor, and at 93
    reference[2, 15], reference[2, 12] = 0.5, 0.75  # at 105, which is a known donor, and at 102
    scores, places = CI_SPLICEAI.deltas(reference, alternate, 90, 100, GENE, True)
    assert (scores[0], places[0], scores[3], places[3]) == (0.5, -7, 0.5, 5)
    scores, places = SPLICEAI.deltas(reference, alternate, 90, 100, GENE, True)
    assert (scores[0], places[0], scores[3], places[3]) == (0, -2, 0, 2)


def test_one_tool_masks_by_the_nearest_end_of_an_exon_of_either_kind():
    reference, alternate = np.zeros((3, 21), np.float32), np.zeros((3, 21), np.float32)
    reference[2, 8] = 0.5  # a donor lost at 98, an acceptor by the annotation and the nearest end
    assert SPLICEAI.deltas(reference, alternate, 90, 100, GENE, True)[0][3] == 0.5
    assert CI_SPLICEAI.deltas(reference, alternate, 90, 100, GENE, True)[0][3] == 0


def test_the_last_base_of_a_gene_is_outside_for_one_tool():
    assert SPLICEAI.bounds(GENE) == (50, 200)
    assert CI_SPLICEAI.bounds(GENE) == (50, 199)
