"""A hub in a folder that several people see.

    <root>/<name>/<revision>/...     a model folder; never changed once it is there
    <root>/<name>/refs/main          the revision that the name means now
    <root>/<name>/refs/1.0.0         the one that was published as version 1.0.0; never changed

A revision is the sha256 of the manifest, so that publishing the same model twice changes nothing.
"""

from __future__ import annotations

import errno
import os
import re
from pathlib import Path

from zoo.errors import HubError
from zoo.files.atomic import new_folder, write_file
from zoo.files.regular_files import copy_bounded, read_bounded
from zoo.hub import manifest
from zoo.hub.config_file import read_spec
from zoo.hub.sources import NAME, ModelSource
from zoo.hub.store import NotThere, Store, Unreachable
from zoo.hub.verify import verify_files

_FULL = re.compile(r"[0-9a-f]{64}")
_MAX_REF = 1 << 10
_SHORT = re.compile(r"[0-9a-f]{7,64}")


class Folder(Store):
    """file:///root/name."""

    def resolve(self, source: ModelSource) -> str:
        """`main` or another ref, a full revision, or the first seven or more of its digits."""
        home = self._home(source)
        name = source.revision or "main"
        if _SHORT.fullmatch(name):
            matching = [p.name for p in home.iterdir() if _FULL.fullmatch(p.name) and p.name.startswith(name)]
            if len(matching) == 1:
                return matching[0]
            raise NotThere(f"{source.at(None)} has {len(matching) or 'no'} revision {name}: `ls {home}` shows them")
        try:
            revision = read_bounded(home / "refs" / name, _MAX_REF).decode("ascii").strip()
        except (FileNotFoundError, NotADirectoryError, UnicodeDecodeError) as error:
            raise NotThere(f"{source.at(None)} has no revision {name!r}: `ls {home}` shows them") from error
        except OSError as error:
            raise NotThere(
                f"{home / 'refs' / name} cannot be read ({error.strerror}): publish the model again"
            ) from error
        if not _FULL.fullmatch(revision) or not (home / revision).is_dir():
            raise NotThere(f"{home / 'refs' / name} names no revision that is there: publish the model again")
        return revision

    def fetch(self, source: ModelSource, revision: str, folder: Path) -> None:
        """Copy what the manifest lists; HubError where the manifest is not that of the revision."""
        origin = self._home(source) / revision
        copy_bundle(origin, folder)
        if manifest.revision_of(folder) != revision:
            raise HubError(f"{origin} was changed after it was published: do not trust it, publish the model again")

    def publish(self, source: ModelSource, folder: Path, private: bool = False) -> str:
        """Copy beside, check the copy, rename, and only then move `main`.

        Raises HubError where the version that its card states is another revision already.
        """
        revision = manifest.revision_of(folder)
        home = Path(source.place) / source.name
        version = read_spec(folder).version
        ref = home / "refs" / version
        if version and ref.is_file() and read_bounded(ref, _MAX_REF).decode("ascii", "replace").strip() != revision:
            raise HubError(
                f"version {version} of {source} is published already, with other contents: give this another"
            )
        if not (home / revision).is_dir():
            with new_folder(home / revision) as new:
                copy_bundle(folder, new)
                verify_files(new, "publish it again")
        if version:
            write_file(ref, revision + "\n")
        write_file(home / "refs" / "main", revision + "\n")
        return revision

    def names(self, place: str) -> list[str]:
        """Folders of `place` that have a `main`."""
        root = Path(place)
        if not os.path.isdir(root):
            return []
        return sorted(p.name for p in root.iterdir() if NAME.fullmatch(p.name) and (p / "refs" / "main").is_file())

    def _home(self, source: ModelSource) -> Path:
        root = Path(source.place)
        if not os.path.isdir(root):
            raise Unreachable(f"folder {root} is not there: mount it, or name another source")
        home = root / source.name
        if not os.path.isdir(home):
            raise NotThere(f"folder {root} has no model {source.name!r}: `ls {root}` shows what it has")
        return home


def copy_bundle(origin: Path, folder: Path) -> None:
    """Copy the manifest and the files it lists, nothing else and no byte more than it says; links are not followed."""
    sizes = {entry.path: entry.size for entry in manifest.read(origin)}
    for path, size in {**sizes, manifest.MANIFEST: manifest.MAX_BYTES}.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            copy_bounded(origin / path, target, size)
        except FileNotFoundError as error:
            raise HubError(f"{origin / path} is missing: publish the model again") from error
        except OSError as error:
            if error.errno not in (errno.EFBIG, errno.EINVAL, errno.ELOOP):
                raise
            raise HubError(f"{origin / path} cannot be copied ({error.strerror}): publish the model again") from error
