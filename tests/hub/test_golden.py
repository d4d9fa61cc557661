"""Golden outputs: eight examples and what was predicted for them go with every model."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from zoo.errors import HubError
from zoo.hub.golden import EXAMPLES, check_golden, golden_inputs
from zoo.hub.model_folder import load_bundle, save_bundle


def test_arrays_serve_as_a_golden_batch_and_targets_are_left_out(model, batch, tmp_path):
    save_bundle(model, tmp_path / "m", {k: np.asarray(x) for k, x in batch.items()})
    stored = load_file(tmp_path / "m" / "golden.safetensors")
    assert sorted(stored) == ["input/codes", "output/CTCF"]
    assert stored["input/codes"].dtype == torch.uint8


def test_a_drifted_model_fails_its_golden_outputs(bundle):
    loaded = load_bundle(bundle)
    with torch.no_grad():
        loaded.heads["CTCF"].linear.bias += 0.01
    with pytest.raises(HubError, match="differs from its golden outputs"):
        check_golden(loaded, bundle)


def test_weights_that_predict_nan_are_not_saved(model, batch, tmp_path):
    with torch.no_grad():
        model.heads["CTCF"].linear.bias.fill_(float("nan"))
    with pytest.raises(HubError, match="NaN"):
        save_bundle(model, tmp_path / "m", batch)
    assert list(tmp_path.iterdir()) == []


def test_the_first_eight_examples_are_kept(model, batch, tmp_path):
    codes = batch["codes"].repeat(3, 1)
    save_bundle(model, tmp_path / "m", {"codes": codes})
    kept = golden_inputs(tmp_path / "m")
    assert list(kept) == ["codes"]
    assert torch.equal(kept["codes"], codes[:EXAMPLES])
    save_bundle(model, tmp_path / "again", kept)
    assert torch.equal(golden_inputs(tmp_path / "again")["codes"], kept["codes"])
