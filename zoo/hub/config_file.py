"""config.json of a model folder: a stranger's text until it is checked.  Nothing is imported or built here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from zoo.errors import ContractError, HubError
from zoo.files.regular_files import read_bounded
from zoo.hub.card_fields import FIELDS, check_card_fields
from zoo.hub.manifest import CONFIG

if TYPE_CHECKING:
    from zoo.spec import ModelSpec

_MAX_CONFIG = 1 << 24
_LONGEST_NAME = 200
_VERSIONS = re.compile(r"[A-Za-z0-9 .,<>=!~*+_-]{0,100}")
"""Version ranges that can stand in a command line between quotes."""


def read_spec(folder: str | Path) -> ModelSpec:
    """The spec of a model folder; nothing is imported or built.  HubError for a config.json that is none."""
    from zoo.spec import ModelSpec

    path = Path(folder) / CONFIG
    try:
        spec = ModelSpec.from_json(read_bounded(path, _MAX_CONFIG).decode("utf-8"))
    except OSError as error:
        raise HubError(f"{path} cannot be read ({error.strerror}): fetch or publish the model again") from error
    except ContractError as error:
        raise HubError(f"{path}: {error}") from error
    except (ValueError, IndexError) as error:
        raise HubError(
            f"{path} is damaged ({' '.join(str(error).split())}): fetch or publish the model again"
        ) from error
    _check_types(spec, path)
    return spec


def check_requires(spec: ModelSpec) -> None:
    """Raise HubError unless every plugin that the model needs is installed in a version that fits."""
    from importlib.metadata import PackageNotFoundError, version

    from packaging.requirements import InvalidRequirement, Requirement

    for distribution, versions in spec.requires.items():
        try:
            requirement = Requirement(f"{distribution}{versions}")
        except InvalidRequirement as error:
            raise HubError(f"model {spec.name!r} names no version range: {f'{distribution}{versions}'!r}") from error
        if requirement.url or requirement.extras or requirement.marker or not _VERSIONS.fullmatch(versions):
            raise HubError(
                f"model {spec.name!r} needs {f'{distribution}{versions}'!r}, which is more than the name of a package "
                "and its versions: do not trust this model"
            )
        plain = f"{requirement.name}{requirement.specifier}"
        remedy = f"the publisher says: pip install '{plain}'; do so only if you know that package"
        try:
            installed = version(requirement.name)
        except PackageNotFoundError as error:
            raise HubError(f"model {spec.name!r} needs {plain}, which is not installed; {remedy}") from error
        if not requirement.specifier.contains(installed, prereleases=True):
            raise HubError(f"model {spec.name!r} needs {plain}, but {installed} is installed; {remedy}")


def _check_types(spec: ModelSpec, path: Path) -> None:
    """A stranger's JSON may hold anything anywhere; what is shown and compared must be what it is called."""
    from zoo.spec import ModelSpec

    if isinstance(spec.name, str) and len(spec.name) > _LONGEST_NAME:
        raise HubError(f"{path}: a name of {len(spec.name):,} letters is no name: use at most {_LONGEST_NAME}")
    plain = ModelSpec("", {"name": ""}, {}, 1)
    for key in ModelSpec.__dataclass_fields__:
        value, example = getattr(spec, key), getattr(plain, key)
        wanted = Mapping if isinstance(example, Mapping) else type(example)
        rows = value if key in ("metrics", "changelog", "authors") else ()
        texts = value.values() if key in ("requires", "activation", "versions") and isinstance(value, Mapping) else ()
        if (
            not isinstance(value, wanted)
            or not all(isinstance(row, Mapping) for row in rows)
            or not all(isinstance(text, str) for text in texts)
        ):
            raise HubError(f"{path}: {key} does not hold what it should: publish the model again")
    try:
        check_card_fields({key: getattr(spec, key) for key in FIELDS})
    except ContractError as error:
        raise HubError(f"{path}: {error}") from error
    for field, grid in [(f, None) for f in spec.inputs.values()] + list(spec.outputs.values()):
        texts = (field.axes, field.unit, *(field.channels or ()), *(field.vocabulary or ()))
        numbers = (field.bin_size, *((grid.offset, grid.bin_size, grid.length) if grid else ()))
        lists = (field.channels, field.vocabulary)
        if not (
            all(isinstance(x, tuple) for x in lists)
            and all(isinstance(t, str) for t in texts)
            and all(type(n) is int for n in numbers)
        ):
            raise HubError(f"{path}: an input or output is not described by texts and numbers: publish the model again")
