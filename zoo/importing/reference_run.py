"""A reference run: inputs that the original was given and outputs that it gave, to hold an imported model against.

inputs.npy (N,) sequences, (N, L) codes, or one-hot (N, 4, L) | (N, L, 4) | (N, 4, 1, L) -> codes (N, L)
outputs.npy (N, ...), or .npz with an array a head -> {head: (N, ...)} -> compare -> golden outputs of the model folder
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.errors import ZooError, did_you_mean
from zoo.files.regular_files import open_regular
from zoo.importing.weight_formats import read_npz

if TYPE_CHECKING:
    from torch import Tensor

    from zoo.importing.conversion import Conversion
    from zoo.model import Model

_LARGEST = 1 << 31
_ARRAY = b"\x93NUMPY"
_BATCH = 16


@dataclass(frozen=True)
class ReferenceRun:
    """What the original was given and what it gave.

    codes: (N, L) uint8, A C G T N = 0 1 2 3 4.
    outputs: {head: (N, ...)}, None as a key where it has no name.
    knows_bases: False for one-hot inputs, which do not say which base a channel is: that is taken on trust.
    """

    codes: np.ndarray
    outputs: dict[str | None, np.ndarray]
    knows_bases: bool = True
    names: tuple[str, str] = ("inputs", "outputs")

    @classmethod
    def read(cls, inputs: str | Path, outputs: str | Path, letters: str = "ACGT") -> ReferenceRun:
        """Two files of a reference run.  letters: the bases of the four channels of the inputs.

        Raises ZooError for files that are no numbers, no one-hot sequences, or not of equal length.
        """
        arrays = _read(Path(inputs))
        if len(arrays) != 1:
            raise ZooError(f"{inputs} holds {len(arrays)} arrays: give one array of sequences, saved by numpy.save")
        sequences = next(iter(arrays.values()))
        codes = codes_of(sequences, letters, str(inputs))
        results = _read(Path(outputs))
        for name, array in results.items():
            if array.ndim == 0 or len(array) != len(codes):
                raise ZooError(
                    f"{outputs}: {name or 'the array'} of shape {array.shape} is not of the {len(codes)} sequences of "
                    f"{inputs}: give the outputs of these, in their order"
                )
            if array.dtype.kind not in "fiub" or not np.isfinite(array).all():
                raise ZooError(f"{outputs}: {name or 'the array'} holds no finite numbers: run the original again")
        return cls(codes, results, sequences.ndim < 3, (str(inputs), str(outputs)))


def codes_of(x: np.ndarray, letters: str, where: str) -> np.ndarray:
    """Sequences as text (N,), as codes, or one-hot whichever axis the bases are on -> codes (N, L) uint8.

    Four equal numbers (zeros, quarters) are an N.  Raises ZooError for anything else that is not one base.
    """
    if x.ndim == 1 and x.dtype.kind in "US" and x.size:
        return _codes_of_text(x, where)
    if x.ndim == 2 and x.dtype.kind in "iu" and x.size and 0 <= x.min() and x.max() <= 4:
        return x.astype(np.uint8)
    shape = x.shape
    if x.ndim == 4:
        x = x.reshape([n for i, n in enumerate(shape) if not (i in (2, 3) and n == 1)]) if 1 in shape[2:] else x
    if x.ndim != 3 or not x.size or (x.shape[1] == 4) == (x.shape[2] == 4):
        raise ZooError(
            f"{where} of shape {shape} is no one-hot sequence: give (N, 4, L) or (N, L, 4), or sequences as text (N,)"
        )
    channels = x if x.shape[1] == 4 else x.transpose(0, 2, 1)
    is_n = (channels == channels[:, :1]).all(1) & np.isin(channels[:, 0], (0, 0.25))
    is_base = (channels.max(1) == 1) & (channels.sum(1) == 1) & (channels.min(1) == 0)
    if not (is_n | is_base).all():
        raise ZooError(f"{where} holds columns that are no base: one of the four channels must be 1, the others 0")
    to_code = np.array(["ACGT".index(letter) for letter in letters], np.uint8)
    return np.where(is_n, np.uint8(4), to_code[channels.argmax(1)])


def _codes_of_text(x: np.ndarray, where: str) -> np.ndarray:
    from zoo.data.codes import encode

    texts = [text.decode("ascii", "replace") if isinstance(text, bytes) else str(text) for text in x]
    if len({len(text) for text in texts}) != 1 or not all(set(text.upper()) <= set("ACGTN") for text in texts):
        raise ZooError(
            f"{where} holds sequences of several lengths, or letters beyond ACGTN: give windows of one length"
        )
    return np.stack([encode(text.upper()) for text in texts])


def compare(
    model: Model, run: ReferenceRun, conversion: Conversion, rtol: float, atol: float
) -> tuple[dict, float, list[str]]:
    """The reference's outputs as predictions {head: (N, ...)}, the largest difference, and the heads compared.

    A head that the original does not have is predicted by the model.

    Raises ZooError where the model is off by more than rtol * |value| + atol * min(1, largest |value| of the head), all
    values of a head are 0, or the outputs are of other shapes.
    """
    import torch

    from zoo.model import activate

    if run.codes.shape[1] != model.spec.input_length:
        raise ZooError(
            f"{run.names[0]} holds windows of {run.codes.shape[1]:,} bp, but the model reads "
            f"{model.spec.input_length:,} bp: give a reference run of its own length, or set the length with --set"
        )
    predicted: list[dict[str, Tensor]] = []
    with torch.no_grad():
        for i in range(0, len(run.codes), _BATCH):
            predicted.append(model({"codes": torch.from_numpy(run.codes[i : i + _BATCH])}))
    raw = {head: torch.cat([p[head] for p in predicted]) for head in predicted[0]}
    reference = _by_head(run, raw, conversion.returns)
    logits = {head: x for head, x in reference.items() if head in conversion.raw}
    if conversion.complete is not None and logits:
        logits = dict(conversion.complete(logits))
    activated, worst = activate(raw, model.spec), 0.0
    for head, value in {**reference, **logits}.items():
        difference = ((raw if head in logits else activated)[head] - value).abs()
        worst, largest = max(worst, float(difference.max())), float(value.abs().max())
        if not largest:
            raise ZooError(
                f"{run.names[1]} holds nothing but 0 for head {head!r}: give outputs that differ from window to window"
            )
        allowed = atol * min(1.0, largest)  # probabilities of bases are small: what is far off must not look equal
        if not torch.all(difference <= allowed + rtol * value.abs()):
            raise ZooError(
                f"head {head!r} differs from {run.names[1]} by {float(difference.max()):.3g} (allowed {allowed:.2g} + "
                f"{rtol:g} x value): the weights are of another network, the reference run is of other sequences or of "
                f"before the activation, or its four channels are in another order than {conversion.letters}"
            )
    return {**activated, **reference, **activate(logits, model.spec)}, worst, sorted(reference)


def _by_head(run: ReferenceRun, raw: dict[str, Tensor], returns: Sequence[str]) -> dict[str, Tensor]:
    """The reference's arrays in the shapes of the model's outputs; arrays without names are `returns`, in order."""
    import torch

    heads, results = list(returns or raw), run.outputs
    if None in results or set(results) == {f"arr_{i}" for i in range(len(results))}:
        arrays = [results[k] for k in sorted(results, key=lambda k: int(str(k or "arr_0")[4:]))]
        if len(arrays) != len(heads):
            raise ZooError(
                f"{run.names[1]} holds {len(arrays)} outputs, but the original has {len(heads)} ({', '.join(heads)}): "
                "give a file of numpy.savez with an array for each of them, by name"
            )
        results = dict(zip(heads, arrays, strict=True))
    unknown = [str(name) for name in results if name not in raw]
    if unknown:
        raise ZooError(f"{run.names[1]} holds an output {unknown[0]!r}" + did_you_mean(unknown[0], list(raw)))
    tensors = {str(head): torch.from_numpy(np.array(x, np.float32)) for head, x in results.items()}
    return {head: _shaped(x, raw[head], head, run) for head, x in tensors.items()}


def _shaped(x: Tensor, like: Tensor, head: str, run: ReferenceRun) -> Tensor:
    """x in the shape of `like`: axes of one may be missing, and positions may stand before channels (as in Keras)."""
    if x.shape == like.shape:
        return x
    without = [n for n in like.shape[1:] if n != 1]
    if [n for n in x.shape[1:] if n != 1] == without:
        return x.reshape(like.shape)
    if x.dim() == like.dim() == 3 and x.transpose(1, 2).shape == like.shape:
        return x.transpose(1, 2).contiguous()
    raise ZooError(
        f"{run.names[1]}: head {head!r} has the shape {tuple(x.shape)}, but the model gives {tuple(like.shape)}: it is "
        "of another architecture, or of other sizes than --set says"
    )


def _read(path: Path) -> dict[Any, np.ndarray]:
    """One array of numpy.save under the name None, or those of numpy.savez."""
    try:
        with open_regular(path, follow_links=True) as file:
            first = file.read(8)
            if first.startswith(_ARRAY):
                file.seek(0)
                return {None: _read_array(file, path)}
    except FileNotFoundError as error:
        raise ZooError(f"there is no file {path}: check the path") from error
    except OSError as error:
        raise ZooError(f"{path} cannot be read ({error.strerror}): name a file of numpy.save") from error
    return read_npz(path, _LARGEST)


def _read_array(file: Any, path: Path) -> np.ndarray:
    from numpy.lib import format as npy

    try:
        version = npy.read_magic(file)
        header = npy.read_array_header_1_0(file) if version == (1, 0) else npy.read_array_header_2_0(file)
        shape, _, dtype = header
        size = int(np.prod(shape, dtype=object)) * dtype.itemsize
        if dtype.hasobject or size > _LARGEST:
            raise ZooError(f"{path} holds objects, or more than the {_LARGEST:,} bytes that are read: save numbers")
        file.seek(0)
        return npy.read_array(file, allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        raise ZooError(f"{path} is no readable file of numpy.save ({error}): save it again") from error
