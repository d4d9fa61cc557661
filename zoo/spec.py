"""`ModelSpec`: what weights must remember to be useful without the paper."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from zoo.errors import ContractError
from zoo.fields import Field, Grid
from zoo.files.strict_json import parse_json

FORMAT = 1
"""The number that is written.  A folder without one is of the time before there were numbers, and is read."""

LATER_KEYS = ("base", "version", "parent", "changelog", "authors", "cite", "support")
"""Keys that came after format 1, and are written only where they say something."""

ACTIVATIONS = ("identity", "sigmoid", "softmax", "softplus", "exp")
N_ENCODINGS = ("zero", "quarter")


@dataclass(frozen=True)
class ModelSpec:
    """Names and arguments of a model's parts, and everything a user must know of its numbers.

    encoder, heads: {"name": ..., every resolved argument}.
    input_length: bp of one window.
    n_encoding: one-hot of an N: four zeros, or four quarters.
    inputs, outputs: what goes in, and for every head what comes out and where; filled when the model is built.
    activation: {head: one of ACTIVATIONS}, applied by `predict`.
    conjoined: predictions are averaged over both strands (before the activation).
    members: > 1 for an ensemble, averaged before the activation.
    requires: {distribution: version range} of the plugins that provide the parts.
    base: the published model that the weights are stored as a difference to, if any; see zoo/hub/adapters.py.
    version, parent, changelog, authors, cite, support: of a published model; see zoo/hub/card_fields.py.
    genome, splits, data, audit, metrics, baselines: where the weights come from and how good they are.
    """

    name: str
    encoder: Mapping[str, Any]
    heads: Mapping[str, Mapping[str, Any]]
    input_length: int
    n_encoding: str = "zero"
    inputs: Mapping[str, Field] = field(default_factory=dict)
    outputs: Mapping[str, tuple[Field, Grid | None]] = field(default_factory=dict)
    activation: Mapping[str, str] = field(default_factory=dict)
    conjoined: bool = False
    members: int = 1
    requires: Mapping[str, str] = field(default_factory=dict)
    description: str = ""
    task: str = ""
    genome: Mapping[str, Any] = field(default_factory=dict)
    splits: Mapping[str, Any] = field(default_factory=dict)
    data: Mapping[str, Any] = field(default_factory=dict)
    audit: Mapping[str, Any] = field(default_factory=dict)
    metrics: tuple[Mapping[str, Any], ...] = ()
    training: Mapping[str, Any] = field(default_factory=dict)
    licence: str = ""
    citation: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)
    base: Mapping[str, Any] = field(default_factory=dict)
    version: str = ""
    parent: Mapping[str, str] = field(default_factory=dict)
    changelog: tuple[Mapping[str, str], ...] = ()
    authors: tuple[Mapping[str, str], ...] = ()
    cite: tuple[str, ...] = ()
    support: str = ""

    def __post_init__(self) -> None:
        if self.n_encoding not in N_ENCODINGS:
            raise ContractError(f"n_encoding {self.n_encoding!r} must be one of {', '.join(N_ENCODINGS)}")
        for head, activation in self.activation.items():
            if activation not in ACTIVATIONS:
                raise ContractError(
                    f"activation {activation!r} of head {head!r} must be one of {', '.join(ACTIVATIONS)}"
                )
        for what, part in {"encoder": self.encoder, **{f"head {h!r}": p for h, p in self.heads.items()}}.items():
            if not isinstance(part, Mapping) or not isinstance(part.get("name"), str):
                raise ContractError(f"{what} of model {self.name!r} names no component: it needs a key 'name'")
            if "_target_" in part:
                raise ContractError(f"{what} of model {self.name!r} holds a class path, which is never followed")
        if not isinstance(self.input_length, int) or self.input_length < 1:
            raise ContractError(f"input_length {self.input_length!r} of model {self.name!r} must be a number of bp")
        if not isinstance(self.members, int) or not 1 <= self.members <= 1000:
            raise ContractError(f"members {self.members!r} of model {self.name!r} must be 1 to 1000")

    def replace(self, **changes: Any) -> ModelSpec:
        """A copy with some values changed."""
        return replace(self, **changes)

    def to_json(self) -> str:
        """JSON text that `from_json` reads back to an equal spec."""
        plain = {"format": FORMAT, **asdict(self)}
        plain["inputs"] = {k: f.to_dict() for k, f in self.inputs.items()}
        plain["outputs"] = {
            h: {"field": f.to_dict(), "grid": None if g is None else asdict(g)} for h, (f, g) in self.outputs.items()
        }
        for key in LATER_KEYS:
            if not plain[key]:
                del plain[key]  # a model without it is read by versions that do not know it, and keeps its revision
        return json.dumps(plain, indent=2, allow_nan=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> ModelSpec:
        """Raises ContractError for anything that is no ModelSpec of a format this version reads."""
        try:
            plain = parse_json(text)
        except ValueError as error:
            raise ContractError(f"config.json is not JSON: {error}") from error
        if not isinstance(plain, dict):
            raise ContractError("config.json does not describe a model: fetch or publish the model again")
        check_format(plain.pop("format", FORMAT), "config.json")
        unknown = set(plain) - set(cls.__dataclass_fields__)
        if unknown:
            raise ContractError(f"config.json has unknown keys {sorted(unknown)}: upgrade zoo-core")
        try:
            plain["inputs"] = {k: Field.from_dict(f) for k, f in plain.get("inputs", {}).items()}
            plain["outputs"] = {
                h: (Field.from_dict(o["field"]), Grid(**o["grid"]) if o["grid"] else None)
                for h, o in plain.get("outputs", {}).items()
            }
            plain |= {key: _tuple(plain.get(key, [])) for key in ("metrics", "changelog", "authors", "cite")}
            return cls(**plain)
        except (AttributeError, KeyError, TypeError) as error:
            raise ContractError(f"config.json does not describe a model: {error}") from error


def check_format(number: Any, file: str) -> None:
    """Raise ContractError for a format that this version does not read."""
    if type(number) is int and number > FORMAT:
        raise ContractError(f"{file} is of format {number}, not of format {FORMAT}, the newest here: upgrade zoo-core")
    if type(number) is not int or number < 1:
        raise ContractError(f"{file} is not of format {FORMAT}, but {number!r}: fetch or publish the model again")


def _tuple(value: Any) -> tuple[Any, ...]:
    if not isinstance(value, list):
        raise TypeError(f"{value!r:.80} is no list")
    return tuple(value)
