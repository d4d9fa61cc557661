"""Pulled models: <ZOO_CACHE>/models/<source>/<revision>/, every one of them checked before it takes its name.

A pull that was cut leaves `.partial-<revision>`, which the next one completes.  Two processes that pull at once
wait for each other.  `ZOO_OFFLINE=1` (or HF_HUB_OFFLINE=1) keeps away from servers.
"""

from __future__ import annotations

import logging
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from zoo.errors import HubError
from zoo.files.atomic import sentence, write_file
from zoo.files.locations import cache_root
from zoo.files.locks import lock
from zoo.files.regular_files import read_bounded
from zoo.hub import manifest
from zoo.hub.sources import ModelSource
from zoo.hub.store import Store, Unreachable
from zoo.hub.stores import store_for
from zoo.hub.verify import verify_files

_LOG = logging.getLogger("zoo.hub")


@dataclass(frozen=True)
class Pulled:
    """A model folder on this machine, and where it came from."""

    folder: Path
    source: ModelSource
    revision: str
    cached: bool


def offline() -> bool:
    """Whether servers are to be left alone."""
    return any(
        os.environ.get(name, "").lower() in ("1", "true", "yes", "on") for name in ("ZOO_OFFLINE", "HF_HUB_OFFLINE")
    )


def pull_source(source: ModelSource, force: bool = False) -> Pulled:
    """Bring a model to this machine unless it is here, and say where it is.

    force: fetch it again even if it is cached.
    Raises HubError where it cannot be found or reached, or is not what its manifest says.
    """
    store = store_for(source)
    if store.in_place:
        return Pulled(store.locate(source), source, store.resolve(source), cached=False)
    revision = source.at(_resolve(store, source)).revision
    folder = _home(source) / str(revision)
    if force or not folder.is_dir():
        if store.remote and offline():
            raise HubError(_not_cached(source.at(revision)))
        _fetch(store, source, revision, folder, force)
    return Pulled(folder, source, revision, cached=True)


def cached_revisions(source: ModelSource) -> list[str]:
    """Revisions of a source that are here, sorted."""
    home = _home(source)
    if not home.is_dir():
        return []
    return sorted(p.name for p in home.iterdir() if (p / manifest.MANIFEST).is_file() and not p.name.startswith("."))


def _resolve(store: Store, source: ModelSource) -> str:
    """Ask the store what the revision means; where it cannot be asked, remember what it last said."""
    name = source.revision or "main"
    if name in cached_revisions(source):
        return name
    if store.remote and offline():
        revision = _remembered(source, name)
        if revision is None:
            raise HubError(_not_cached(source))
        return revision
    try:
        revision = store.resolve(source)
    except Unreachable as error:
        revision = _remembered(source, name)
        if revision is None:
            raise Unreachable(f"{error}; no copy of {source} is cached in {cache_root()}") from error
        _LOG.warning("%s; using the cached copy, revision %s", error, revision)
        return revision
    try:
        write_file(_home(source) / "refs" / name, revision + "\n")
    except HubError as error:
        _LOG.debug("the meaning of %s is not remembered: %s", name, error)
    return revision


def _remembered(source: ModelSource, name: str) -> str | None:
    cached = cached_revisions(source)
    matching = [r for r in cached if r.startswith(name)] if len(name) >= 7 else []
    if len(matching) == 1:
        return matching[0]
    try:
        revision = read_bounded(_home(source) / "refs" / name, 1 << 10).decode("ascii").strip()
    except (OSError, UnicodeDecodeError):
        return None
    return revision if revision in cached else None


def _fetch(store: Store, source: ModelSource, revision: str, folder: Path, force: bool) -> None:
    partial = folder.with_name(f".partial-{revision}")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with lock(folder.with_name(f".lock-{revision}")):
            if folder.is_dir() and not force:
                return
            if force:
                shutil.rmtree(partial, ignore_errors=True)
            partial.mkdir(exist_ok=True)
            try:
                store.fetch(source, revision, partial)
                verify_files(partial, f"pull {source} again")
            except Unreachable:
                raise  # the next pull goes on with what has come
            except HubError:
                shutil.rmtree(partial, ignore_errors=True)
                raise
            for hidden in partial.glob(".*"):
                shutil.rmtree(hidden, ignore_errors=True) if hidden.is_dir() else hidden.unlink()
            replaced = folder.with_name(f".replaced-{revision}")
            if folder.is_dir():
                shutil.rmtree(replaced, ignore_errors=True)
                os.rename(folder, replaced)
            os.rename(partial, folder)
            shutil.rmtree(replaced, ignore_errors=True)
    except OSError as error:
        raise sentence(error, folder) from error


def _home(source: ModelSource) -> Path:
    return cache_root() / "models" / source.slug


def _not_cached(source: ModelSource) -> str:
    return f"{source} is not cached in {cache_root()} and ZOO_OFFLINE is set: unset it and run `zoo pull {source}` once"
