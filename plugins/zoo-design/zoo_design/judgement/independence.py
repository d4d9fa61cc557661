"""Whether a judge is another model than those that the search has climbed on.

Two networks that share weights, data or architecture share errors too, and a design that exploits an error of the one
exploits that of the other.  Such a judge may refute a design; it cannot support one.

judge's model, models of the objective, control sequences -> Relation
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

if TYPE_CHECKING:
    from zoo.model import Model
    from zoo.spec import ModelSpec

SAME = 0.999
"""Pearson's r over control sequences from which on two models are taken for one, whatever their weights are called."""


@dataclass(frozen=True)
class Relation:
    """kind: "independent"; "related" where data or architecture are shared; "dependent" where the judge is the same
    model in substance; "same" where it holds the very weights.  words: why.
    """

    kind: Literal["independent", "related", "dependent", "same"]
    words: str

    @property
    def can_support(self) -> bool:
        """Whether agreement of this judge says anything."""
        return self.kind in ("independent", "related")


_ORDER = ("independent", "related", "dependent", "same")


def relation(
    judge: Model,
    searched: Iterable[Model],
    judge_values: np.ndarray | None = None,
    searched_values: Sequence[np.ndarray] = (),
) -> Relation:
    """The closest relation of a judge to any model of the objective.

    judge_values, searched_values: (N,) of the same control sequences, for the check by behaviour.
    """
    relations = [_relation(judge, model) for model in searched]
    if judge_values is not None and any(_alike(judge_values, values) for values in searched_values):
        relations.append(Relation("dependent", "it answers as the model of the search does on every control"))
    if not relations:
        return Relation("related", "the models of the search are not known")
    return max(relations, key=lambda r: _ORDER.index(r.kind))


def weights_digest(model: Model) -> str:
    """sha256 of a network's tensors with their names."""
    digest = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(f"{name} {tuple(tensor.shape)}\n".encode())
        digest.update(np.ascontiguousarray(tensor.detach().cpu().double().numpy()).tobytes())
    return digest.hexdigest()


def _relation(judge: Model, model: Model) -> Relation:
    shared = _digests(judge) & _digests(model)
    if shared:
        several = max(len(_digests(judge)), len(_digests(model))) > 1
        return Relation("same", "a member of both has the same weights" if several else "it has the same weights")
    one, other = judge.spec, model.spec
    if _runs(one) & _runs(other):
        return Relation("dependent", "both come of one training run")
    if _origins(one) & _origins(other):
        return Relation("dependent", "both are tuned from one model")
    rows, data = _same_rows(one, other), _same_data(one, other)
    architecture = dict(one.encoder).get("name") == dict(other.encoder).get("name")
    if rows and architecture:
        return Relation("dependent", "it has the same architecture and the same training data; only its seed differs")
    words = []
    if rows:
        words.append("its card names the same training data")
    elif data:
        words.append("its card names the same files, divided otherwise")
    elif not (one.data and other.data):
        words.append("a card does not say what its model was trained on")
    if architecture:
        words.append(f"both have the architecture {one.encoder['name']}")
    return (
        Relation("related", " and ".join(words)) if words else Relation("independent", "other data, other architecture")
    )


def _digests(model: Model) -> set[str]:
    members: Iterable[Any] = getattr(model, "members", None) or [model]
    return {weights_digest(member) for member in members}


def _runs(spec: ModelSpec) -> set[str]:
    """What tells one training run from any other: its description with the seconds that it took."""
    shared = {k: v for k, v in spec.training.items() if k not in ("members", "calibration")}
    members = spec.training.get("members") or [{}]
    runs = [{**shared, **(member if isinstance(member, Mapping) else {})} for member in members]
    return {repr(sorted(run.items(), key=lambda item: item[0])) for run in runs if run.get("seconds")}


def _origins(spec: ModelSpec) -> set[str]:
    """Published models whose weights this one began with."""
    origins = {str(spec.base[key]) for key in ("manifest",) if spec.base.get(key)}
    return origins | ({str(spec.training["init"])} if spec.training.get("init") else set())


def _files(spec: ModelSpec) -> set[str]:
    files = spec.data.get("files") or []
    return {str(f["sha256"]) for f in files if isinstance(f, Mapping) and f.get("sha256")}


def _same_data(one: ModelSpec, other: ModelSpec) -> bool:
    if _files(one) and _files(other):
        return bool(_files(one) & _files(other))
    config = one.data.get("config")
    return bool(config) and config == other.data.get("config")


def _same_rows(one: ModelSpec, other: ModelSpec) -> bool:
    """The same data in the same division."""
    keys = ("splits", "n")
    return _same_data(one, other) and all(one.data.get(k) == other.data.get(k) for k in keys)


def _alike(one: np.ndarray, other: np.ndarray) -> bool:
    both = np.isfinite(one) & np.isfinite(other)
    if both.sum() < 10 or np.ptp(one[both]) == 0 or np.ptp(other[both]) == 0:
        return False
    return abs(float(np.corrcoef(one[both], other[both])[0, 1])) > SAME
