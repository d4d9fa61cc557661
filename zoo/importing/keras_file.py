"""Files that Keras writes (.h5): weights by layer, and the configuration of the layers, which is read and never built.

model.h5 -> {"conv1d/kernel": array}, {"class_name": ..., "config": {...}}
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from zoo.errors import ZooError, need
from zoo.files.strict_json import parse_json

_MOST_TENSORS = 20_000
_LARGEST_CONFIG = 1 << 24


def read_keras(path: Path, most: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """{layer/kernel: array} in the order of the layers, and the model's configuration ({} where the file has none).

    most: bytes of all arrays.  Names are without ":0"; a group that repeats its layer's name is left out of them.
    Raises ZooError for a file that is damaged, leads to other files, or is too large.
    """
    need(f"reading {path.name}", "h5py")
    import h5py

    try:
        with h5py.File(path, "r") as file:
            config = _config(file, path)
            weights = file["model_weights"] if "model_weights" in file else file
            if not isinstance(weights, h5py.Group):
                raise ZooError(f"{path} keeps no weights of Keras: save the model with model.save('model.h5')")
            version = file.attrs.get("keras_version")
            if version is not None:
                config["keras_version"] = _text(version)
            return _arrays(weights, path, most), config
    except ZooError:
        raise
    except Exception as error:  # h5py raises what HDF5 makes of a damaged file: OSError, RuntimeError, KeyError, ...
        reason = " ".join(str(error).split())[:200]
        raise ZooError(f"{path} is no readable HDF5 file ({reason}): copy it again, or save the model again") from error


def _config(file: Any, path: Path) -> dict[str, Any]:
    raw = file.attrs.get("model_config")
    if raw is None:
        return {}
    text = _text(raw)
    if len(text) > _LARGEST_CONFIG:
        raise ZooError(f"{path}: a model_config of {len(text):,} letters is none: save the model again")
    try:
        config = parse_json(text)
    except ValueError as error:
        raise ZooError(f"{path}: its model_config is no JSON ({error}): save the model again") from error
    return config if isinstance(config, dict) else {}


def _arrays(weights: Any, path: Path, most: int) -> dict[str, Any]:
    """Arrays layer by layer as the file orders them, what no layer names last."""
    sizes: dict[str, int] = {}

    def visit(group: Any, prefix: str, depth: int) -> None:
        import h5py

        for key in _ordered(group):
            name = f"{prefix}/{key}" if prefix else key
            if depth > 20 or len(sizes) > _MOST_TENSORS:
                raise ZooError(f"{path} holds more groups or arrays than a network has: save the weights alone")
            if not isinstance(group.get(key, getlink=True), h5py.HardLink):
                raise ZooError(f"{path}: {name!r} is a link to another place, which is not followed: save it again")
            item = group[key]
            if isinstance(item, h5py.Group):
                if not (depth == 0 and key.startswith("optimizer")):
                    visit(item, name, depth + 1)
            else:
                sizes[name] = _size(item, name, path)
                if sum(sizes.values()) > most:
                    raise ZooError(f"{path} holds more than the {most:,} bytes of weights that are read")

    visit(weights, "", 0)
    arrays = {}
    for name in sorted(sizes, key=_place(weights, list(sizes))):
        short = _short(name)
        if short in arrays:
            raise ZooError(f"{path} holds two arrays {short!r}: save the model again")
        arrays[short] = weights[name][()]
    return arrays


def _place(weights: Any, names: list[str]) -> Callable[[str], tuple[int, int, int]]:
    """Sorts names by their layer, and within a layer as its `weight_names` lists those of the layers inside it."""
    layers = {name.partition("/")[0]: None for name in names}
    order: dict[str, list[str]] = {}
    for layer in layers:
        raw = weights[layer].attrs.get("weight_names", [])
        order[layer] = [_text(name) for name in raw]

    def place(name: str) -> tuple[int, int, int]:
        layer = name.partition("/")[0]
        listed = next((i for i, n in enumerate(order[layer]) if name.endswith("/" + n)), len(order[layer]))
        return list(layers).index(layer), listed, names.index(name)

    return place


def _size(item: Any, name: str, path: Path) -> int:
    """Bytes of an array; ZooError for one of other types, or whose values are elsewhere."""
    if item.dtype.kind not in "fiu" or item.shape is None or item.external or item.is_virtual:
        raise ZooError(f"{path}: {name!r} holds no plain numbers: save the weights of the model alone")
    return int(item.size) * item.dtype.itemsize


def _ordered(group: Any) -> list[str]:
    """Keys of a group in the order of the layers, then the others."""
    first: list[str] = []
    for attribute in ("layer_names", "weight_names"):
        for raw in group.attrs.get(attribute, []):
            name = _text(raw)
            key = name.partition("/")[0] if attribute == "weight_names" else name
            if key in group and key not in first:
                first.append(key)
    return [*first, *sorted(key for key in group if key not in first)]


def _text(raw: Any) -> str:
    return raw.decode("utf-8", "replace") if isinstance(raw, bytes) else str(raw)


def _short(name: str) -> str:
    """`a/a/kernel:0` as `a/kernel`."""
    parts = name.removesuffix(":0").split("/")
    return "/".join(part for i, part in enumerate(parts) if i == 0 or part != parts[i - 1])
