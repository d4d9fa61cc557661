"""Small weights inside an installed package: the models that work on a machine that never saw a network."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path

from zoo.hub.sources import ModelSource
from zoo.hub.store import InPlaceStore, NotThere


class Package(InPlaceStore):
    """pkg://package/path, read where it lies."""

    def locate(self, source: ModelSource) -> Path:
        """The folder inside the package."""
        folder = package_folder(source.place) / source.name
        if not os.path.isdir(folder):
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
