"""Importers of networks whose layers follow each other: Basset, DeepSEA, DeepSTARR, DanQ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.errors import ConfigError, ZooError
from zoo.importing.conversion import Conversion, join_members, reorder_bases
from zoo.importing.weight_file import WeightFile
from zoo.registry import registry
from zoo.spec import ModelSpec
from zoo_published.importers.bpnet_files import keras_layers, keras_length
from zoo_published.importers.layer_reader import LayerReader

if TYPE_CHECKING:
    from torch import Tensor

Tasks = str | Sequence[str] | None
"""Names of outputs, or a file with one a line."""
_BASSET = "Kelley, Snoek and Rinn 2016, Genome Research 26, doi:10.1101/gr.200535.115"
_DEEPSEA = "Zhou and Troyanskaya 2015, Nature Methods 12, doi:10.1038/nmeth.3547"
_DEEPSTARR = "de Almeida et al. 2022, Nature Genetics 54, doi:10.1038/s41588-022-01048-5"
_DANQ = "Quang and Xie 2016, Nucleic Acids Research 44, doi:10.1093/nar/gkw226"


def basset(
    files: Sequence[WeightFile], *, length: int | None = None, tasks: Tasks = None, letters: str = "ACGT"
) -> Conversion:
    """Basset, as converted from Torch7 to PyTorch (kernels of two dimensions) or built anew in PyTorch or Keras.

    length: bp of a window, 600.  tasks: names of the outputs, a list or a file with one a line.
    letters: which bases its four channels are.
    """
    return join_members([_stacked(f, "basset", length, tasks, letters, "sigmoid", _BASSET) for f in files])


def deepsea(
    files: Sequence[WeightFile],
    *,
    length: int | None = None,
    tasks: Tasks = None,
    letters: str = "AGCT",
    strands: str = "single",
    floor: float | None = None,
) -> Conversion:
    """DeepSEA, as converted from Torch7 to PyTorch (kernels of two dimensions) or built anew in PyTorch or Keras.

    length: bp of a window, 1,000.  tasks: names of the outputs, a list or a file with one a line.
    letters: which bases its four channels are; the authors' are A, G, C, T.
    strands: single; or averaged, the mean of the probabilities of a window and its reverse complement, as the authors'
        predictions are.
    floor: what the activation makes of a number that is not positive; by default 1e-6 for kernels of two dimensions, as
        Torch7 has it, and 0 else.
    """
    return join_members(
        [_stacked(f, "deepsea", length, tasks, letters, "sigmoid", _DEEPSEA, strands, floor) for f in files]
    )


def deepstarr(
    files: Sequence[WeightFile], *, length: int | None = None, tasks: Tasks = None, letters: str = "ACGT"
) -> Conversion:
    """DeepSTARR, the authors' .h5 of Keras or built anew in PyTorch.

    length: bp of a window, 249.  tasks: names of the outputs, by default developmental and housekeeping.
    letters: which bases its four channels are.
    """
    tasks = tasks or ["developmental", "housekeeping"]
    return join_members([_stacked(f, "deepstarr", length, tasks, letters, "identity", _DEEPSTARR) for f in files])


def danq(
    files: Sequence[WeightFile],
    *,
    length: int | None = None,
    tasks: Tasks = None,
    letters: str = "AGCT",
    gates: str | None = None,
) -> Conversion:
    """DanQ, an .h5 of Keras or built anew in PyTorch.

    length: bp of a window, 1,000.  tasks: names of the outputs, a list or a file with one a line.
    letters: which bases its four channels are; the authors' are A, G, C, T, those of DeepSEA's data.
    gates: sigmoid or hard_sigmoid; by default what the file states, else hard_sigmoid of Keras and sigmoid of PyTorch.
    """
    return join_members([_danq(file, length, tasks, letters, gates) for file in files])


def _stacked(
    file: WeightFile,
    name: str,
    length: int | None,
    tasks: Tasks,
    letters: str,
    activation: str,
    citation: str,
    strands: str = "single",
    floor: float | None = None,
) -> Conversion:
    """A network of convolutions and pools, then dense layers."""
    if strands not in ("single", "averaged"):
        raise ConfigError(f"strands {strands!r} must be single or averaged")
    reader = LayerReader(file, name)
    length = length or keras_length(file.settings)
    encoder = _arguments(name, {"length": length, **_epsilon(file, name), **_floor(name, reader, floor)})
    weights: dict[str, Tensor] = {}
    channels = 4
    for i, (filters, width) in enumerate(zip(encoder["layer_filters"], encoder["widths"], strict=True)):
        layer = reader.convolution(filters, channels, width)
        if i == 0:
            layer["weight"] = reorder_bases(layer["weight"], letters)
        _put(weights, f"encoder.convolutions.{i}", layer)
        channels = filters
        if "epsilon" in encoder:
            _put(weights, f"encoder.norms.{i}", reader.norm(filters))
    positions = registry().build("encoder", name, _plain(encoder)).positions
    inputs, flattened = channels * positions, (positions, channels)
    for i, units in enumerate(encoder["dense"]):
        _put(weights, f"encoder.dense.{i}", reader.dense(units, inputs, flattened if i == 0 else None))
        inputs = units
        if "epsilon" in encoder:
            _put(weights, f"encoder.dense_norms.{i}", reader.norm(units))
    outputs = _outputs(reader, inputs)
    _put(weights, "heads.output.dense", outputs)
    spec = _spec(name, encoder, _task_names(tasks, len(outputs["bias"])), activation, citation, strands == "averaged")
    return Conversion(spec, weights, letters=letters, notes=_notes(strands, reader))


def _danq(file: WeightFile, length: int | None, tasks: Tasks, letters: str, gates: str | None) -> Conversion:
    reader = LayerReader(file, "danq")
    stated = [s.get("recurrent_activation") for _, _, s in keras_layers(file.settings) if "recurrent_activation" in s]
    gates = gates or (stated[0] if stated else "hard_sigmoid" if reader.is_keras else "sigmoid")
    if gates == "hard_sigmoid" and str(file.settings.get("keras_version", "")).startswith("3"):
        raise ZooError(f"{file.path}: hard_sigmoid of Keras 3 is another function than that of DanQ, which is read")
    encoder = _arguments("danq", {"length": length or keras_length(file.settings), "gates": gates})
    weights: dict[str, Tensor] = {}
    layer = reader.convolution(encoder["filters"], 4, encoder["width"])
    _put(weights, "encoder.convolution", {**layer, "weight": reorder_bases(layer["weight"], letters)})
    inner = "encoder.recurrent" + (".weights" if gates == "hard_sigmoid" else "")
    _put(weights, inner, reader.lstm(encoder["filters"], encoder["hidden"]))
    positions = registry().build("encoder", "danq", _plain(encoder)).positions
    _put(weights, "encoder.dense", reader.dense(encoder["dense"], positions * 2 * encoder["hidden"]))
    outputs = _outputs(reader, encoder["dense"])
    _put(weights, "heads.output.dense", outputs)
    spec = _spec("danq", encoder, _task_names(tasks, len(outputs["bias"])), "sigmoid", _DANQ, False)
    return Conversion(spec, weights, letters=letters, notes=(f"The gates of its LSTM are {gates}.",))


def _outputs(reader: LayerReader, inputs: int) -> dict[str, Tensor]:
    """The last dense layers, side by side: DeepSTARR has one for each activity."""
    import torch

    parts = [reader.dense(reader.next_units(), inputs)]
    while reader.left["dense"]:
        parts.append(reader.dense(reader.next_units(), inputs))
    return {key: torch.cat([part[key] for part in parts]) for key in ("weight", "bias")}


def _put(weights: dict[str, Tensor], prefix: str, layer: Mapping[str, Tensor]) -> None:
    weights |= {f"{prefix}.{key}": x for key, x in layer.items()}


def _arguments(name: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Every argument of an encoder; None is its default."""
    chosen = {key: value for key, value in settings.items() if value is not None}
    return {"name": name, **registry().resolve("encoder", name, chosen)}


def _plain(encoder: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in encoder.items() if key != "name"}


def _epsilon(file: WeightFile, name: str) -> dict[str, Any]:
    """Of batch normalisation: what Keras states, else its default for a file of Keras and PyTorch's for all others."""
    if name == "deepsea":
        return {}
    layers = [s for kind, _, s in keras_layers(file.settings) if kind == "BatchNormalization"]
    stated = [settings["epsilon"] for settings in layers if "epsilon" in settings]
    return {"epsilon": float(stated[0]) if stated else 1e-3 if file.writer == "keras" else 1e-5}


def _floor(name: str, reader: LayerReader, floor: float | None) -> dict[str, Any]:
    if name != "deepsea":
        return {}
    return {"floor": floor if floor is not None else 1e-6 if reader.is_two_dimensional else 0.0}


def _task_names(tasks: Tasks, n: int) -> list[str]:
    """Names of n outputs: as they are listed, or from a file with one a line."""
    from zoo.outputs import as_name

    if tasks is None:
        return [f"output_{i}" for i in range(1, n + 1)]
    if isinstance(tasks, str):
        try:
            tasks = Path(tasks).read_text(encoding="utf-8").split("\n")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"tasks {tasks!r} is no readable file with a name a line: {error}") from error
    names = [as_name(str(task)) for task in tasks if str(task).strip()]
    if len(names) != n or len(set(names)) != n:
        raise ConfigError(f"{len(set(names))} different names are no names of {n} outputs: name each once, in a file")
    return names


def _spec(name: str, encoder: dict, tasks: list[str], activation: str, citation: str, averaged: bool) -> ModelSpec:
    channels = encoder["dense"] if isinstance(encoder["dense"], int) else encoder["dense"][-1]
    head = "probabilities" if averaged else "scalar"
    settings: dict[str, Any] = {"in_channels": channels, "tasks": tasks}
    if not averaged and activation == "sigmoid":
        settings["values"] = "binary"
    return ModelSpec(
        name=name,
        encoder=encoder,
        heads={"output": {"name": head, **registry().resolve("head", head, settings)}},
        input_length=encoder["length"],
        activation={"output": "identity" if averaged else activation},
        conjoined=averaged,
        description=f"{name}, with weights that were trained elsewhere.",
        citation=citation,
    )


def _notes(strands: str, reader: LayerReader) -> tuple[str, ...]:
    if strands == "averaged":
        return ("Its outputs are the mean of the probabilities of a window and of its reverse complement.",)
    return ()
