"""Scores are made of finite numbers alone."""

from __future__ import annotations

import torch

from zoo.effects.variants.scores import finite_pairs, merge

NAN = torch.nan


def test_a_number_that_one_shift_lacks_is_not_the_mean_of_the_others():
    shifts = [torch.tensor([[1.0, 2.0], [3.0, 4.0]]), torch.tensor([[3.0, 4.0], [NAN, 6.0]])]
    assert merge(shifts, 2)[0].tolist() == [2.0, 3.0]
    assert merge(shifts, 2)[1].isnan().tolist() == [True, False]


def test_a_position_that_one_anchor_lacks_is_that_of_the_other():
    anchors = [torch.tensor([[1.0, 2.0, NAN]]), torch.tensor([[3.0, NAN, NAN]])]
    merged = merge(anchors, 1)[0]
    assert merged[:2].tolist() == [2.0, 2.0]
    assert merged[2].isnan()


def test_a_reference_or_an_allele_that_is_not_finite_is_seen():
    good, nan, inf = (torch.tensor([[1.0, x]]) for x in (2.0, NAN, torch.inf))
    assert finite_pairs([(good, good)]).tolist() == [True]
    assert finite_pairs([(nan, good)]).tolist() == [False]
    assert finite_pairs([(good, inf)]).tolist() == [False]
    assert finite_pairs([(good, good), (good, inf)]).tolist() == [False]
    assert finite_pairs([(good, nan)]).tolist() == [True]  # a position that the allele lacks
