"""A model folder given by its path, or a run's folder, which holds one called `model`."""

from __future__ import annotations

from pathlib import Path

from zoo.hub import manifest
from zoo.hub.sources import ModelSource
from zoo.hub.store import NotThere, Store

__all__ = ["PathStore", "model_folder"]


class PathStore(Store):
    """./folder, read where it lies."""

    in_place = True

    def resolve(self, source: ModelSource) -> str:
        """The manifest's sha256; another one than was asked for is NotThere."""
        revision = manifest.revision_of(self.locate(source))
        if source.revision and not revision.startswith(source.revision):
            raise NotThere(f"{source} is of revision {revision}, not {source.revision}: change what is asked for")
        return revision

    def fetch(self, source: ModelSource, revision: str, folder: Path) -> None:
        """Never needed: the folder is read in place."""
        raise NotImplementedError

    def locate(self, source: ModelSource) -> Path:
        """The model folder."""
        return model_folder(Path(source.name))


def model_folder(path: Path) -> Path:
    """`path` itself or its `model`, whichever holds a manifest."""
    for folder in (path, path / "model"):
        if (folder / manifest.MANIFEST).is_file():
            return folder
    if not path.exists():
        raise NotThere(f"there is no folder {path}: check the path")
    raise NotThere(f"{path} holds no model: a model folder has a {manifest.MANIFEST}, and a finished run has model/")
