"""Safetensors: reading a stranger's file, its header first and bounded, and tensors as they are stored."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from zoo.errors import HubError
from zoo.files.regular_files import open_regular

if TYPE_CHECKING:
    from torch import Tensor

_MAX_HEADER = 1 << 24


def read_header(path: Path) -> dict[str, tuple[int, ...]]:
    """{tensor name: shape}, without reading a tensor.  HubError for a file that is damaged."""
    with _open(path) as file:
        return {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}


def read_metadata(path: Path) -> dict[str, str]:
    """The file's own texts."""
    with _open(path) as file:
        return file.metadata() or {}


def read_tensors(path: Path, names: Collection[str] | None = None) -> dict[str, Tensor]:
    """{name: tensor} on the CPU.  names: of those alone."""
    with _open(path) as file:
        return {name: file.get_tensor(name) for name in file.keys() if names is None or name in names}


def check_finite(tensors: Mapping[str, Tensor], where: str) -> None:
    """Raise HubError, which names the tensor, for weights that hold NaN or infinity."""
    import torch

    for name, x in tensors.items():
        if x.is_floating_point() or x.is_complex():
            wrong = int((~torch.isfinite(x if x.is_complex() else x.float())).sum())
            if wrong:
                raise HubError(
                    f"{where}: tensor {name!r} holds NaN or infinity ({wrong:,} of {x.numel():,} numbers), so that no "
                    "prediction can be right: train or publish the model again"
                )


def storable(x: Tensor) -> Tensor:
    """A tensor as it is stored: contiguous, alone in its memory, on the CPU, float32 where it is floating."""
    import torch

    if not isinstance(x, torch.Tensor):
        raise HubError(f"a module keeps extra state of type {type(x).__name__}, which is no tensor: make it a buffer")
    x = x.detach().to("cpu", copy=True).contiguous()
    return x.float() if x.is_floating_point() else x


def _open(path: Path):
    from safetensors import SafetensorError, safe_open

    try:
        with open_regular(path) as handle:
            length = int.from_bytes(handle.read(8), "little")
            size = os.fstat(handle.fileno()).st_size
        if length > min(_MAX_HEADER, size):
            raise HubError(f"{path} is damaged: its header claims {length:,} bytes: fetch or publish the model again")
        return safe_open(path, framework="pt", device="cpu")
    except (SafetensorError, OSError) as error:
        raise HubError(f"{path} is no readable safetensors file ({error}): fetch or publish the model again") from error
