"""Starting from a published model."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any, cast

from torch import nn

from zoo.errors import ConfigError, ContractError
from zoo.hub.adapters import describe_base
from zoo.hub.config_file import read_spec
from zoo.hub.loader import fetch, load
from zoo.model import Model
from zoo.training.adapters import tune_settings


def published_model(config: Mapping[str, Any]) -> Model | None:
    """The model that `init` names, None where it names none; of an ensemble the member of the run's seed."""
    tune = tune_settings(config)
    if not config.get("init"):
        if config.get("freeze_encoder"):
            raise ConfigError("freeze_encoder=true keeps an encoder that was never trained: set init=NAME too")
        return None
    published = load(str(config["init"]))
    if tune and published.spec.base:
        raise ConfigError(
            f"{config['init']} is itself a difference to {published.spec.base['source']}: set init to that one, or "
            "publish it whole (zoo publish --whole) and start from there"
        )
    n = published.spec.members
    if n == 1:
        return published
    member = member_of_seed(config, n)
    start = f"starting from member {member} (seed modulo {n})"
    print(f"init={config['init']} is an ensemble of {n}: {start}", file=sys.stderr)
    chosen = cast(Model, published.members[member])
    chosen.source, chosen.revision = (getattr(published, key, None) for key in ("source", "revision"))
    return chosen


def member_of_seed(config: Mapping[str, Any], n: int) -> int:
    """Which of `n` published networks a run starts from."""
    return int(config.get("seed", 0)) % n


def base_of(config: Mapping[str, Any], published: Model) -> dict[str, Any]:
    """What a tuned model states of the published one that it started from."""
    pulled = fetch(str(published.source))
    spec = read_spec(pulled.folder)
    if pulled.revision != published.revision:
        raise ConfigError(f"{published.source} was changed during the run: start again from what it is now")
    return describe_base(spec, pulled.source.at(pulled.revision), pulled.folder, member_of_seed(config, spec.members))


def published_encoder(config: Mapping[str, Any], published: Model, strand: str) -> dict[str, Any]:
    """Name and arguments of the published encoder, taken whole; ConfigError where it reads the strands otherwise."""
    part, init = dict(published.spec.encoder), config["init"]
    configured = (config.get("encoder") or {}).get("name", part["name"])
    if configured != part["name"]:
        print(f"encoder {part['name']} of {init} takes the place of {configured}", file=sys.stderr)
    if (strand == "tied") != (published.encoder.strand == "equivariant"):
        kind = "shares" if strand != "tied" else "does not share"
        raise ConfigError(
            f"the encoder of {init} {kind} weights between the strands, but strand is {strand}: "
            f"set strand={'tied' if strand != 'tied' else 'augmented'}"
        )
    return part


def take_over(model: Model, published: Model) -> None:
    """Copy the encoder's weights, and those of every head of the same target, arguments and field; say which."""
    try:
        model.encoder.load_state_dict(published.encoder.state_dict())
    except RuntimeError as error:
        name = published.spec.name
        raise ContractError(f"the weights of {name!r} do not fit its encoder: pull the model again") from error
    kept = []
    for name, head in model.heads.items():
        same = _set(published.spec.heads.get(name)) == _set(model.spec.heads[name])
        if same and published.heads[name].field == head.field:
            head.load_state_dict(published.heads[name].state_dict())
            kept.append(name)
    new = [name for name in model.heads if name not in kept]
    heads = [f"{what} {', '.join(names)}" for what, names in (("its head", kept), ("new head", new)) if names]
    print(f"init: the encoder of {published.spec.name}, {', '.join(heads)}", file=sys.stderr)


def freeze(model: Model, config: Mapping[str, Any]) -> list[nn.Module]:
    """Keep the encoder as it is where `freeze_encoder` says so; returns the modules that stay in eval mode.

    With adapters these are the normalisations, whose running statistics are the published ones.
    """
    if config.get("freeze_encoder"):
        model.encoder.requires_grad_(False)
        return [model.encoder]
    if tune_settings(config):
        return [m for m in model.encoder.modules() if isinstance(m, nn.modules.batchnorm._NormBase)]
    return []


def _set(part: Mapping[str, Any] | None) -> dict[str, Any]:
    """Arguments that hold something: a head that was stored before an argument existed lacks it."""
    return {key: value for key, value in (part or {}).items() if value is not None}
