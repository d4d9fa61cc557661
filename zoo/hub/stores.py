"""Which store understands a source: each scheme has one file, imported when it is first needed."""

from __future__ import annotations

from zoo.hub.sources import ModelSource
from zoo.hub.store import Store


def store_for(source: ModelSource) -> Store:
    """The store that understands a source's scheme."""
    match source.scheme:
        case "hf":
            from zoo.hub.huggingface import HuggingFace

            return HuggingFace()
        case "file":
            from zoo.hub.folder import Folder

            return Folder()
        case "pkg":
            from zoo.hub.package import Package

            return Package()
        case _:
            from zoo.hub.path import PathStore

            return PathStore()
