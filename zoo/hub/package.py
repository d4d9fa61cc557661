"""Small weights inside an installed package: the models that work on a machine that never saw a network."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from zoo.hub import manifest
from zoo.hub.sources import ModelSource
from zoo.hub.store import NotThere, Store

__all__ = ["Package", "package_folder"]


class Package(Store):
    """pkg://package/path, read where it lies."""

    in_place = True

    def resolve(self, source: ModelSource) -> str:
        """The manifest's sha256; another one than was asked for is NotThere."""
        revision = manifest.revision_of(self.locate(source))
        if source.revision and not revision.startswith(source.revision):
            raise NotThere(
                f"{source.at(None)} is of revision {revision}, not {source.revision}: change what is asked for"
            )
        return revision

    def fetch(self, source: ModelSource, revision: str, folder: Path) -> None:
        """Never needed: the folder is read in place."""
        raise NotImplementedError

    def locate(self, source: ModelSource) -> Path:
        """The folder inside the package."""
        folder = package_folder(source.place) / source.name
        if not folder.is_dir():
            raise NotThere(f"package {source.place} holds no model {source.name!r}: update it, or name another source")
        return folder


def package_folder(package: str) -> Path:
    """Where an installed package's files are; the package itself is not imported."""
    top, _, rest = package.partition(".")
    try:
        spec = find_spec(top)
    except ValueError:
        spec = None
    locations = list(spec.submodule_search_locations or ()) if spec else []
    for location in locations:
        folder = Path(location, *rest.split(".")) if rest else Path(location)
        if folder.is_dir():
            return folder
    raise NotThere(f"package {package!r} is not installed: run `pip install` for the distribution that brings it")
