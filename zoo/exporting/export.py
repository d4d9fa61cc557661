"""`export`: a model as a file for onnxruntime or for torch alone, compared with the model before it takes its name.

model, golden inputs -> record one graph -> write beside the name -> run the file -> compare -> FILE.onnx | FILE.pt2
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from zoo.errors import ConfigError, ZooError, need
from zoo.exporting.metadata import describe
from zoo.exporting.onnx_file import MODULES, run_onnx, write_onnx
from zoo.exporting.standalone import Standalone
from zoo.exporting.torch_program import run_program, write_program
from zoo.files.atomic import atomic_path
from zoo.files.endings import ending
from zoo.hub.golden import golden_inputs
from zoo.hub.loader import load, pull
from zoo.prediction.inference import evaluating

if TYPE_CHECKING:
    from torch.export import ExportedProgram

    from zoo.model import Model

FORMATS = {"onnx": ".onnx", "torch-export": ".pt2"}
"""{format: how its files end}."""

TOLERANCE = 1e-5
"""The most that a file's outputs differ from the model's, times max(1, |output|)."""


@dataclass(frozen=True)
class Exported:
    """A file that was written.

    worst: the largest difference to the model, over max(1, |output|), on `examples` examples.
    inputs, outputs: {name: shape in words}.
    """

    path: Path
    worst: float
    examples: int
    inputs: Mapping[str, str]
    outputs: Mapping[str, str]


def export(name: str | Path, path: str | Path, format: str | None = None, *, sequence="codes", raw=False) -> Exported:
    """Export a model that `zoo.load` takes, checked on its golden inputs.

    format: onnx or torch-export; by default what the end of `path` says.
    sequence: codes, (N, L) uint8 with A C G T N = 0 1 2 3 4, or one_hot, (N, 4, L) float32.
    raw: outputs before the activation.
    Raises ZooError, and leaves no file, where the model has no such form or the file differs from it by more than 1e-5.
    """
    chosen = format_of(path, format)
    folder = pull(name)
    return export_model(load(name), golden_inputs(folder), path, chosen, sequence=sequence, raw=raw)


def export_model(
    model: Model, batch: Mapping[str, Tensor], path: str | Path, format: str, *, sequence="codes", raw=False
) -> Exported:
    """As `export`, for a model at hand and a batch of examples to record and compare it with."""
    if format == "onnx":
        need("zoo export --format onnx", *MODULES)
    with evaluating(model), torch.no_grad():
        network = Standalone(model, sequence, raw).eval()
        facts, outputs = describe(network), list(network.output_names.values())
        examples = network.inputs_of(batch)
        program = _record(network, examples)
        batches = _batches(network, examples)
        with atomic_path(path) as temporary:
            if format == "onnx":
                write_onnx(program, temporary, network.names, outputs, facts)
                answers = run_onnx(temporary, batches)
            else:
                write_program(program, temporary, facts)
                answers = run_program(temporary, batches)
            worst = max(_compare(network, batch, answer) for batch, answer in zip(batches, answers, strict=True))
            if not worst <= TOLERANCE:
                raise ZooError(
                    f"the {format} file of model {model.spec.name!r} differs from the model by {worst:.2g} on its "
                    f"golden inputs, beyond {TOLERANCE:.0e} x max(1, |output|): it was not written, use the model"
                )
    shapes = {key: {n: d["shape"] for n, d in json.loads(facts[key]).items()} for key in ("inputs", "outputs")}
    return Exported(Path(path), worst, sum(len(next(iter(b.values()))) for b in batches), **shapes)


def format_of(path: str | Path, format: str | None = None) -> str:
    """The format of a file, from its name or as it was chosen; ConfigError where the two do not agree."""
    by_ending = {end: name for name, end in FORMATS.items()}
    end = ending(path, tuple(by_ending))
    if format is not None and format not in FORMATS:
        raise ConfigError(f"no format {format!r}: choose from {', '.join(FORMATS)}")
    if end not in by_ending or (format is not None and FORMATS[format] != end):
        which = f"{FORMATS[format]} for {format}" if format else " or ".join(f"{e} for {n}" for n, e in FORMATS.items())
        raise ConfigError(f"{str(path)!r} does not say which file to write: end it in {which}")
    return by_ending[end]


def _record(network: Standalone, examples: tuple[Tensor, ...]) -> ExportedProgram:
    """The model as one graph for any number of examples."""
    # What is recorded with one example holds for one example alone.
    examples = tuple(torch.cat([x, x]) if len(x) == 1 else x for x in examples)
    rows = torch.export.Dim("N", min=1)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return torch.export.export(
                network, examples, dynamic_shapes=[tuple({0: rows} for _ in examples)], strict=False
            )
    except Exception as error:  # torch raises of all kinds here
        reason = next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
        raise ZooError(
            f"model {network.model.spec.name!r} cannot be recorded as one graph ({reason[:300]}): what it computes may "
            "depend on the shapes of its inputs alone, not on their values"
        ) from error


def _batches(network: Standalone, examples: tuple[Tensor, ...]) -> list[dict[str, np.ndarray]]:
    """The examples together, and the first alone with every seventh base an N."""
    arrays = {name: x.numpy() for name, x in zip(network.names, examples, strict=True)}
    single = {name: x[:1].copy() for name, x in arrays.items()}
    if "codes" in single:
        single["codes"][:, ::7] = 4
    elif "one_hot" in single:
        single["one_hot"][:, :, ::7] = network.bases[4].numpy()[:, None]
    return [arrays, single]


def _compare(network: Standalone, batch: Mapping[str, np.ndarray], answer: Mapping[str, np.ndarray]) -> float:
    """The largest difference over max(1, |output|); infinite where shapes differ or a number is none."""
    expected = network(*(torch.from_numpy(x) for x in batch.values()))
    worst = 0.0
    for name, tensor in expected.items():
        value = tensor.numpy()
        if answer[name].shape != value.shape:
            return float("inf")
        difference = np.abs(answer[name] - value) / np.maximum(1, np.abs(value))
        worst = max(worst, float(np.nan_to_num(difference, nan=np.inf).max(initial=0)))
    return worst
