"""Versions of a published model: what the next one states of itself, and that no version means two things.

spec, place, what the publisher states -> with_card -> spec -> model folder -> require_new_version
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.errors import ContractError, HubError
from zoo.hub import manifest
from zoo.hub.cache import pull_source
from zoo.hub.card_fields import check_card_fields
from zoo.hub.config_file import read_spec
from zoo.hub.folder import Folder
from zoo.hub.loader import fetch
from zoo.hub.store import NotThere, Unreachable
from zoo.hub.stores import store_for

if TYPE_CHECKING:
    from zoo.hub.sources import ModelSource
    from zoo.spec import ModelSpec


@dataclass(frozen=True)
class Earlier:
    """What `main` of a place is: its spec, and the sha256 of its manifest."""

    spec: ModelSpec
    digest: str

    @property
    def versions(self) -> set[str]:
        """All that were published so far, as its changelog lists them."""
        return {self.spec.version, *(row["version"] for row in self.spec.changelog)} - {""}


def with_card(spec: ModelSpec, source: ModelSource, card: Mapping[str, Any]) -> ModelSpec:
    """A spec with the fields of zoo/hub/card_fields.py that its publisher states; the others as they are.

    card: these fields, and `changes`, what this version changed; parent is whatever `zoo.load` takes.
    The changelog of what is published there already goes on.
    Raises HubError for a field that is none, and where versions are used there and none is stated.
    """
    stated = {key: value for key, value in card.items() if value}
    changes = stated.pop("changes", "")
    if isinstance(stated.get("parent"), str | Path):
        stated["parent"] = describe_parent(stated["parent"])
    version = stated.get("version") or spec.version
    if changes and not stated.get("version"):
        raise HubError("what a version changed is stated without the version: give --version with --changes")
    earlier = published_before(source, bool(version))
    if earlier and earlier.versions and not version:
        raise HubError(f"{source} has versions, the last is {earlier.spec.version}: give this one a --version")
    if stated.get("version"):
        stated["changelog"] = _changelog(earlier, version, changes)
    try:
        return spec.replace(**check_card_fields(stated))
    except ContractError as error:
        raise HubError(str(error)) from error


def require_new_version(spec: ModelSpec, source: ModelSource, folder: Path) -> None:
    """Raise HubError where the version of a model folder is published already, with other contents."""
    earlier = published_before(source, bool(spec.version))
    if earlier is None or spec.version not in earlier.versions:
        return
    if spec.version != earlier.spec.version or manifest.revision_of(folder) != earlier.digest:
        raise HubError(
            f"version {spec.version} of {source} is published already, with other contents: give this another"
        )


def published_before(source: ModelSource, versioned: bool) -> Earlier | None:
    """What `main` of a place is; None where there is none.

    versioned: whether a server is asked too, which costs fetching its model; a folder always is.
    """
    store = store_for(source)
    if store.remote and not versioned:
        return None
    try:
        if isinstance(store, Folder):
            folder = Path(source.place) / source.name / store.resolve(source)
        else:
            folder = pull_source(source).folder
    except NotThere:
        return None
    except Unreachable:
        if store.remote:
            raise
        return None  # a folder that publishing makes
    return Earlier(read_spec(folder), manifest.revision_of(folder))


def describe_parent(name: str | Path) -> dict[str, str]:
    """What a card says of the model that another was made from.  name: whatever `zoo.load` takes."""
    pulled = fetch(name)
    spec = read_spec(pulled.folder)
    parent = {"name": spec.name, "source": str(pulled.source.at(None)), "revision": pulled.revision}
    return parent | ({"licence": spec.licence} if spec.licence else {})


def _changelog(earlier: Earlier | None, version: str, changes: str) -> list[Mapping[str, str]]:
    """This version's entry before those of what is there; one that was published as it stands keeps its entry."""
    before = list(earlier.spec.changelog) if earlier else []
    if earlier and earlier.spec.version == version and not changes:
        return before
    entry = {"version": version, **({"changes": changes} if changes else {})}
    return [entry, *(row for row in before if row["version"] != version)]
