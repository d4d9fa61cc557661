"""`Objective`: the number that a search raises, a linear expression over outputs of one model or of several.

    "2*leaf - root", {name: model} -> Objective -> values (N,), effects of every substitution, gradients

Terms are those of zoo.outputs.  With several models a term is bound to the one that has the output; where more than one
has it, the model's name stands before it, as in `second/activity`, and the name alone is the output of a model that has
only one.  Expressions are parsed, never evaluated as code.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from zoo.data.codes import encode
from zoo.errors import ConfigError, did_you_mean
from zoo.outputs import Output
from zoo.prediction.further_inputs import require_inputs

if TYPE_CHECKING:
    from torch import Tensor

    from zoo.data.edits import Edits
    from zoo.effects.engine.incremental import Incremental
    from zoo.effects.engine.references import At
    from zoo.model import Model
    from zoo.spec import ModelSpec

_PIECE = re.compile(r"^(?P<factor>(?:\d+(?:\.\d*)?|\.\d+)\s*\*\s*)?(?P<rest>\S+)$")


@dataclass(frozen=True)
class References:
    """Some sequences, whose values (R,) are known, and what edits of them do."""

    values: np.ndarray
    at: tuple[At, ...]

    def effects(self, edits: Edits) -> np.ndarray:
        """Objective of every mutant less that of its reference: (M,) float64."""
        return sum((one.effects(edits)[:, 0].double().cpu().numpy() for one in self.at), np.zeros(len(edits)))


@dataclass(frozen=True)
class Objective:
    """text: as it was given.  models: all of them by name.  outputs: of the models that have a term, by name."""

    text: str
    models: Mapping[str, Model]
    outputs: Mapping[str, Output]

    @classmethod
    def parse(cls, text: str | None, models: Mapping[str, Model]) -> Objective:
        """Bind a text to the outputs of models; it may be left out for one model with one output.

        Raises ConfigError for an output that no model has, or several have, for a model without a term, for models of
        different input lengths, and for one that reads more than the sequence.
        """
        if not models:
            raise ConfigError("an objective needs a model: name one with --model")
        for model in models.values():
            if "one_hot" not in model.input_fields:
                raise ConfigError(f"model {model.spec.name!r} reads no sequence, so that there is nothing to design")
            _require_sequence_alone(model)
        lengths = {name: model.spec.input_length for name, model in models.items()}
        if len(set(lengths.values())) > 1:
            listed = ", ".join(f"{name} {length:,} bp" for name, length in lengths.items())
            raise ConfigError(f"the models read windows of different lengths ({listed}): design with models of one")
        if len(models) == 1:
            ((name, model),) = models.items()
            if text and not _binds(text, model):
                text = _unprefixed(text, name, model)
            output = Output.one(text or None, model.spec)
            return cls(text or output.names[0], dict(models), {name: output})
        if not text:
            raise ConfigError("several models need an objective, as in --objective '2*leaf - root'")
        return cls(text, dict(models), _bind(text, models))

    @property
    def length(self) -> int:
        """bp of a sequence."""
        return next(iter(self.models.values())).spec.input_length

    def values(self, sequences: Sequence[str] | np.ndarray) -> np.ndarray:
        """Sequences as letters, or codes (N, L) uint8, to (N,) float64."""
        codes = sequences
        if not isinstance(codes, np.ndarray):
            codes = np.array([encode(sequence) for sequence in sequences], np.uint8).reshape(-1, self.length)
        if not len(codes):
            return np.zeros(0)
        parts = [engine.full(codes)[:, 0].double().cpu().numpy() for engine in self._engines()]
        return sum(parts, np.zeros(len(codes)))

    def references(self, codes: np.ndarray) -> References:
        """One pass over sequences (R, L), after which the effects of their edits are cheap."""
        at = tuple(engine.at(codes) for engine in self._engines())
        values = sum((one.output[:, 0].double().cpu().numpy() for one in at), np.zeros(len(codes)))
        return References(values, at)

    def of_one_hot(self, one_hot: Tensor) -> Tensor:
        """(N, 4, L) with a gradient -> (N,) with it."""
        parts = [output.of(self.models[name], {"one_hot": one_hot})[:, 0] for name, output in self.outputs.items()]
        return sum(parts[1:], parts[0])

    def rows_at_once(self) -> int:
        """Sequences that are searched from side by side."""
        return int(np.clip(200_000 // self.length, 1, 256))

    def _engines(self) -> list[Incremental]:
        from zoo.effects.engine.incremental import incremental

        return [incremental(self.models[name], output) for name, output in self.outputs.items()]


def _require_sequence_alone(model: Model) -> None:
    """ConfigError for a model that cannot do without tracks or a context."""
    try:
        require_inputs(model)
    except ConfigError as error:
        others = ", ".join(k for k, f in model.input_fields.items() if f.required and k != "one_hot")
        raise ConfigError(
            f"model {model.spec.name!r} reads {others} beside the sequence, which a new sequence does not have: "
            "design with a model of the sequence alone"
        ) from error


def _binds(text: str, model: Model) -> bool:
    try:
        Output.parse(text, model.spec)
    except ConfigError:
        return False
    return True


def _pieces(text: str) -> list[tuple[str, str, str]]:
    """'2*a - b' -> [("", "2*", "a"), ("- ", "", "b")]."""
    parts = re.split(r"\s+([+-])\s+", text.strip())
    signs = ["", *(f"{sign} " for sign in parts[1::2])]
    if parts[0].startswith("-"):
        parts[0], signs[0] = parts[0][1:].strip(), "-"
    pieces = []
    for sign, part in zip(signs, parts[::2], strict=True):
        match = _PIECE.match(part)
        if not match or "," in part:
            raise ConfigError(
                f"objective {text!r}: {part!r} is no term: write one number, as in '2*leaf - root', "
                "with blanks around + and -"
            )
        pieces.append((sign, match["factor"] or "", match["rest"]))
    return pieces


def _unprefixed(text: str, name: str, model: Model) -> str:
    """The text without the only model's name before its outputs."""
    pieces = [(sign, factor, _of_model(rest, name, model) or rest) for sign, factor, rest in _pieces(text)]
    return " ".join(f"{sign}{factor}{rest}" for sign, factor, rest in pieces)


def _of_model(rest: str, name: str, model: Model) -> str | None:
    """What `name/output`, or `name` where it has one output, is called by the model itself; None for another text."""
    if rest.startswith(f"{name}/"):
        return rest[len(name) + 1 :]
    if rest == name or rest.startswith((f"{name}:", f"{name}@")):
        known = _known(model.spec)
        if len(known) > 1:
            raise ConfigError(
                f"objective term {rest!r} names a model of {len(known)} outputs: write {name}/{known[0]}, "
                f"or another of {', '.join(known)}"
            )
        return known[0] + rest[len(name) :]
    return None


def _bind(text: str, models: Mapping[str, Model]) -> dict[str, Output]:
    """Every term to its model; the terms of one model make one output."""
    texts: dict[str, str] = {}
    for sign, factor, rest in _pieces(text):
        owned = {name: own for name, model in models.items() if (own := _of_model(rest, name, model)) is not None}
        if not owned:
            owned = {name: rest for name, model in models.items() if _binds(rest, model)}
        if len(owned) != 1:
            raise _unbound(rest, sorted(owned), models)
        ((name, own),) = owned.items()
        first = name not in texts
        texts[name] = (texts.get(name, "") + " " + _signed(sign, first) + factor + own).strip()
    idle = [name for name in models if name not in texts]
    if idle:
        example = f"{idle[0]}/{_known(models[idle[0]].spec)[0]}"
        raise ConfigError(
            f"objective {text!r} has no term of model {idle[0]!r}: add one, as in {example}, or leave the model out"
        )
    return {name: Output.one(own, models[name].spec) for name, own in texts.items()}


def _signed(sign: str, first: bool) -> str:
    if first:
        return "-" if sign.startswith("-") else ""
    return "- " if sign.startswith("-") else "+ "


def _unbound(term: str, owners: list[str], models: Mapping[str, Model]) -> ConfigError:
    if owners:
        choices = " or ".join(f"{owner}/{term}" for owner in owners)
        return ConfigError(f"objective term {term!r} is an output of several models: write {choices}")
    known = [f"{name}/{task}" for name, model in models.items() for task in _known(model.spec)]
    bare = re.split(r"[:@]", term)[0]
    for model in models.values():
        if bare in _known(model.spec):
            Output.parse(term, model.spec)  # Its own sentence says what is wrong behind the name.
    near = [k for k in known if k.rpartition("/")[2] == bare] or known
    tasks = {k.rpartition("/")[2]: k for k in near}
    suggestion = did_you_mean(bare, tasks if "/" not in bare else known)
    return ConfigError(f"no model has an output {term!r}{suggestion}")


def _known(spec: ModelSpec) -> list[str]:
    return [name.partition(":")[0] for name in Output.every(spec).names]
