import numpy as np
import pytest
import torch

from zoo.evaluation.strand_consistency import strand_error, strand_errors
from zoo.model import build
from zoo.spec import ModelSpec


def small(tied=False, conjoined=False, scale=10.0):
    torch.manual_seed(0)
    encoder = {"name": "motif_cnn", "filters": 8, "width": 9, "hidden": 0, "tied": tied}
    head = {"name": "scalar", "in_channels": 16 if tied else 8, "tasks": ["a", "b"]}
    model = build(ModelSpec("small", encoder, {"y": head}, 60, conjoined=conjoined)).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(scale)
    return model


BATCH = {
    "codes": np.random.default_rng(0).integers(0, 4, (32, 60)).astype(np.uint8),
    "target/y": np.zeros((32, 2), np.float32),
}


def test_a_tied_network_says_the_same_of_both_strands_and_an_ordinary_one_does_not():
    error, spread = strand_error(small(tied=True), BATCH)
    assert error < 1e-4 * max(1, spread)
    assert spread > 0.1
    error, spread = strand_error(small(), BATCH)
    assert error > 0.1
    assert spread > 0.1


def test_averaging_is_left_out_unless_asked_for_and_the_spec_is_restored():
    model = small(conjoined=True)
    assert strand_error(model, BATCH)[0] > 0.1
    assert strand_error(model, BATCH, averaged=True)[0] < 1e-4
    assert model.spec.conjoined


def test_the_mode_is_restored_and_the_error_is_that_of_eval_mode():
    model = small(tied=True).train()
    assert strand_error(model, BATCH)[0] == strand_error(model.eval(), BATCH)[0]
    model.train()
    strand_error(model, BATCH)
    assert model.training


def test_errors_are_given_for_every_head():
    assert list(strand_errors(small(), BATCH)) == ["y"]


def test_a_network_that_says_nothing_is_betrayed_by_its_spread():
    error, spread = strand_error(small(scale=0.0), BATCH)
    assert error == pytest.approx(0)
    assert spread == pytest.approx(0)
