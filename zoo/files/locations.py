"""Where files are: those that travel with the core, in a wheel and in a checkout alike, and the cache."""

from __future__ import annotations

import os
from pathlib import Path

from zoo.errors import ZooError


def core_file(name: str) -> Path:
    """Path of a file or folder of the core: inside the package (a wheel), else beside it (a checkout).

    >>> core_file("registry.yaml").name
    'registry.yaml'
    """
    package = Path(__file__).resolve().parent.parent
    for path in (package / name, package.parent / name):
        if path.exists():
            return path
    raise ZooError(f"{name} is neither in {package} nor beside it: install zoo-core again")


def cache_root() -> Path:
    """Where pulled models and unpacked genomes lie: ZOO_CACHE, else zoo in XDG_CACHE_HOME, else ~/.cache/zoo."""
    return Path(os.environ.get("ZOO_CACHE") or Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache", "zoo")).expanduser()


def new_folder(folder: Path) -> Path:
    """Create `folder`, or folder-2, folder-3 ... where that is there already."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    number, path = 1, folder
    while True:
        try:
            path.mkdir()
            return path
        except FileExistsError:
            number += 1
            path = folder.with_name(f"{folder.name}-{number}")
