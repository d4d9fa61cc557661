"""`Model`: an encoder and its heads, joined once and used alike by everything else.

batch {codes (N, L) uint8, ...} -> prepare -> inputs {one_hot (N, 4, L), ...}
    -> encode -> embedding (N, D, T) -> decode -> prediction {head: (N, ...)} -> activation
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import version
from typing import cast

import torch
from torch import Tensor, nn

from zoo.errors import ConfigError, ContractError
from zoo.fields import CODES, Field, Grid
from zoo.interfaces import Encoder, Head
from zoo.layers.one_hot import one_hot
from zoo.layers.strand_flip import flip_embedding
from zoo.registry import Registry, registry
from zoo.spec import ModelSpec


class Model(nn.Module):
    """One network with its spec.  `model(batch)` is the prediction before the activation, `predict` after it.

    adapters: {weight: (A, B)}, what was added to the weights of `spec.base`; for saving it as a difference again.
    """

    adapters: Mapping[str, tuple[Tensor, Tensor]] = {}

    def __init__(self, spec: ModelSpec, encoder: Encoder, heads: Mapping[str, Head]):
        super().__init__()
        _require_head_names(heads)
        self.encoder = encoder
        self.heads = nn.ModuleDict(heads)
        inputs = {**encoder.inputs, **{k: f for head in heads.values() for k, f in head.inputs.items()}}
        outputs = _check(spec, encoder, heads)
        self.spec = spec.replace(inputs=inputs, outputs=outputs)

    @property
    def input_fields(self) -> Mapping[str, Field]:
        """What `prepare` hands to the encoder and the heads."""
        return self.spec.inputs

    def prepare(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Codes to one-hot; a missing optional input becomes zeros, with `present/<input>` (N,) beside it."""
        if not isinstance(batch, Mapping):
            raise ContractError(
                f"a batch is a mapping such as {{'codes': (N, L) uint8}}, not {type(batch).__name__}: "
                "zoo.predict(model, sequences=['ACGT...']) reads letters"
            )
        reference = next(iter(batch.values()))
        n = reference.shape[0]  # len() would fix the number of examples where the model is recorded
        prepared = {}
        for key, field in self.input_fields.items():
            if key == "one_hot" and "one_hot" not in batch and "codes" in batch:
                prepared[key] = one_hot(batch["codes"], self.spec.n_encoding, self.dtype)
                continue
            present = key in batch
            if not present and field.required:
                raise ContractError(f"model {self.spec.name!r} needs the input {key!r}; the batch has {sorted(batch)}")
            value = batch[key] if present else self._absent(field, n, reference.device)
            prepared[key] = value.to(self.dtype) if value.is_floating_point() else value
            if not field.required:
                stated = batch.get(f"present/{key}")
                flags = torch.full((n,), float(present), device=reference.device, dtype=self.dtype)
                prepared[f"present/{key}"] = flags if stated is None else stated.to(self.dtype)
        return prepared

    def encode(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """inputs -> embedding (N, D, T)."""
        return self.encoder(inputs)

    def decode(self, embedding: Tensor, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """embedding (N, D, T) -> {head: (N, ...)}.

        For an equivariant encoder, half the sum of head(e) and flip(head(flip_embedding(e))): every head becomes
        true to the strand unchanged.
        """
        if self.encoder.strand != "equivariant":
            return {name: head(embedding, inputs) for name, head in self.heads.items()}
        turned, other = flip_embedding(embedding), self.flip(inputs)
        return {
            name: 0.5 * (head(embedding, inputs) + head.field.flip(head(turned, other)))
            for name, head in self.heads.items()
        }

    def flip(self, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Prepared inputs, or a batch, read from the other strand; what has no field is left alone."""
        fields = {"codes": CODES, **self.input_fields}
        return {k: fields[k].flip(x) if k in fields else x for k, x in inputs.items()}

    def forward(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """batch {codes (N, L), ...} -> prediction {head: (N, ...)} before the activation."""
        return self.forward_with_embedding(batch)[0]

    def forward_with_embedding(self, batch: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], Tensor]:
        """Prediction and embedding (N, D, T), for objectives that look at features."""
        inputs = self.prepare(batch)
        embedding = self.encode(inputs)
        prediction = self.decode(embedding, inputs)
        if self.spec.conjoined and not self.training:
            other = self.flip(inputs)
            turned = self.decode(self.encode(other), other)
            prediction = {
                name: 0.5 * (prediction[name] + head.field.flip(turned[name])) for name, head in self.heads.items()
            }
        return prediction, embedding

    def predict(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """batch -> {head: (N, ...)} after the activation that the spec names."""
        return activate(self(batch), self.spec)

    @property
    def dtype(self) -> torch.dtype:
        """Floating-point type of the weights."""
        return next((p.dtype for p in self.parameters()), torch.float32)

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return next((p.device for p in self.parameters()), torch.device("cpu"))

    def _absent(self, field: Field, n: int, device: torch.device) -> Tensor:
        shape = field.shape(n, self.spec.input_length // field.bin_size)
        return torch.zeros(shape, device=device, dtype=torch.long if field.values == "class" else self.dtype)


class Ensemble(Model):
    """M models of one spec (seeds, folds) that answer as one: the mean of their predictions before the activation.

    Everything that a `Model` does is done by all members and averaged.  What they have in common (inputs, fields and
    grids of the outputs, arguments of the parts) is the first member's; so are `encoder` and `heads`, whose weights are
    that member's alone.
    """

    def __init__(self, spec: ModelSpec, members: Sequence[Model]):
        nn.Module.__init__(self)
        self.members = nn.ModuleList(members)
        self.spec = members[0].spec.replace(**{"members": len(members), "name": spec.name})

    @property
    def _first(self) -> Model:
        return cast(Model, self.members[0])

    @property
    def encoder(self) -> Encoder:
        """The first member's."""
        return self._first.encoder

    @property
    def heads(self) -> nn.ModuleDict:
        """The first member's."""
        return self._first.heads

    def encode(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """inputs -> the members' embeddings side by side, (N, M D, T)."""
        return torch.cat([member.encode(inputs) for member in self.members], 1)

    def decode(self, embedding: Tensor, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """embedding (N, M D, T) of `encode` -> {head: (N, ...)}: the mean of what each member makes of its own part."""
        parts = embedding.chunk(len(self.members), 1)
        return _mean([member.decode(part, inputs) for member, part in zip(self.members, parts, strict=True)])

    def forward(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """batch -> {head: (N, ...)}, averaged over the members."""
        return _mean([member(batch) for member in self.members])

    def forward_with_embedding(self, batch: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], Tensor]:
        """Prediction, and the members' embeddings side by side, (N, M D, T)."""
        predictions, embeddings = zip(*(member.forward_with_embedding(batch) for member in self.members), strict=True)
        return _mean(predictions), torch.cat(embeddings, 1)


def _mean(predictions: Sequence[Mapping[str, Tensor]]) -> dict[str, Tensor]:
    return {head: torch.stack([p[head] for p in predictions]).mean(0) for head in predictions[0]}


def build(spec: ModelSpec) -> Model:
    """Construct a model with fresh weights from the names and arguments of its spec.

    Only what an installed plugin registered can be built.
    """
    if spec.members > 1:
        single = spec.replace(members=1)
        return Ensemble(spec, [build(single) for _ in range(spec.members)])
    encoder = registry().build("encoder", spec.encoder["name"], _arguments(spec.encoder))
    heads = {h: registry().build("head", part["name"], _arguments(part)) for h, part in spec.heads.items()}
    return Model(spec.replace(requires=spec.requires or _requires(spec)), encoder, heads)


def choose_device(name: str = "auto") -> str:
    """cpu, cuda or cuda:1; auto is a GPU if there is one.  Raises ConfigError for a device that is not here."""
    here = ["cpu", *(f"cuda:{i}" for i in range(torch.cuda.device_count()))]
    if name == "auto":
        return here[1] if len(here) > 1 else "cpu"
    if name not in here and not (name == "cuda" and len(here) > 1):
        raise ConfigError(f"device {name!r} is not here: choose from auto, {', '.join(here)}")
    return name


def activate(prediction: Mapping[str, Tensor], spec: ModelSpec) -> dict[str, Tensor]:
    """prediction {head: (N, ...)} -> the values that the spec's activations make of it.

    softmax runs over the channels of a K field, otherwise over the last axis.
    """
    return {h: _ACTIVATE[spec.activation.get(h, "identity")](x, spec.outputs[h][0]) for h, x in prediction.items()}


_ACTIVATE = {
    "identity": lambda x, field: x,
    "sigmoid": lambda x, field: torch.sigmoid(x),
    "softplus": lambda x, field: nn.functional.softplus(x),
    "exp": lambda x, field: torch.exp(x),
    "softmax": lambda x, field: torch.softmax(x, field.channel_axis if "K" in field.axes else -1),
}


def _arguments(part: Mapping) -> dict:
    return {k: v for k, v in part.items() if k != "name"}


def _requires(spec: ModelSpec) -> dict[str, str]:
    """{distribution: "~=major.minor"} of everything that the spec names and a distribution brought."""
    parts = [("encoder", spec.encoder["name"]), *(("head", part["name"]) for part in spec.heads.values())]
    owners = {registry().component(kind, name).owner for kind, name in parts} - {Registry.owner}
    return {owner: "~=" + ".".join(version(owner).split(".")[:2]) for owner in sorted(owners)}


def _require_head_names(names: Iterable[str]) -> None:
    """ContractError for a name that PyTorch gives no part of a model."""
    for name in names:
        if not name or "." in name or hasattr(nn.ModuleDict(), name):
            raise ContractError(f"PyTorch takes no part called {name!r}: name the target otherwise (data.target)")


def _check(spec: ModelSpec, encoder: Encoder, heads: Mapping[str, Head]) -> dict[str, tuple[Field, Grid | None]]:
    """What can be known before the first batch; returns the outputs."""
    length = spec.input_length
    for key, field in encoder.inputs.items():
        if "T" in field.axes and length % field.bin_size:
            raise ContractError(
                f"input {key!r} has bins of {field.bin_size} bp, which do not divide the window of {length:,} bp: "
                f"use {length - length % field.bin_size:,} bp"
            )
    grid = encoder.grid(length)
    outputs = {}
    for name, head in heads.items():
        if encoder.pools and head.needs_positions:
            raise ContractError(
                f"head {name!r} ({spec.heads[name]['name']}) needs positions, but encoder "
                f"{spec.encoder['name']!r} pools them away: choose a scalar head or another encoder"
            )
        outputs[name] = (head.field, head.grid(grid))
    return outputs
