"""Where a model lives, as text.

hf://org/name@revision          a Hugging Face endpoint (HF_ENDPOINT); a revision is a commit, tag or branch
file:///folder/name@revision    a folder that several people see; a revision is the manifest's sha256
pkg://package/path              inside an installed package
dist://distribution/path@sha256 files of an installed distribution, from which an installed plugin makes a model
runs/a  ./folder  /folder       a model folder, or a run that holds one
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

from zoo.errors import HubError

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,95}")
"""What a model may be called."""

_ORG = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,95}")
_REVISION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_DISTRIBUTION = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,95}[A-Za-z0-9])?")
_PACKAGE = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*", re.ASCII)
_STEP = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*")


@dataclass(frozen=True)
class ModelSource:
    """A parsed source.

    scheme: hf, file, pkg, dist or path.
    place: the organisation, the root folder, the package, the distribution, or "".
    name: the model's name below it (for pkg and dist a path inside it, for path the folder).
    revision: None for whatever `main` is now.
    """

    scheme: str
    place: str
    name: str
    revision: str | None = None

    def __post_init__(self) -> None:
        if self.revision is not None and not _REVISION.fullmatch(self.revision):
            raise HubError(f"revision {self.revision!r} may hold letters, digits and . _ - only")

    def __str__(self) -> str:
        at = f"@{self.revision}" if self.revision else ""
        if self.scheme == "path":
            return self.name
        return f"{self.scheme}://{self.place}/{self.name}{at}"

    def at(self, revision: str | None) -> ModelSource:
        """The same model in another revision."""
        return replace(self, revision=revision)

    @property
    def slug(self) -> str:
        """Name of this model's folder in the cache, without its revision.

        >>> parse_source("hf://genomics/ctcf@main").slug
        'hf--genomics--ctcf'
        """
        place = self.place if self.scheme == "hf" else sha256(self.place.encode()).hexdigest()[:12]
        return f"{self.scheme}--{place}--{self.name.replace('/', '--')}"


def is_source(text: str) -> bool:
    """Whether a text is a source or a path, not a registered name."""
    return "/" in text or text in (".", "..")


def parse_source(text: str) -> ModelSource:
    """Raises HubError for anything that is none of the five forms.

    >>> parse_source("file:///shared/zoo/ctcf@3f2a").place
    '/shared/zoo'
    """
    scheme, separator, rest = text.partition("://")
    if not separator:
        if not is_source(text) or "\0" in text:
            raise _refused(text)
        return ModelSource("path", "", str(Path(text).expanduser()))
    rest, _, revision = rest.rpartition("@") if "@" in rest.rpartition("/")[2] else (rest, "", None)
    place, _, name = rest.rpartition("/")
    if scheme in ("pkg", "dist"):
        place, _, name = rest.partition("/")
        steps = name.split("/")
        places = _PACKAGE if scheme == "pkg" else _DISTRIBUTION
        if not places.fullmatch(place) or not all(map(_STEP.fullmatch, steps)):
            raise _refused(text)
        return ModelSource(scheme, place, name, revision)
    if scheme == "hf":
        if not _ORG.fullmatch(place) or not _ORG.fullmatch(name) or "--" in place + " " + name or ".." in place + name:
            raise _refused(text)
        return ModelSource("hf", place, name, revision)
    if scheme == "file":
        if not NAME.fullmatch(name):
            raise HubError(
                f"{name!r} in source {text!r} is no model name: use lower-case letters, digits and . _ -, as in "
                "file:///shared/zoo/ctcf-motif-cnn"
            )
        root = Path(place)
        if not root.is_absolute() or ".." in root.parts or "\0" in place or "%" in place:
            raise HubError(f"source {text!r} must name an absolute folder without '..', as in file:///shared/zoo/NAME")
        return ModelSource("file", str(root), name, revision)
    raise _refused(text)


def parse_place(text: str, name: str) -> ModelSource:
    """The source of model `name` at a place to publish to: hf://org, file:///folder or a folder's path.

    A place that already ends in the name is taken as it stands.

    >>> str(parse_place("hf://genomics", "ctcf"))
    'hf://genomics/ctcf'
    """
    if not NAME.fullmatch(name):
        raise HubError(f"{name!r} is no model name: use lower-case letters, digits and . _ -, as in ctcf-motif-cnn")
    scheme, separator, rest = text.partition("://")
    rest = rest.rstrip("/")
    if not separator:
        scheme, rest = "file", str(Path(text).expanduser().resolve())
    rest = rest.removesuffix(f"/{name}")
    if scheme not in ("hf", "file") or "@" in rest or not rest:
        raise HubError(f"nothing can be published to {text!r}: give hf://org, file:///folder or a folder's path")
    return parse_source(f"{scheme}://{rest}/{name}")


def _refused(text: str) -> HubError:
    return HubError(
        f"{text!r} is no source: give hf://org/name, file:///folder/name, pkg://package/path, "
        "dist://distribution/path, each with @revision where wanted, or the path of a folder"
    )
