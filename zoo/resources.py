"""Files that travel with the core: `conf/` and `registry.yaml`, in a wheel and in a checkout alike."""

from __future__ import annotations

from pathlib import Path

from zoo.errors import ZooError

__all__ = ["core_file"]


def core_file(name: str) -> Path:
    """Path of a file or folder of the core: inside the package (a wheel), else beside it (a checkout).

    >>> core_file("registry.yaml").name
    'registry.yaml'
    """
    package = Path(__file__).resolve().parent
    for path in (package / name, package.parent / name):
        if path.exists():
            return path
    raise ZooError(f"{name} is neither in {package} nor beside it: install zoo-core again")
