"""`load` and `pull`: a name to a model folder on this machine, and to a model."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from zoo.errors import HubError
from zoo.hub.cache import Pulled, pull_source
from zoo.hub.names import find
from zoo.hub.verify import file_stamps, verify_files

if TYPE_CHECKING:
    from zoo.model import Model

_LOG = logging.getLogger("zoo.hub")


def load(name: str | Path, revision: str | None = None, verify: bool = True, device: str = "cpu") -> Model:
    """The model of a name, name@revision, source, run folder or model folder, in eval mode.

    Its attributes `source` and `revision` say what was loaded; write them beside every result.
    verify: compare every file with the manifest (1.4 GB a second).
    device: cpu, cuda, cuda:1, or auto for a GPU if there is one.
    Raises HubError for a model that cannot be found, fetched, trusted or built.
    """
    from zoo.hub.model_folder import load_bundle
    from zoo.model import choose_device

    place = choose_device(device)
    pulled = fetch(name, revision)
    before = file_stamps(pulled.folder)
    if verify:
        verify_files(pulled.folder, _remedy(name, pulled))
    model = load_bundle(pulled.folder, verify=False, origin=pulled.source)
    if file_stamps(pulled.folder) != before:
        raise HubError(f"{pulled.folder} was changed while it was read: load it again")
    model.source, model.revision = str(pulled.source.at(pulled.revision)), pulled.revision
    return model.to(place)


def as_model(model: Model | str | Path) -> Model:
    """A model as it stands; of a name, source, run folder or model folder what `load` makes of it."""
    return load(model) if isinstance(model, str | Path) else model


def pull(name: str | Path, revision: str | None = None, force: bool = False) -> Path:
    """Bring a model to this machine, and the base that it is a difference to, checked against their manifests.

    Returns its folder.

    force: fetch it again, which mends a damaged copy.
    """
    from zoo.hub.adapters import check_origin, open_base
    from zoo.hub.config_file import read_spec

    pulled = fetch(name, revision, force)
    verify_files(pulled.folder, _remedy(name, pulled))
    spec = read_spec(pulled.folder)
    if spec.base:
        check_origin(spec, pulled.folder, pulled.source)
        open_base(spec)
    return pulled.folder


def fetch(name: str | Path, revision: str | None = None, force: bool = False) -> Pulled:
    """Find the folder of a model, bringing it here if need be; its files are not looked at."""
    text = str(name) if isinstance(name, str) else str(name.expanduser().resolve())
    source, entry = find(text, revision)
    try:
        pulled = pull_source(source, force)
    except HubError as error:
        if entry is None or str(source) in str(error):
            raise
        raise type(error)(f"{entry.name} of {entry.registry}: {error}") from error
    if source.scheme == "hf" and source.revision in (None, "main"):
        _LOG.info("%s is not pinned; it is now %s@%s", source, source.at(None), pulled.revision)
    return pulled


def _remedy(name: str | Path, pulled: Pulled) -> str:
    return f"run `zoo pull {name} --force`" if pulled.cached else "install, copy or publish the model again"
