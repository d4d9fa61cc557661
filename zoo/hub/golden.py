"""Golden outputs: what a model predicted for 8 examples where it was saved, so that every later load can be checked.

batch -> make_golden -> golden.safetensors {input/<key>, output/<head>} and the tolerance -> check_golden
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.errors import HubError
from zoo.hub.manifest import GOLDEN
from zoo.hub.tensors import read_metadata, read_tensors, storable

if TYPE_CHECKING:
    from torch import Tensor

    from zoo.model import Model

EXAMPLES = 8


def make_golden(model: Model, batch: Mapping[str, Any], rtol: float, atol: float) -> bytes:
    """The bytes of golden.safetensors: a batch's first 8 examples and the predictions for them, on the CPU in float32.

    Raises HubError for a batch that the model does not read, and for predictions that are not finite.
    """
    import torch
    from safetensors.torch import save

    inputs = _first_examples(model, batch)
    outputs = _predict(model, inputs)
    for head, x in outputs.items():
        if not torch.isfinite(x).all():
            raise HubError(f"head {head!r} of model {model.spec.name!r} predicts NaN or infinity: it is not saved")
    stored = {f"input/{key}": x for key, x in inputs.items()} | {f"output/{head}": x for head, x in outputs.items()}
    # one key: safetensors writes several in an order of its own, and the revision would change with it
    return save(stored, {"tolerance": json.dumps({"rtol": float(rtol), "atol": float(atol)})})


def check_golden(model: Model, folder: str | Path) -> float:
    """Predict the stored examples where the model is, and return the largest absolute difference.

    Raises HubError where it is beyond the stored tolerance (atol + rtol * |expected|).
    """
    import torch

    path = Path(folder) / GOLDEN
    inputs, expected = _part(path, "input/"), _part(path, "output/")
    try:
        tolerance = json.loads(read_metadata(path)["tolerance"])
        rtol, atol = float(tolerance["rtol"]), float(tolerance["atol"])
    except (KeyError, ValueError, TypeError) as error:
        raise HubError(f"{path} gives no tolerance: publish the model again") from error
    predicted = _predict(model, inputs)
    if {k: x.shape for k, x in predicted.items()} != {k: x.shape for k, x in expected.items()}:
        raise HubError(
            f"{path} holds outputs {sorted(expected)}, but the model has {sorted(predicted)} or other shapes"
        )
    worst = 0.0
    for head, value in expected.items():
        difference = (predicted[head] - value).abs()
        worst = max(worst, difference.max().item())
        if not torch.all(difference <= atol + rtol * value.abs()):
            raise HubError(
                f"model {model.spec.name!r} differs from its golden outputs by {difference.max().item():.3g} "
                f"(head {head!r}, allowed {atol:g} + {rtol:g} x value): do not trust its predictions here, "
                "compare the versions in `zoo show` with `zoo doctor`"
            )
    return worst


def golden_inputs(folder: str | Path) -> dict[str, Tensor]:
    """The examples that a model folder keeps: a batch of at most 8, as the model takes it."""
    return _part(Path(folder) / GOLDEN, "input/")


def _part(path: Path, prefix: str) -> dict[str, Tensor]:
    return {key.removeprefix(prefix): x for key, x in read_tensors(path).items() if key.startswith(prefix)}


def _predict(model: Model, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Predictions in eval mode as float32 on the CPU; the mode is put back."""
    import torch

    training = model.training
    model.eval()
    try:
        with torch.no_grad():
            predicted = model.predict({k: x.to(model.device) for k, x in inputs.items()})
    finally:
        model.train(training)
    return {head: x.float().cpu().contiguous() for head, x in predicted.items()}


def _first_examples(model: Model, batch: Mapping[str, Any]) -> dict[str, Tensor]:
    import numpy as np
    import torch

    reads = {"codes", *model.input_fields, *(f"present/{k}" for k in model.input_fields)}
    first = {k: x[:EXAMPLES] for k, x in batch.items() if k in reads}
    tensors = {k: x if isinstance(x, torch.Tensor) else torch.from_numpy(np.array(x)) for k, x in first.items()}
    inputs = {k: storable(x) for k, x in tensors.items()}
    if not inputs or any(len(x) == 0 for x in inputs.values()):
        raise HubError(f"the golden batch has no example that model {model.spec.name!r} reads: give it {sorted(reads)}")
    return inputs
