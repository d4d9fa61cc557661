"""Files of torch.save, read as data: tensors, numbers and texts, and nothing that could run.

FILE -> torch.load(weights_only=True) -> {"conv.weight": tensor}, settings

torch.save(model) stores a pickle that names classes.  Those that an importer admits by name are not imported: an empty
container takes the place of each, and tensors are kept where the class had them.  Any other name is refused.
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from zoo.errors import ZooError

_TORCH_CLASSES = ("torch.nn.modules.",)
_STATES = ("state_dict", "model_state_dict", "model", "net", "weights")
"""Keys below which a checkpoint keeps its weights."""
_DEEPEST = 20


def read_torch(path: Path, classes: Sequence[str], most: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """{name: tensor} and settings.  classes: prefixes of class names that may stand in the file.  most: bytes.

    Raises ZooError for a file that is damaged, holds code or another class, or unpacks to more than `most`.
    """
    import torch

    _check_unpacked_size(path, most)
    inert = _inert(path, (*_TORCH_CLASSES, *classes)) if classes else []
    try:
        with torch.serialization.safe_globals(inert):
            content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # whatever a stranger's pickle makes of it
        raise _refusal(path, error) from error
    return _flatten(_weights_of(content), path)


def _check_unpacked_size(path: Path, most: int) -> None:
    if not zipfile.is_zipfile(path):
        return
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
            names = [entry.filename.rpartition("/")[2] for entry in archive.infolist()]
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise ZooError(f"{path} is damaged ({error}): copy it again") from error
    if size > most:
        raise ZooError(f"{path} unpacks to {size:,} bytes, more than the {most:,} that are read")
    if "constants.pkl" in names:
        raise ZooError(f"{path} is a TorchScript program, which is code: save its state_dict() with torch.save")


def _inert(path: Path, prefixes: Sequence[str]) -> list:
    """(container, class name) of every class of the file that may be there."""
    import torch

    try:
        names = torch.serialization.get_unsafe_globals_in_checkpoint(str(path))
    except Exception:  # an old format, or damaged: torch.load says which
        return []
    return [(_container(name), name) for name in names if name.startswith(tuple(prefixes))]


def _container(name: str) -> type:
    """A class of its own for a name, which keeps what the pickle gives it and does nothing."""

    class Container:
        def __new__(cls, *arguments: Any, **keywords: Any):
            made = object.__new__(cls)
            made.state = {}
            return made

        def __init__(self, *arguments: Any, **keywords: Any) -> None:
            self.state: Any = self.state

        def __setstate__(self, state: Any) -> None:
            self.state = state

    Container.__name__ = name
    Container.is_container = True  # type: ignore[attr-defined]
    return Container


def _refusal(path: Path, error: Exception) -> ZooError:
    text = " ".join(str(error).split())
    if "global" in text.lower() or "Unsupported operand" in text or "allowlisted" in text:
        name = text.partition("GLOBAL ")[2].split(" ")[0] or "something"
        return ZooError(
            f"{path} is a pickle that would run code ({name}), which is never done: "
            "save the tensors alone, torch.save(model.state_dict(), ...)"
        )
    return ZooError(f"{path} is no readable file of torch.save ({text[:200]}): copy it again, or save the state_dict()")


def _weights_of(content: Any) -> Any:
    """What of a checkpoint is the network."""
    if isinstance(content, Mapping):
        for key in _STATES:
            inner = content.get(key)
            if isinstance(inner, Mapping) or getattr(inner, "is_container", False):
                return inner
    return content


def _flatten(content: Any, path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Tensors and plain values by dotted name, in their order."""
    import torch

    tensors: dict[str, Any] = {}
    settings: dict[str, Any] = {}

    def walk(value: Any, name: str, depth: int) -> None:
        if depth > _DEEPEST:
            raise ZooError(
                f"{path} is nested deeper than {_DEEPEST} levels: save the state_dict() of the network alone"
            )
        if isinstance(value, torch.Tensor):
            if value.layout is not torch.strided or value.is_quantized or value.device.type != "cpu":
                raise ZooError(
                    f"{path}: tensor {name!r} is sparse, quantized or without values: save it as it computes"
                )
            tensors[name] = value.detach()
        elif getattr(value, "is_container", False):
            settings[f"{name}.class" if name else "class"] = type(value).__name__.rpartition(".")[2]
            walk_module(value.state, name, depth)
        elif isinstance(value, Mapping):
            for key, inner in value.items():
                walk(inner, f"{name}.{key}" if name else str(key), depth + 1)
        elif isinstance(value, list | tuple) and any(isinstance(v, torch.Tensor | Mapping) for v in value):
            for i, inner in enumerate(value):
                walk(inner, f"{name}.{i}" if name else str(i), depth + 1)
        elif isinstance(value, str | int | float | bool) or value is None:
            settings[name] = value

    def walk_module(state: Any, name: str, depth: int) -> None:
        """The attributes of a module: parameters, buffers, submodules, and numbers beside them."""
        for key, inner in state.items() if isinstance(state, Mapping) else ():
            if key in ("_parameters", "_buffers", "_modules") and isinstance(inner, Mapping):
                for part, content in inner.items():
                    if content is not None:
                        walk(content, f"{name}.{part}" if name else str(part), depth + 1)
            elif not str(key).startswith("_") and not isinstance(inner, torch.Tensor):
                walk(inner, f"{name}.{key}" if name else str(key), depth + 1)

    walk(content, "", 0)
    return tensors, settings
