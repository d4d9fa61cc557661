"""`Conversion`: what an importer makes of somebody else's tensors.

[WeightFile] -> importer(files, **settings) -> Conversion(spec, weights) -> zoo.model.build + load_state_dict
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from zoo.errors import ZooError

if TYPE_CHECKING:
    from torch import Tensor

    from zoo.spec import ModelSpec

Importer = Callable[..., "Conversion"]
"""`(files, *, keyword arguments with defaults) -> Conversion`; the arguments are what `--set KEY=VALUE` sets."""


@dataclass(frozen=True)
class Conversion:
    """A model in our words: its spec, and weights by the names of the model that the spec builds.

    spec: of registered parts; its name, versions and where it came from are filled in by `zoo import`.
    weights: {name in the built model's state: tensor}, encoder.* and heads.<head>.*, below members.<i> in an ensemble.
    letters: which bases the four channels of the original's one-hot input are, in their order.  Weights are to be
        reordered to ACGT already (`reorder_bases`); golden inputs are by `zoo import`.
    returns: the heads that the original has, in the order of its outputs; all of them where it is empty.
    raw: heads whose golden outputs are those before the activation, as the original returns logits.
    complete: {head: the original's raw output} -> {head: the model's}, where they differ by something that changes no
        prediction (a constant added to all logits).
    notes: sentences for the card: what differs from the original, what its numbers mean.
    """

    spec: ModelSpec
    weights: Mapping[str, Tensor]
    letters: str = "ACGT"
    returns: Sequence[str] = ()
    raw: Sequence[str] = ()
    notes: Sequence[str] = field(default=())
    complete: Callable[[Mapping[str, Tensor]], Mapping[str, Tensor]] | None = None


def reorder_bases(weight: Tensor, letters: str, axis: int = 1) -> Tensor:
    """A first layer's weight whose channels are in the order `letters`, in the order ACGT.

    >>> import torch
    >>> reorder_bases(torch.tensor([[0.0, 2.0, 1.0, 3.0]]), "AGCT").tolist()
    [[0.0, 1.0, 2.0, 3.0]]
    """
    if sorted(letters) != list("ACGT"):
        raise ZooError(f"letters {letters!r} must be the four bases in their order, as in ACGT or AGCT")
    return weight.index_select(axis, _index([letters.index(base) for base in "ACGT"]))


def join_members(conversions: Sequence[Conversion]) -> Conversion:
    """Networks of one spec as an ensemble, which answers with their mean before the activation; one stays as it is.

    Raises ZooError where their specs differ.
    """
    first = conversions[0]
    if len(conversions) == 1:
        return first
    for i, other in enumerate(conversions[1:], 2):
        if (other.spec, other.letters) != (first.spec, first.letters):
            raise ZooError(f"network {i} has other sizes or outputs than the first: import them one by one")
    weights = {f"members.{i}.{k}": x for i, c in enumerate(conversions) for k, x in c.weights.items()}
    return replace(first, spec=first.spec.replace(members=len(conversions)), weights=weights)


def inert_classes(*prefixes: str) -> Callable[[Importer], Importer]:
    """Decorator of an importer whose files are whole modules saved by torch.save(model).

    prefixes: of the full names of classes ("bpnetlite.") that may stand in such a file.  None of them is imported or
        run: each is read as an empty container, of which the tensors are kept.
    """

    def mark(function: Importer) -> Importer:
        setattr(function, "inert_classes", prefixes)  # noqa: B010, a function has no such attribute of its own
        return function

    return mark


def _index(places: Sequence[int]) -> Tensor:
    import torch

    return torch.tensor(places)
