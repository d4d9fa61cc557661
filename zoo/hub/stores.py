"""Which store understands a source."""

from __future__ import annotations

from zoo.hub.distribution import Distribution
from zoo.hub.folder import Folder
from zoo.hub.huggingface import HuggingFace
from zoo.hub.package import Package
from zoo.hub.path import PathStore
from zoo.hub.sources import ModelSource
from zoo.hub.store import Store

_STORES: dict[str, type[Store]] = {
    "hf": HuggingFace,
    "file": Folder,
    "pkg": Package,
    "dist": Distribution,
    "path": PathStore,
}


def store_for(source: ModelSource) -> Store:
    """The store that understands a source's scheme."""
    return _STORES[source.scheme]()
