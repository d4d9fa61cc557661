"""A model stored as its difference to a published one: low-rank pairs for the encoder's weights, whole tensors else.

    config.json, base    {name, licence, source, revision, manifest, members}: the model that it was tuned from
    model.safetensors    <weight>.lora_A (rank, in * width), <weight>.lora_B (out, rank); heads and what else differs
    weights              those of the base's encoder, + lora_B lora_A where there is a pair

The base is found by its revision and compared with the sha256 of its manifest: another base would give other numbers,
which look right.  A base has no base of its own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.errors import HubError
from zoo.hub import manifest
from zoo.hub.cache import pull_source
from zoo.hub.config_file import read_spec
from zoo.hub.manifest import WEIGHTS
from zoo.hub.path import run_of
from zoo.hub.sources import ModelSource, parse_source
from zoo.hub.tensors import check_finite, read_header, read_tensors
from zoo.hub.verify import file_stamps, verify_files

if TYPE_CHECKING:
    from torch import Tensor

    from zoo.spec import ModelSpec

Shapes = Mapping[str, tuple[int, ...]]
Pairs = Mapping[str, "tuple[Tensor, Tensor]"]

A, B = ".lora_A", ".lora_B"
_KEYS = ("name", "licence", "source", "revision", "manifest")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_ENCODER = "encoder."
_OPENED = {
    "hf": ("hf", "pkg"),
    "pkg": ("hf", "pkg"),
    "dist": ("hf", "pkg"),
    "file": ("hf", "pkg", "file"),
    "path": ("hf", "pkg", "file"),
}
"""{where a model comes from: where its base may be}: no file of this machine is opened on a server's word."""


@dataclass(frozen=True)
class BaseModel:
    """A base that is here and is the one that was meant.

    names: {tensor of the tuned model's encoders: the base's tensor that it was}.
    shapes: of the former.
    """

    folder: Path
    names: Mapping[str, str]
    shapes: Shapes

    def tensors(self) -> dict[str, Tensor]:
        """{tensor of the tuned model's encoders: what it was in the base}."""
        before = file_stamps(self.folder)
        stored = read_tensors(self.folder / WEIGHTS, set(self.names.values()))
        check_finite(stored, str(self.folder / WEIGHTS))
        if file_stamps(self.folder) != before:
            raise HubError(f"{self.folder} was changed while it was read: load the model again")
        stored = {name: x.float() if x.is_floating_point() else x for name, x in stored.items()}
        return {own: stored[name] for own, name in self.names.items()}


def open_base(spec: ModelSpec) -> BaseModel:
    """Bring the base that a spec names, and compare it: files with its manifest, the manifest with the spec.

    Raises HubError where the base cannot be had, is another one, has a base itself, or is of another encoder.
    """
    base, of = spec.base, f"model {spec.name!r} is a difference to"
    source = base_source(spec)
    try:
        folder = pull_source(source).folder
        actual = verify_files(folder, f"run `zoo pull {source.at(base['revision'])} --force`")
    except HubError as error:
        raise type(error)(f"{of} {source}, which cannot be had: {error}") from error
    if actual != base["manifest"]:
        raise HubError(
            f"{of} {source} with the manifest {base['manifest'][:12]}, but that of {folder} is {actual[:12]}: ask its "
            "publisher for the model that it was tuned from"
        )
    of_base = read_spec(folder)
    if of_base.base:
        raise HubError(f"{of} {source}, which is a difference itself: publish it again from a whole base")
    if _plain(of_base.encoder) != _plain(spec.encoder):
        raise HubError(f"{of} {source}, whose encoder has other arguments: publish the model again")
    shapes = read_header(folder / WEIGHTS)
    names = {}
    for i, member in enumerate(base["members"]):
        if member >= of_base.members:
            raise HubError(f"{of} member {member} of {source}, which has {of_base.members}: publish the model again")
        own = f"members.{i}." if spec.members > 1 else ""
        its = f"members.{member}." if of_base.members > 1 else ""
        names |= {own + k.removeprefix(its): k for k in shapes if k.startswith(its + _ENCODER)}
    return BaseModel(folder, names, {own: shapes[k] for own, k in names.items()})


def base_source(spec: ModelSpec) -> ModelSource:
    """Where a spec's base is, in its revision; HubError for a `base` that is none."""
    base, where = spec.base, f"model {spec.name!r} names a base"
    members = base.get("members")
    if not all(isinstance(base.get(key, ""), str) for key in _KEYS) or set(base) - {*_KEYS, "members"}:
        raise HubError(f"{where} by other words than {', '.join(_KEYS)}, members: publish the model again")
    if not _SHA256.fullmatch(base.get("manifest", "")) or not base.get("source") or not base.get("revision"):
        raise HubError(f"{where} without its source, revision and the sha256 of its manifest: publish the model again")
    if not isinstance(members, list | tuple) or not all(type(m) is int and 0 <= m < 1000 for m in members):
        raise HubError(f"{where} whose members are {members!r}, not whole numbers: publish the model again")
    if len(members) != spec.members:
        raise HubError(f"{where} with {len(members)} members for {spec.members} networks: publish the model again")
    return parse_source(base["source"]).at(base["revision"])


def check_origin(spec: ModelSpec, folder: Path, origin: ModelSource) -> None:
    """Raise HubError where a model that came from `origin` names a base which is not opened on its word."""
    base = base_source(spec)
    if base.scheme in _OPENED[origin.scheme] or (origin.scheme == "path" and run_of(folder)):
        return
    raise HubError(
        f"model {spec.name!r} is a difference to {base}, a folder of its publisher's, which is not opened on the word "
        f"of {origin}: ask for a model that is published whole (zoo publish --whole)"
    )


def may_name(base: ModelSource, place: ModelSource) -> bool:
    """Whether a model at `place` may have its base there: others can load it."""
    return base.scheme in _OPENED[place.scheme]


def describe_base(spec: ModelSpec, source: ModelSource, folder: Path, member: int) -> dict[str, Any]:
    """What the spec of a tuned model says of the published one.  source: with its revision.  folder: where it is."""
    place = source if source.scheme != "path" else parse_source(str(folder.resolve()))
    return {
        "name": spec.name,
        "licence": spec.licence,
        "source": str(place.at(None)),
        "revision": str(source.revision),
        "manifest": manifest.revision_of(folder),
        "members": [member],
    }


def whole_shapes(stored: Shapes, base: BaseModel, where: str) -> dict[str, tuple[int, ...]]:
    """Shapes of the model's tensors, from those that are stored and the base's.

    Raises HubError for a pair without its other half, of no weight of the base, or of shapes that do not fit it.
    """
    shapes = dict(base.shapes)
    for name, shape in stored.items():
        weight, half = name[: -len(A)], name[-len(A) :]
        if half not in (A, B):
            shapes[name] = shape
            continue
        rank, rest = stored.get(weight + A, (0, 0))[:1], stored.get(weight + A, ())[1:]
        whole = base.shapes.get(weight)
        if whole is None or weight in stored:
            raise HubError(f"{where}: {name!r} adapts a tensor that its base does not have: publish the model again")
        out, inner = whole[:1], prod(whole[1:])
        fits = len(whole) > 1 and len(rank) == len(rest) == 1 and rest == (inner,)
        if not fits or stored.get(weight + B) != (*out, *rank) or not 1 <= rank[0] <= min(*out, inner):
            raise HubError(
                f"{where}: the pair of {weight!r} has the shapes {stored.get(weight + A, 'none')} and "
                f"{stored.get(weight + B, 'none')}, which make no {whole}: publish the model again"
            )
    return shapes


def add_to_base(stored: Mapping[str, Tensor], base: BaseModel, where: str) -> tuple[dict[str, Tensor], dict]:
    """The model's weights, and the pairs {weight: (A, B)} that were added to its base."""
    from zoo.layers.low_rank import add_low_rank

    pairs = {name[: -len(A)]: (stored[name], stored[name[: -len(A)] + B]) for name in stored if name.endswith(A)}
    weights = base.tensors() | {name: x for name, x in stored.items() if not name.endswith((A, B))}
    for name, (down, up) in pairs.items():
        if not {x.dtype for x in (down, up, weights[name])} == {weights[name].dtype} or not down.is_floating_point():
            raise HubError(f"{where}: the pair of {name!r} is of another type than the weight: publish the model again")
        weights[name] = add_low_rank(weights[name], down, up)
    check_finite(weights, where)
    return weights, pairs


def difference(spec: ModelSpec, state: Mapping[str, Tensor], pairs: Pairs) -> dict[str, Tensor]:
    """What is stored of a model that has a base.

    Raises HubError where base and pairs do not make the model's weights to the bit.
    """
    from zoo.layers.low_rank import add_low_rank

    base, stored = open_base(spec).tensors(), {}
    for name, x in state.items():
        if name in pairs and name in base:
            down, up = pairs[name]
            if not add_low_rank(base[name], down, up).equal(x):
                raise HubError(
                    f"tensor {name!r} of model {spec.name!r} is not the one of {spec.base['source']} with its adapter: "
                    "one of them was changed; save the model whole, with base={} in its spec"
                )
            stored |= {name + A: down.contiguous(), name + B: up.contiguous()}
        elif name not in base or not base[name].equal(x):
            stored[name] = x
    return stored


def _plain(part: Mapping[str, Any]) -> Any:
    """As JSON gives it back: tuples are lists."""
    return json.loads(json.dumps(dict(part)))
