"""Folders given by their path: a model folder, or a run's, which holds one called `model`.

RUN/config.json   what was trained, on which data        RUN/model/   the model folder
"""

from __future__ import annotations

import os
from pathlib import Path

from zoo.hub import manifest
from zoo.hub.sources import NAME, ModelSource
from zoo.hub.store import InPlaceStore, NotThere


class PathStore(InPlaceStore):
    """./folder, read where it lies."""

    def locate(self, source: ModelSource) -> Path:
        """The model folder."""
        return model_folder(Path(source.name))


def model_folder(path: Path) -> Path:
    """`path` itself or its `model`, whichever holds a manifest."""
    for folder in (path, path / "model"):
        if os.path.isfile(folder / manifest.MANIFEST):
            return folder
    if not os.path.exists(path):
        raise NotThere(f"there is no folder {path}: check the path")
    if os.path.isfile(path / "config.json") and any(os.path.isdir(path / part) for part in ("checkpoints", "members")):
        raise NotThere(f"run {path} has no model yet: wait until it is finished, or resume it")
    raise NotThere(f"{path} holds no model: a model folder has a {manifest.MANIFEST}, and a finished run has model/")


def folder_source(text: str) -> ModelSource | None:
    """The source of a folder that is there, from its path or file:///path; None for any other text.

    A run's folder or a model folder is read where it lies; a model's folder in a hub is that hub's model.
    """
    path = _local(text)
    if path is None:
        return None
    if (path / "refs" / "main").is_file() and NAME.fullmatch(path.resolve().name):
        return ModelSource("file", str(path.resolve().parent), path.resolve().name)
    if any((folder / manifest.MANIFEST).is_file() for folder in (path, path / "model")) or run_of(text):
        return ModelSource("path", "", str(path))
    return None


def run_of(name: str | Path) -> Path | None:
    """The run whose folder, or whose model's folder, a path or file:///path is; None for anything else.

    A folder with a manifest is a model's, whatever else a stranger put into it.
    """
    path = _local(str(name))
    if path is None:
        return None
    for run in (path, path.parent) if path.name == "model" else (path,):
        is_model = (run / manifest.MANIFEST).exists()
        parts = [run / part for part in ("model", "checkpoints", "members")]
        if not is_model and (run / "config.json").is_file() and any(part.is_dir() for part in parts):
            return run
    return None


def _local(text: str) -> Path | None:
    """The folder that a text names, if it is there."""
    written = text.removeprefix("file://")
    is_url = "://" in written or (written != text and not written.startswith("/"))
    if is_url or "\0" in written:
        return None
    path = Path(written).expanduser()
    return path if os.path.isdir(path) else None
