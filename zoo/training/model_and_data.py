"""A run folder, or a published model, with the data that it is to be evaluated on.

Whose word says which data to open:  --config and --data, the user's;  RUN/config.json of a run's folder, which the user
names by its path;  a published card, for simulated data alone, since no file is opened on a stranger's word.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.composition.key_value import key_values
from zoo.data.source import Source
from zoo.errors import ConfigError
from zoo.files.regular_files import read_bounded
from zoo.files.strict_json import parse_json
from zoo.hub.loader import load
from zoo.hub.path import run_of

if TYPE_CHECKING:
    from zoo.model import Model

MOST_ROWS, MOST_BASES = 200_000, 50_000_000
_MOST_BYTES = 1 << 24


@dataclass(frozen=True)
class Opened:
    """A model, its data, and the configuration that the data come from."""

    name: str
    model: Model
    source: Source
    config: Mapping[str, Any]


def open_evaluated(
    name: str,
    *,
    config: str | Path | None = None,
    data: Sequence[str] = (),
    fasta: Sequence[str] = (),
    device: str = "cpu",
) -> Opened:
    """Load a model and build its data source.

    name: whatever `zoo.load` takes; of a run, or of its model folder, config.json names the data.
    config: a run's config.json (or a file with its keys data and genome) for a model that has none.
    data: key=value changes to the data's arguments, keys dotted, values as in YAML.
    fasta: the genome's files, in place of the configuration's.
    device: where the model goes: cpu, cuda, or auto for a GPU if there is one.

    Raises ConfigError where nothing says which data to take, and where only a published card does and they are not
    simulated: a card is a stranger's, and would name files of this machine.
    """
    from zoo.training.plan import TrainingPlan

    run = run_of(name)
    model = load(name, device=device)
    if config is not None:
        plain = _read(Path(config))
    elif run:
        plain = _read(run / "config.json")
    else:
        plain = {"data": _of_card(model, name, replaced=any(change.startswith("name=") for change in data))}
    plain = {**plain, "data": _changed(dict(plain.get("data") or {}), data)}
    if fasta:
        plain["genome"] = {"name": None, "fasta": list(fasta)}
    if not plain["data"].get("name"):
        raise ConfigError(
            f"model {name!r} does not say which data to evaluate it on: "
            "give --config RUN/config.json, or --data name=peaks and its arguments"
        )
    shown = str(run) if run else str(getattr(model, "source", name))
    return Opened(shown, model, TrainingPlan.of(plain).source, plain)


def why_not_from_card(model: Model) -> str:
    """Why the data that a model's card names are not opened; "" for those inside an installed package, whose code runs
    anyway, and for simulated data of a bounded size."""
    config = model.spec.data.get("config")
    if not isinstance(config, Mapping) or not config.get("name"):
        return "its card does not say how"
    if str(getattr(model, "source", "")).startswith("pkg://"):
        return ""
    if config["name"] != "simulated":
        return "its card names files of the publisher's, and none is opened on a stranger's word"
    rows = [config.get(key, 0) for key in ("n_train", "n_validation", "n_test")]
    length = config.get("length", 0)
    whole = all(type(x) is int and x >= 0 for x in (*rows, length))
    if not whole or sum(rows) > MOST_ROWS or sum(rows) * length > MOST_BASES:
        return "its card names more simulated data than are made on a stranger's word"
    return ""


def _of_card(model: Model, name: str, replaced: bool) -> dict[str, Any]:
    if replaced:
        return {}
    reason = why_not_from_card(model)
    if reason:
        raise ConfigError(
            f"which data to evaluate model {name!r} on is not known ({reason}): "
            "give --config RUN/config.json, or --data name=peaks and its arguments"
        )
    return dict(model.spec.data["config"])


def _read(path: Path) -> dict[str, Any]:
    try:
        plain = parse_json(read_bounded(path, _MOST_BYTES, follow_links=True))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path} cannot be read as JSON ({error}): give the config.json of a run") from error
    if not isinstance(plain, dict):
        raise ConfigError(f"{path} holds no configuration: give the config.json of a run")
    return plain


def _changed(arguments: dict[str, Any], changes: Sequence[str]) -> dict[str, Any]:
    for key, value in key_values(changes, "--data n_test=500").items():
        *parents, last = key.split(".")
        at = arguments
        for parent in parents:
            at[parent] = dict(at.get(parent) or {})
            at = at[parent]
        if key == "name" and value != arguments.get("name"):
            arguments.clear()
        at[last] = value
    return arguments
