"""manifest.json: what a model folder holds, byte for byte.  Its own sha256 is the model's revision.

A pulled folder is a stranger's data: nothing is read that the manifest does not list, and nothing
is listed that could run.  zoo/hub/verify.py compares the files with it.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path

from zoo.errors import HubError
from zoo.files.regular_files import read_bounded, sha256_of
from zoo.files.strict_json import parse_json

__all__ = ["CONFIG", "FORMAT", "GOLDEN", "MANIFEST", "REQUIRED", "WEIGHTS", "Entry", "read", "revision_of", "write"]

MANIFEST = "manifest.json"
CONFIG, WEIGHTS, GOLDEN = "config.json", "model.safetensors", "golden.safetensors"
REQUIRED = (CONFIG, WEIGHTS, GOLDEN)

FORMAT = 1
"""The number that is written; a manifest without one is read as the first."""
_SUFFIXES = {".json": 1 << 24, ".md": 1 << 20, ".txt": 1 << 24, ".tsv": 1 << 28, ".png": 1 << 24, ".svg": 1 << 24}
_SUFFIXES[".safetensors"] = 1 << 38
"""Allowed endings and the most bytes a file of each may have."""
_LARGEST_GOLDEN = 1 << 32
_MAX_FILES = 200
MAX_BYTES = 1 << 20
"""The most bytes that a manifest has."""
_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Entry:
    """One file of a model folder: path with forward slashes, size in bytes, sha256 in hex."""

    path: str
    size: int
    sha256: str


def write(folder: Path) -> str:
    """Write the manifest of everything in `folder` and return the revision that it makes."""
    paths = sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if not p.is_dir())
    entries = [_measure(folder, path) for path in paths if path != MANIFEST]
    _check(entries, str(folder))
    files = [{"path": e.path, "sha256": e.sha256, "size": e.size} for e in entries]
    raw = (json.dumps({"files": files, "format": FORMAT}, indent=1, sort_keys=True) + "\n").encode()
    (folder / MANIFEST).write_bytes(raw)
    return hashlib.sha256(raw).hexdigest()


def read(folder: Path) -> list[Entry]:
    """The files that `folder` says it holds, none of them looked at yet."""
    return parse(_manifest_bytes(folder), str(folder))


def revision_of(folder: Path) -> str:
    """sha256 of the manifest: the same bytes everywhere give the same revision."""
    return hashlib.sha256(_manifest_bytes(folder)).hexdigest()


def parse(raw: bytes, where: str) -> list[Entry]:
    """Entries of a manifest's bytes; HubError for anything that is not one, or lists what may not be there."""
    try:
        plain = parse_json(raw)
        number = plain.get("format", FORMAT)
        if type(number) is not int or not 1 <= number <= FORMAT:
            raise HubError(f"{where}: manifest.json is of format {number!r}, not of format {FORMAT}: upgrade zoo-core")
        entries = [Entry(f["path"], f["size"], f["sha256"]) for f in plain["files"]]
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise HubError(f"{where}: manifest.json is damaged ({error}): fetch or publish the model again") from error
    _check(entries, where)
    return entries


def _check(entries: list[Entry], where: str) -> None:
    if len(entries) > _MAX_FILES:
        raise HubError(f"{where}: {len(entries)} files are more than the {_MAX_FILES} that a model may have")
    for entry in entries:
        _check_path(entry.path, where)
        most = _LARGEST_GOLDEN if entry.path == GOLDEN else _SUFFIXES[Path(entry.path).suffix]
        if type(entry.size) is not int or not 0 <= entry.size <= most:
            raise HubError(f"{where}: {entry.path} of {entry.size!r} bytes is beyond the {most:,} that are allowed")
        if not isinstance(entry.sha256, str) or not _SHA256.fullmatch(entry.sha256):
            raise HubError(f"{where}: the sha256 of {entry.path} is no 64 hexadecimal digits: publish the model again")
    paths = [e.path for e in entries]
    if paths != sorted(set(paths)):
        raise HubError(f"{where}: manifest.json must list every file once, sorted: publish the model again")
    missing = [name for name in REQUIRED if name not in paths]
    if missing:
        raise HubError(f"{where} is no model folder: its manifest does not list {', '.join(missing)}")


def _check_path(path: object, where: str) -> None:
    """Plain relative names only, of kinds that hold data and no code."""
    parts = path.split("/") if isinstance(path, str) else []
    if not 1 <= len(parts) <= 3 or not all(_PART.fullmatch(p) for p in parts) or path == MANIFEST:
        raise HubError(
            f"{where}: file name {path!r} is refused: a model's files have plain relative names, without '..', "
            "so do not trust this model"
        )
    if Path(path).suffix not in _SUFFIXES:
        raise HubError(
            f"{where}: {path} is refused, since files of its kind can run code: a model holds "
            f"{' '.join(sorted(_SUFFIXES))} only"
        )


def _measure(folder: Path, path: str) -> Entry:
    _check_path(path, str(folder))
    size = (folder / path).stat().st_size
    return Entry(path, size, sha256_of(folder / path, size))


def _manifest_bytes(folder: Path) -> bytes:
    path = Path(folder) / MANIFEST
    try:
        return read_bounded(path, MAX_BYTES)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise HubError(f"{folder} is no model folder: it has no {MANIFEST}") from error
    except OSError as error:
        raise HubError(f"{path} cannot be read ({error.strerror}): fetch or publish the model again") from error
