"""What a place that keeps models can do; zoo/hub/stores.py picks the one of a source."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path

from zoo.errors import HubError
from zoo.hub import manifest
from zoo.hub.sources import ModelSource


class NotThere(HubError):
    """The place answered: it has no such model, or no such revision of it."""


class Unreachable(HubError):
    """The place did not answer."""


class Store(ABC):
    """Models by name and revision.

    remote: True where a network stands between, so that offline mode keeps away from it.
    in_place: True where the folder is read where it lies and never copied.
    """

    remote: bool = False
    in_place: bool = False

    @abstractmethod
    def resolve(self, source: ModelSource) -> str:
        """The full, immutable revision that `source` means now.  Raises NotThere or Unreachable."""

    def fetch(self, source: ModelSource, revision: str, folder: Path) -> None:
        """Bring the files that the manifest lists into `folder`; files that are already there may be kept."""
        raise NotImplementedError

    def publish(self, source: ModelSource, folder: Path, private: bool = False) -> str:
        """Take a verified model folder in, make it `main`, and return its revision."""
        raise HubError(f"nothing can be published to {source}: give hf://org or file:///folder")

    def names(self, place: str) -> list[str]:
        """Names of the models at a place, sorted."""
        return []

    def has(self, source: ModelSource) -> bool:
        """Whether the place has the model at all.  Raises Unreachable where it does not answer."""
        try:
            self.resolve(source)
        except NotThere:
            return False
        return True

    def locate(self, source: ModelSource) -> Path:
        """The folder of a source that is read in place."""
        raise NotImplementedError


class InPlaceStore(Store):
    """Folders that are read where they lie; a revision is the manifest's sha256."""

    in_place = True

    def resolve(self, source: ModelSource) -> str:
        """The manifest's sha256; another one than was asked for is NotThere."""
        revision = manifest.revision_of(self.locate(source))
        if source.revision and not revision.startswith(source.revision):
            raise NotThere(f"{source.at(None)} is of revision {revision}, not {source.revision}: ask for that one")
        return revision
