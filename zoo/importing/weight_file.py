"""`WeightFile`: the named tensors of a file that somebody else wrote, each taken or left out with a reason.

FILE (.h5, .pt, .pth, .torch, .safetensors, .npz) -> read_weights -> WeightFile -> take("conv.weight", 64, 4, 21)
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.errors import ZooError, did_you_mean

if TYPE_CHECKING:
    from torch import Tensor


class WeightFile:
    """What one file holds, in its own order.  Every tensor is read once: `unused` names those that nobody took.

    path: the file.
    sha256, size: of its bytes.
    writer: "keras" for an .h5 of Keras (kernels (width, in, out), dense (in, out)), "torch" for a file of torch.save,
        "plain" for .safetensors and .npz, whose arrays are as PyTorch has them.
    tensors: {name: tensor}, on the CPU.  A name of Keras is layer/kernel, without ":0".
    settings: what the file says of itself: the configuration of a Keras model, numbers and texts of a checkpoint.
    left_out: {name: why it is not used}.
    """

    def __init__(
        self,
        path: Path,
        writer: str,
        tensors: Mapping[str, Tensor],
        settings: Mapping[str, Any] | None = None,
        sha256: str = "",
        size: int = 0,
    ):
        self.path, self.writer, self.sha256, self.size = path, writer, sha256, size
        self.tensors, self.settings = dict(tensors), dict(settings or {})
        self.left_out: dict[str, str] = {}
        self._used: set[str] = set()

    @property
    def names(self) -> list[str]:
        """Every tensor, in the order of the file."""
        return list(self.tensors)

    @property
    def unused(self) -> list[str]:
        """Tensors that were neither taken nor left out."""
        return [name for name in self.tensors if name not in self._used and name not in self.left_out]

    def shape(self, name: str) -> tuple[int, ...]:
        """Shape of a tensor, as the file has it."""
        return tuple(self._tensor(name).shape)

    def holds(self, name: str) -> bool:
        """Whether the file has a tensor of this name."""
        return name in self.tensors

    def take(self, name: str, *shape: int | None) -> Tensor:
        """A copy of the tensor in float32 (whole numbers stay as they are), which counts as used.

        shape: what it must be; None on an axis is any size, no shape at all is any shape.
        Raises ZooError for a tensor that is not there or of another shape.
        """
        import torch

        tensor = self._tensor(name)
        actual = tuple(tensor.shape)
        if shape and (len(shape) != len(actual) or any(s not in (None, a) for s, a in zip(shape, actual, strict=True))):
            expected = ", ".join("any" if s is None else str(s) for s in shape)
            raise ZooError(
                f"{self.path}: tensor {name!r} has the shape {actual} where ({expected}) is expected: it is of another "
                "architecture, or of other sizes than --set says"
            )
        self._used.add(name)
        tensor = tensor.detach().clone()
        return tensor.to(torch.float32) if tensor.is_floating_point() else tensor

    def leave_out(self, pattern: str, reason: str) -> list[str]:
        """Say why tensors are not used, whose names fit a pattern ("optimizer*"); returns their names.

        The reason stands in the model's card.
        """
        names = [name for name in self.unused if fnmatchcase(name, pattern)]
        self.left_out |= dict.fromkeys(names, reason)
        return names

    def _tensor(self, name: str) -> Tensor:
        if name not in self.tensors:
            raise ZooError(
                f"{self.path} has no tensor {name!r}{did_you_mean(name, self.names[:200])}; "
                "it is of another architecture, or not the whole of it"
            )
        return self.tensors[name]


def require_all_used(file: WeightFile, architecture: str) -> None:
    """Raise ZooError where a file holds tensors that its importer neither took nor left out."""
    unused = file.unused
    if unused:
        shown = ", ".join(f"{name} {file.shape(name)}" for name in unused[:4]) + (", ..." if len(unused) > 4 else "")
        raise ZooError(
            f"{file.path} holds {len(unused)} of {len(file.names)} tensors that {architecture!r} does not use "
            f"({shown}): it is of another architecture"
        )


def only(files: Collection[WeightFile], architecture: str) -> WeightFile:
    """The file of an architecture that is read from one; ZooError for several."""
    if len(files) != 1:
        raise ZooError(f"{architecture!r} is read from one file, not from {len(files)}: import them one by one")
    return next(iter(files))
