"""Somebody else's weights to a model folder of ours, checked on the way.

files -> read_weights -> importer -> build, names and shapes, finite -> reference run -> save_bundle -> load again
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.errors import ConfigError, ZooError, did_you_mean
from zoo.hub.import_record import KEY, UNVERIFIED
from zoo.importing.conversion import Conversion, Importer
from zoo.importing.weight_file import WeightFile, require_all_used
from zoo.importing.weight_formats import read_weights, weight_files

if TYPE_CHECKING:
    from zoo.model import Model

_EXAMPLES = 2
_RTOL, _ATOL = 1e-4, 1e-5
_MOST_SHOWN = 20


@dataclass(frozen=True)
class ImportReport:
    """What became of an import.

    folder: the model folder.  used: tensors that the model has.  left_out: {tensor: reason}.
    difference: the largest one to the reference run in windows; None where none was given.
    trusted_letters: the bases of the channels, where a one-hot reference run cannot say which they are; else "".
    """

    folder: Path
    used: int
    left_out: Mapping[str, str]
    difference: float | None
    windows: int
    trusted_letters: str = ""


def import_model(
    files: Sequence[str | Path],
    architecture: str,
    folder: str | Path,
    *,
    settings: Mapping[str, Any] | None = None,
    golden: tuple[str | Path, str | Path] | None = None,
    name: str | None = None,
    importer: Importer | None = None,
) -> ImportReport:
    """Read files by the importer `architecture`, check what it makes of them, and write a model folder.

    settings: arguments of the importer.  golden: files of inputs and outputs of a reference run of the original.
    name: of the model; by default the folder's.  importer: in place of the registered one.
    Raises ZooError, in one sentence, for files that are not of this architecture, and a reference run that differs.
    """
    from zoo.registry import registry

    function = importer or registry().get("importer", architecture)
    arguments = _arguments(function, architecture, settings or {})
    classes = getattr(function, "inert_classes", ())
    read = [read_weights(path, classes) for path in weight_files(files)]
    conversion = function(read, **arguments)
    for file in read:
        require_all_used(file, architecture)
    name = _valid_name(name or Path(folder).resolve().name)
    model = _build(conversion, architecture, name)
    return _save(model, conversion, Path(folder), read, golden, {"architecture": architecture, "settings": arguments})


def _arguments(function: Importer, architecture: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Every keyword argument of an importer, the settings in their places."""
    parameters = dict(list(inspect.signature(function).parameters.items())[1:])
    for key in settings:
        if key not in parameters:
            raise ConfigError(f"importer {architecture!r} has no {key!r}" + did_you_mean(key, list(parameters)))
    missing = [k for k, p in parameters.items() if p.default is p.empty and k not in settings]
    if missing:
        raise ConfigError(f"importer {architecture!r} needs {missing[0]!r}: --set {missing[0]}=...")
    return {key: settings.get(key, p.default) for key, p in parameters.items()}


def _valid_name(name: str) -> str:
    from zoo.hub.sources import NAME

    plain = name.lower()
    if not NAME.fullmatch(plain):
        raise ConfigError(f"{name!r} cannot name a model: use lower-case letters, digits and . _ -, with --name")
    return plain


def _build(conversion: Conversion, architecture: str, name: str) -> Model:
    """The model of a conversion with its weights, in eval mode; ZooError where names or shapes do not fit."""
    import torch

    from zoo.hub.tensors import check_finite
    from zoo.layers.initialization import stored_weights_follow
    from zoo.model import build

    with torch.random.fork_rng(devices=[]), stored_weights_follow():
        model = build(conversion.spec.replace(name=name))
    state, weights = model.state_dict(), dict(conversion.weights)
    for key in [*state, *(k for k in weights if k not in state)]:
        ours, theirs = (tuple(part[key].shape) if key in part else None for part in (state, weights))
        if ours != theirs:
            raise ZooError(
                f"{architecture!r} makes tensor {key!r} of shape {ours or 'none'}, but the files give "
                f"{theirs or 'none'}: they are of another architecture, or of other sizes than --set says"
            )
    check_finite(weights, f"the weights for {architecture!r}")
    model.load_state_dict(weights, strict=True)
    return model.eval()


def _save(
    model: Model,
    conversion: Conversion,
    folder: Path,
    files: Sequence[WeightFile],
    golden: tuple[str | Path, str | Path] | None,
    facts: Mapping[str, Any],
) -> ImportReport:
    from zoo.hub.golden import pack_golden
    from zoo.hub.model_folder import load_bundle, save_bundle
    from zoo.importing.reference_run import ReferenceRun, compare

    left_out = {key: reason for file in files for key, reason in file.left_out.items()}
    difference, windows, packed, reference, letters = None, 0, None, UNVERIFIED, ""
    batch = {"codes": _windows(model.spec.input_length)}
    if golden is not None:
        run = ReferenceRun.read(*golden, letters=conversion.letters)
        outputs, difference, heads = compare(model, run, conversion, _RTOL, _ATOL)
        windows, letters = len(run.codes), "" if run.knows_bases else conversion.letters
        batch = {"codes": run.codes[:_EXAMPLES]}
        scale = max(float(x.abs().max()) for x in outputs.values())  # small outputs are held to small differences
        packed = pack_golden(batch, {h: x[:_EXAMPLES] for h, x in outputs.items()}, _RTOL, min(_ATOL * scale, 1e-3))
        reference = f"equal to a reference run of the original within {difference:.1g} in {windows} windows"
        if not run.knows_bases:
            reference += f", whose channels are taken as {' '.join(conversion.letters)}"
        if len(heads) < len(outputs):
            reference += f" ({', '.join(heads)})"
    origin = {
        **facts,
        "files": [{"name": f.path.name, "sha256": f.sha256, "bytes": f.size} for f in files],
        "left_out": dict(list(left_out.items())[:_MOST_SHOWN]),
        "notes": list(conversion.notes),
        "reference": reference,
    }
    model.spec = model.spec.replace(training={**model.spec.training, KEY: origin}, versions=_versions())
    save_bundle(model, folder, batch, golden=packed)
    load_bundle(folder)
    used = sum(len(file.names) for file in files) - len(left_out)
    return ImportReport(folder, used, left_out, difference, windows, letters)


def _windows(length: int):
    """A few random sequences, (N, length) uint8."""
    import numpy as np

    return np.random.default_rng(0).integers(0, 4, (_EXAMPLES, length)).astype(np.uint8)


def _versions() -> dict[str, str]:
    from importlib.metadata import version

    return {"zoo-core": version("zoo-core"), "torch": version("torch")}
