"""Which published models answer here as they did where they were saved: a row a model, torch version and device.

list_models -> load -> golden inputs -> largest difference -> pass, fail or unavailable -> compatibility.json
"""

from __future__ import annotations

import json
import platform
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from zoo.effects.engine.precision import full_precision
from zoo.errors import DataError, ZooError
from zoo.files.atomic import atomic_path
from zoo.files.regular_files import read_bounded
from zoo.files.strict_json import parse_json
from zoo.hub.config_file import check_requires, read_spec
from zoo.hub.golden import check_golden
from zoo.hub.loader import fetch, load
from zoo.hub.names import published
from zoo.prediction.predict import versions

FORMAT = 1
_KEY = ("model", "revision", "torch", "device")
_MOST_BYTES = 1 << 24


@dataclass(frozen=True)
class Compatibility:
    """One model on one device.

    status: pass; fail, where it does not load or differs from its golden outputs; unavailable, where its weights or
        a plugin are not here, so that nothing is known.
    difference: the largest to a golden output, None where none was computed.
    reason: why it did not pass.
    """

    model: str
    revision: str
    torch: str
    device: str
    status: str
    difference: float | None = None
    reason: str = ""
    versions: str = ""
    python: str = ""


def devices() -> list[str]:
    """The CPU, and one GPU of each kind."""
    kinds = {torch.cuda.get_device_name(i): f"cuda:{i}" for i in range(torch.cuda.device_count())}
    return ["cpu", *sorted(kinds.values())]


def check_published(places: Iterable[str]) -> list[Compatibility]:
    """Every published model that a name finds here, on each of some devices, in float32 without TF32."""
    places = list(places)
    return [check_on(entry.name, place) for entry in published() for place in places]


def check_on(name: str, place: str) -> Compatibility:
    """One model on a device."""
    device = "cpu" if place == "cpu" else torch.cuda.get_device_name(place)
    here: dict[str, Any] = {"model": name, "torch": torch.__version__, "device": device}
    here["python"] = platform.python_version()
    try:
        pulled = fetch(name)
        spec = read_spec(pulled.folder)
        check_requires(spec)
    except ZooError as error:
        return Compatibility(**here, revision="", status="unavailable", reason=str(error))
    here |= {"revision": pulled.revision, "versions": versions(spec)}
    try:
        with full_precision(torch.device(place)):
            difference = check_golden(load(name, device=place), pulled.folder)
    except (ZooError, RuntimeError) as error:
        return Compatibility(**here, status="fail", reason=" ".join(str(error).split())[:500])
    return Compatibility(**here, status="pass", difference=difference)


def write_compatibility(path: str | Path, rows: Iterable[Compatibility]) -> int:
    """Write the table as JSON, and return how many rows it has.

    Rows of an earlier file stay, but for those of the same model, revision, torch version and device.
    Raises DataError for a file that is no such table.
    """
    new = [asdict(row) for row in rows]
    keys = {_key(row) for row in new}
    table = [row for row in _read(Path(path)) if _key(row) not in keys] + new
    table.sort(key=_key)
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps({"format": FORMAT, "rows": table}, indent=1) + "\n", encoding="utf-8")
    return len(table)


def _read(path: Path) -> list[dict[str, Any]]:
    if not path.is_file():
        return []
    remedy = "name another file, or remove this one"
    try:
        plain = parse_json(read_bounded(path, _MOST_BYTES))
    except ValueError as error:
        raise DataError(f"{path} is no table of compatibility ({error}): {remedy}") from error
    rows = plain.get("rows") if isinstance(plain, Mapping) and plain.get("format") == FORMAT else None
    if not isinstance(rows, list) or not all(isinstance(row, dict) and set(_KEY) <= set(row) for row in rows):
        raise DataError(f"{path} is no table of compatibility of format {FORMAT}: {remedy}")
    return rows


def _key(row: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(str(row[key]) for key in _KEY)
