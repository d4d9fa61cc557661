"""Golden outputs: what a model predicted for 8 examples where it was saved, so that every later load can be checked.

batch -> make_golden -> golden.safetensors {input/<key>, output/<head>} and the tolerance -> read_golden -> check_golden

The examples are windows of the length that the model declares, so that a card whose `input_length` is not that of the
weights is noticed when the model is loaded.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.errors import HubError
from zoo.files.strict_json import parse_json
from zoo.hub.manifest import GOLDEN
from zoo.hub.tensors import read_metadata, read_tensors, storable

if TYPE_CHECKING:
    from torch import Tensor

    from zoo.model import Model
    from zoo.spec import ModelSpec

EXAMPLES = 8
LARGEST_RTOL, LARGEST_ATOL = 0.1, 0.1
"""Tolerances beyond these compare nothing: a tenth of the value, and a tenth of the output's unit."""


@dataclass(frozen=True)
class Golden:
    """Stored examples: inputs {key: (N, ...)}, outputs {head: (N, ...)}, and the tolerance atol + rtol * |output|."""

    inputs: Mapping[str, Tensor]
    outputs: Mapping[str, Tensor]
    rtol: float
    atol: float


def make_golden(model: Model, batch: Mapping[str, Any], rtol: float, atol: float) -> bytes:
    """The bytes of golden.safetensors: a batch's first 8 examples and the predictions for them, on the CPU in float32.

    Raises HubError for a batch that the model does not read or of another length than it declares, and for
    predictions that are not finite.
    """
    import torch

    inputs = _first_examples(model, batch)
    check_inputs(model.spec, inputs, f"the golden batch of model {model.spec.name!r}")
    outputs = _predict(model, inputs)
    for head, x in outputs.items():
        if not torch.isfinite(x).all():
            raise HubError(f"head {head!r} of model {model.spec.name!r} predicts NaN or infinity: it is not saved")
    return pack_golden(inputs, outputs, rtol, atol)


def pack_golden(inputs: Mapping[str, Any], outputs: Mapping[str, Tensor], rtol: float, atol: float) -> bytes:
    """The bytes of golden.safetensors: inputs {key: (N, ...)}, and what is to be predicted of them {head: (N, ...)}."""
    import torch
    from safetensors.torch import save

    inputs = {k: x if isinstance(x, torch.Tensor) else torch.from_numpy(x).contiguous() for k, x in inputs.items()}
    outputs = {head: x.contiguous() for head, x in outputs.items()}
    stored = {f"input/{key}": x for key, x in inputs.items()} | {f"output/{head}": x for head, x in outputs.items()}
    # one key: safetensors writes several in an order of its own, and the revision would change with it
    return save(stored, {"tolerance": json.dumps({"rtol": float(rtol), "atol": float(atol)})})


def check_golden(model: Model, folder: str | Path) -> float:
    """Predict the stored examples where the model is, and return the largest absolute difference.

    Raises HubError where it is beyond the stored tolerance (atol + rtol * |expected|).
    """
    import torch

    path, golden = Path(folder) / GOLDEN, read_golden(model.spec, folder)
    expected, rtol, atol = golden.outputs, golden.rtol, golden.atol
    predicted = _predict(model, golden.inputs)
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
    return _part(read_tensors(Path(folder) / GOLDEN), "input/")


def read_golden(spec: ModelSpec, folder: str | Path) -> Golden:
    """The golden outputs of a model folder, checked against what the model reads and predicts.

    spec: with the inputs and outputs of the built model.
    Raises HubError where a tensor is missing or empty, an input is not of the declared length and range, an output is
    not finite, or the tolerance is none or too large to compare anything.
    """
    import torch

    path = Path(folder) / GOLDEN
    tensors = read_tensors(path)
    golden = Golden(_part(tensors, "input/"), _part(tensors, "output/"), *_tolerance(path))
    check_inputs(spec, golden.inputs, str(path))
    missing = sorted(set(spec.outputs) ^ set(golden.outputs))
    if missing:
        raise HubError(f"{path} and the model have not the same outputs ({missing[0]!r}): publish the model again")
    n = len(next(iter(golden.inputs.values())))
    for head, x in golden.outputs.items():
        if x.dim() == 0 or len(x) != n:
            raise HubError(f"{path}: output {head!r} of shape {tuple(x.shape)} is not of the {n} examples beside it")
        if not x.is_floating_point() or not torch.isfinite(x).all():
            raise HubError(f"{path}: output {head!r} holds NaN or infinity: publish the model again")
    return golden


def check_inputs(spec: ModelSpec, inputs: Mapping[str, Tensor], where: str) -> None:
    """Raise HubError unless the inputs are what a model of this spec reads: keys, numbers of examples and positions."""
    import torch

    from zoo.fields import CODES

    fields = dict(spec.inputs)
    if "one_hot" in fields:
        fields["codes"] = CODES
    needed = {k for k, f in spec.inputs.items() if f.required} - ({"one_hot"} if "codes" in inputs else set())
    missing = sorted(needed - set(inputs))
    if missing or not inputs:
        raise HubError(f"{where} holds no {'codes' if missing in ([], ['one_hot']) else missing[0]} to predict from")
    sizes = {len(x) if x.dim() else 0 for x in inputs.values()}
    if len(sizes) > 1 or not 0 < min(sizes) <= EXAMPLES:
        raise HubError(f"{where} holds {', '.join(map(str, sorted(sizes)))} examples, which must be 1 to {EXAMPLES}")
    for key, x in inputs.items():
        field = fields.get(key)
        if field is None and key.removeprefix("present/") not in fields:
            raise HubError(f"{where} holds the input {key!r}, which the model does not read")
        if x.is_floating_point() and not torch.isfinite(x).all():
            raise HubError(f"{where}: input {key!r} holds NaN or infinity")
        if field is None:
            continue
        if x.dim() != len(field.axes) + 1:
            raise HubError(f"{where}: input {key!r} of shape {tuple(x.shape)} has not the axes N{field.axes}")
        lengths = {x.shape[axis] * field.bin_size for axis in field.position_axes}
        if lengths - {spec.input_length}:
            raise HubError(
                f"{where} was made for windows of {min(lengths - {spec.input_length}):,} bp, but the model declares "
                f"input_length {spec.input_length:,}: the weights are of another length than the card says"
            )
    codes = inputs.get("codes")
    if codes is not None and (codes.is_floating_point() or bool(((codes < 0) | (codes > 4)).any())):
        raise HubError(f"{where}: codes must be whole numbers from 0 to 4 (A C G T N), not {codes.max().item():g}")


def _part(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {key.removeprefix(prefix): x for key, x in tensors.items() if key.startswith(prefix)}


def _tolerance(path: Path) -> tuple[float, float]:
    try:
        tolerance = parse_json(read_metadata(path)["tolerance"])
        rtol, atol = float(tolerance["rtol"]), float(tolerance["atol"])
    except (KeyError, ValueError, TypeError) as error:
        raise HubError(f"{path} gives no tolerance ({error}): publish the model again") from error
    if not (0 <= rtol <= LARGEST_RTOL and 0 <= atol <= LARGEST_ATOL):
        raise HubError(
            f"{path} allows differences of {atol:g} + {rtol:g} x value, beyond {LARGEST_ATOL:g} + {LARGEST_RTOL:g} x "
            "value, so that nothing would be compared: do not trust this model"
        )
    return rtol, atol


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
    if not inputs or any(x.dim() == 0 or len(x) == 0 for x in inputs.values()):
        raise HubError(f"the golden batch has no example that model {model.spec.name!r} reads: give it {sorted(reads)}")
    return inputs
