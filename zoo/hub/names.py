"""Published models by name: which registries there are and what they say.

    models:
      ctcf-motif-cnn:
        source: pkg://zoo/weights/ctcf-motif-cnn
        revision: 5d1f...            # the name then always means these bytes
        task: CTCF binding
        description: Does CTCF bind within 200 bp of DNA?
        licence: MIT
        plugin: zoo-core
        genome: hg19
        input_length: 200

Looked in, in this order: the place ZOO_HUB names, the file ZOO_REGISTRY names, the plugins' registry.yaml,
the core's.  The first that has a name wins; that others have it too is shown.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from zoo.errors import HubError, did_you_mean
from zoo.files.locations import core_file
from zoo.files.regular_files import read_bounded
from zoo.files.strict_yaml import parse_yaml
from zoo.hub.cache import cached_revisions, offline
from zoo.hub.package import package_folder
from zoo.hub.path import folder_source
from zoo.hub.sources import NAME, ModelSource, is_source, parse_place, parse_source
from zoo.hub.store import Unreachable
from zoo.hub.stores import store_for
from zoo.registry import registry

_LOG = logging.getLogger("zoo.hub")
_MAX_BYTES = 1 << 20
_KEYS = ("source", "revision", "task", "description", "licence", "plugin", "genome", "input_length")


@dataclass(frozen=True)
class Published:
    """One name of one registry.

    source: with the pinned revision, if there is one.
    registry: the file or place that lists it.
    clash: other registries that list the name and are not asked.
    """

    name: str
    source: ModelSource
    registry: str
    task: str = ""
    description: str = ""
    licence: str = ""
    plugin: str = ""
    genome: str = ""
    input_length: int | None = None
    clash: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values, and whether the model is on this machine."""
        in_place = self.source.scheme in ("pkg", "path")
        plain = {**asdict(self), "source": str(self.source.at(None)), "revision": self.source.revision}
        return {**plain, "clash": list(self.clash), "cached": in_place or bool(cached_revisions(self.source))}


def list_models() -> list[dict[str, Any]]:
    """Every published model that a name finds here, sorted by name, as plain values; torch is not imported.

    Keys: name, task, plugin, source, revision, licence, input_length, genome, description, registry, cached, clash.
    """
    return [entry.to_dict() for entry in published()]


def published() -> list[Published]:
    """Every name, with the entry that wins."""
    entries: dict[str, Published] = {}
    for entry in (*_in_hub(), *_in_registries()):
        if entry.name in entries:
            first = entries[entry.name]
            entries[entry.name] = replace(first, clash=(*first.clash, entry.registry))
        else:
            entries[entry.name] = entry
    return [entries[name] for name in sorted(entries)]


def find(text: str, revision: str | None = None) -> tuple[ModelSource, Published | None]:
    """The source that a name, name@revision, source or folder means, and its registry entry if it has one.

    A folder is a run's, a model folder, or a model's folder in a hub, written as a path or as file:///path; a
    registered name goes before a folder of the same name, which is then written ./name.
    Raises HubError with a suggestion for a name that no registry has.
    """
    if is_source(text):
        source = folder_source(text) or parse_source(text)
        return (source.at(revision) if revision else source), None
    name, _, named_revision = text.partition("@")
    revision = revision or named_revision or None
    entries = []
    if NAME.fullmatch(name):
        entries = [*_hub_entry(name), *(e for e in _in_registries() if e.name == name)]
    if not entries:
        source = folder_source(name)
        if source is None:
            raise HubError(_unknown(name))
        return source.at(revision), None
    entry = entries[0]
    if len(entries) > 1:
        others = ", ".join(e.registry for e in entries[1:])
        _LOG.warning("%s is taken from %s; %s has one too", name, entry.registry, others)
    return (entry.source.at(revision) if revision else entry.source), entry


def _unknown(name: str) -> str:
    message = f"no model named {name!r}"
    message += did_you_mean(name, [e.name for e in published()], command="zoo list models")
    for plugin, reason in registry().broken.items():
        message += f"; plugin {plugin}, which might list it, did not load: {reason}"
    if os.path.isdir(name):
        message += f"; the folder {name} holds no model: give a finished run, or a model folder"
    return message


def _hub_entry(name: str) -> Iterator[Published]:
    """The model of this name at ZOO_HUB, if it has one; only this name is asked for."""
    hub = os.environ.get("ZOO_HUB")
    if not hub:
        return
    source = parse_place(hub, name)
    store = store_for(source)
    if store.remote and offline():
        there = bool(cached_revisions(source))
    else:
        try:
            there = store.has(source)
        except Unreachable as error:
            if not cached_revisions(source):
                raise Unreachable(f"{error}; whether ZOO_HUB has {name!r} is not known: unset ZOO_HUB") from error
            there = True
    if there:
        yield Published(name, source, f"ZOO_HUB {hub}")


def _in_hub() -> Iterator[Published]:
    """What ZOO_HUB has; a server that does not answer is left out with a warning."""
    hub = os.environ.get("ZOO_HUB")
    if not hub:
        return
    label = f"ZOO_HUB {hub}"
    place = parse_place(hub, "any-name")
    store = store_for(place)
    if store.remote and offline():
        return
    try:
        names = store.names(place.place)
    except Unreachable as error:
        _LOG.warning("%s: its models are not listed", error)
        return
    for name in names:
        source = parse_place(hub, name)
        yield _described(Published(name, source, label)) if source.scheme == "file" else Published(name, source, label)


def _described(entry: Published) -> Published:
    """With the facts of its config.json, where that can be read."""
    from zoo.hub.config_file import read_spec
    from zoo.hub.folder import Folder

    try:
        spec = read_spec(Path(entry.source.place) / entry.source.name / Folder().resolve(entry.source))
    except HubError as error:
        return replace(entry, description=f"cannot be read: {error}")
    return replace(
        entry,
        **{key: getattr(spec, key) for key in ("task", "description", "licence", "input_length")},
        plugin=", ".join(sorted(spec.requires)),
        genome=str(spec.genome.get("name") or ""),
    )


def _in_registries() -> Iterator[Published]:
    """ZOO_REGISTRY's entries, then the plugins', then the core's."""
    if os.environ.get("ZOO_REGISTRY"):
        path = Path(os.environ["ZOO_REGISTRY"]).expanduser()
        yield from _read(path, f"ZOO_REGISTRY {path}", "")
    for model_file in sorted(registry().model_files, key=lambda f: f.owner == "zoo-core"):
        try:
            package, file, owner = model_file.package, model_file.file, model_file.owner
            path = core_file(file) if package == "zoo" else package_folder(package) / file
            yield from list(_read(path, owner, owner))
        except HubError as error:
            # one plugin's mistake must not hide the models of the others
            _LOG.warning("the models of %s are left out: %s", model_file.owner, error)


def _read(path: Path, label: str, owner: str) -> Iterator[Published]:
    """The entries of one registry.yaml; HubError names the file and the entry."""
    try:
        raw = read_bounded(path, _MAX_BYTES, follow_links=True)
    except OSError as error:
        raise HubError(f"registry {path} of {label} cannot be read: {error.strerror}: mend or unset it") from error
    try:
        plain = parse_yaml(raw)
    except ValueError as error:
        raise HubError(f"registry {path} is no YAML: {error}") from error
    models = plain.get("models") if isinstance(plain, dict) else None
    if models is None and plain:
        raise HubError(f"registry {path} has no key `models`: begin it with `models:`")
    if not isinstance(models or {}, dict):
        raise HubError(f"registry {path}: `models` must map names to entries")
    for name, entry in (models or {}).items():
        yield _entry(name, entry, path, label, owner)


def _entry(name: object, plain: object, path: Path, label: str, owner: str) -> Published:
    where = f"registry {path}, entry {name!r}"
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise HubError(f"{where}: a model's name has lower-case letters, digits and . _ - only")
    if not isinstance(plain, dict) or not isinstance(plain.get("source"), str):
        raise HubError(f"{where}: it needs a `source`, as in source: hf://org/{name}")
    unknown = [str(key) for key in plain if key not in _KEYS]
    if unknown:
        raise HubError(f"{where}: no key {unknown[0]!r}" + did_you_mean(unknown[0], _KEYS))
    nested = [key for key, value in plain.items() if not isinstance(value, str)]
    if nested:
        raise HubError(f"{where}: {nested[0]} must be one text or number")
    length = (plain.get("input_length") or "").replace("_", "")
    if length and not (length.isascii() and length.isdigit() and len(length) < 12 and int(length) > 0):
        raise HubError(f"{where}: input_length {length!r} must be a number of bp")
    try:
        listed = parse_source(plain["source"])
        source = listed.at(plain.get("revision") or listed.revision)
    except HubError as error:
        raise HubError(f"{where}: {error}") from error
    if listed.revision not in (None, source.revision):
        raise HubError(f"{where}: revision {source.revision} and source {listed} disagree: keep one of them")
    if source.scheme == "path":
        source = replace(source, name=str((path.parent / source.name).resolve()))
    return Published(
        name,
        source,
        label,
        plugin=plain.get("plugin") or owner,
        input_length=int(length) if length else None,
        **{key: plain.get(key, "") for key in ("task", "description", "licence", "genome")},
    )
