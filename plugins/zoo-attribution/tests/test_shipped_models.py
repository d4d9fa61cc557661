"""The shipped models' attributions on held-out peaks, and what must not pass."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import zoo
from zoo.attribution.sequences import attribute_codes
from zoo.attribution.validation import compare
from zoo.report.sequences import of_intervals

pytestmark = [pytest.mark.slow, pytest.mark.data]
METHODS = ("deeplift_shap", "integrated_gradients", "saliency")


@pytest.fixture(scope="module")
def codes():
    """60 windows around CTCF peaks of chrX, which neither model has seen."""
    folder = Path(os.environ.get("ZOO_DATA", ""))
    if not os.environ.get("ZOO_DATA") or not (folder / "ctcf").is_dir():
        pytest.skip("ZOO_DATA names no folder with ctcf")
    peaks = folder / "ctcf" / "GM12878_CTCF_chr20_chrX.broadPeak.gz"
    return of_intervals(str(peaks), [str(folder / "hg19" / "chrX_first70Mb.fa.gz")], 200, 60, 0).codes


@pytest.mark.parametrize("name", ["ctcf-motif-cnn", "ctcf-dilated-cnn"])
def test_attributions_are_faithful_and_shuffled_ones_are_not(name, codes):
    model = zoo.load(name)
    truth = attribute_codes(model, codes, interpreter="ism", output="CTCF:raw")
    for method in METHODS:
        found = attribute_codes(model, codes, interpreter=method, output="CTCF:raw")
        assert compare(found, truth, n_shuffles=20).verdicts()[0].answer == "yes", method
        rng = np.random.default_rng(0)
        wrong = np.stack([row[:, rng.permutation(200)] for row in found.values])
        assert compare(replace(found, values=wrong), truth, n_shuffles=20).verdicts()[0].answer == "no", method


def test_the_gradient_of_a_saturated_output_is_caught(codes):
    """The probability of a strong site is 1 to the last digit: its gradient is rounding, and a substitution is not."""
    model = zoo.load("ctcf-motif-cnn")
    with torch.no_grad():
        for head in model.heads.values():
            for part in head.parameters():
                part.mul_(8)
    raw = attribute_codes(model, codes, interpreter="saliency", output="CTCF:raw")
    strong = codes[np.argsort(-raw.predictions)[:30]]
    truth = attribute_codes(model, strong, interpreter="ism", output="CTCF")
    found = attribute_codes(model, strong, interpreter="saliency", output="CTCF")
    assert compare(found, truth, n_shuffles=20).verdicts()[0].answer == "no"
