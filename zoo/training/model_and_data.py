"""A run folder, or a published model, with the data that it is to be evaluated on."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.composition.key_value import key_values
from zoo.data.source import Source
from zoo.errors import ConfigError
from zoo.hub.loader import load
from zoo.hub.path import run_of

if TYPE_CHECKING:
    from zoo.model import Model


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

    Raises ConfigError where nothing says which data to take.
    """
    from zoo.training.plan import TrainingPlan

    run = run_of(name)
    model = load(name, device=device)
    if config is not None:
        plain = _read(Path(config))
    elif run:
        plain = _read(run / "config.json")
    else:
        plain = {"data": dict(model.spec.data.get("config") or {})}
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


def _read(path: Path) -> dict[str, Any]:
    try:
        plain = json.loads(path.read_text(encoding="utf-8"))
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
