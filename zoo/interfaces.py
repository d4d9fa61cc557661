"""The four interfaces.  A plugin that keeps them needs nothing else of the core.

    inputs {key: (N, ...)} -> Encoder -> embedding (N, D, T) -> Head -> prediction (N, ...)
                                                    Objective -> {part: (sum, weight)}
                                                    Interpreter -> Attribution

Constructors are keyword-only and typed, and every argument has a default that reproduces the paper:
the signature is the schema of the configuration.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

import torch
from torch import Tensor, nn

from zoo.fields import ONE_HOT, Field, Grid

if TYPE_CHECKING:
    from zoo.model import Model
    from zoo.outputs import Output

Batch = Mapping[str, Tensor]


class Encoder(nn.Module, ABC):
    """Inputs to an embedding (N, D, T).

    It promises what tracing needs: no branch on values, no in-place write on an input, and in eval mode
    a pure function of its inputs.

    inputs: what it reads, by key.
    out_channels: D.
    receptive_field: bp that one position of the embedding sees; None where it sees the whole window.
    strand: "equivariant" if reversing every input's strand gives `embedding.flip(1, 2)`, else "none".
    pools: True if T is pooled away (T = 1); heads that need positions are then refused.
    """

    inputs: Mapping[str, Field] = {"one_hot": ONE_HOT}
    out_channels: int
    receptive_field: int | None
    strand: Literal["none", "equivariant"] = "none"
    pools: bool = False

    @abstractmethod
    def grid(self, length: int) -> Grid:
        """Where the embedding's positions lie for an input of `length` bp."""

    @abstractmethod
    def forward(self, inputs: Batch) -> Tensor:
        """inputs: {key: (N, ...)} -> embedding (N, D, T)."""


class Head(nn.Module, ABC):
    """An embedding (N, D, T) to a prediction whose axes `field` names.

    Constructors take `in_channels` (D) and usually `tasks` (names of C), both injected.

    field: what the prediction is, before the activation that the objective names.
    needs_positions: True refuses an encoder that pools T away.
    inputs: what it reads beside the embedding, by key.
    """

    field: Field
    needs_positions: ClassVar[bool] = False
    inputs: Mapping[str, Field] = {}

    def grid(self, grid: Grid) -> Grid | None:
        """Where the prediction's positions lie, from those of the embedding; None without positions."""
        return grid if "T" in self.field.axes else None

    @abstractmethod
    def forward(self, embedding: Tensor, inputs: Batch) -> Tensor:
        """embedding (N, D, T), inputs {key: (N, ...)} -> prediction (N, *field.axes)."""


class Objective(nn.Module, ABC):
    """What training minimises: the sum over parts of `coefficient * sum / weight`.

    Sums and weights are added over micro-batches and processes before they are divided, so that masks
    do not bend the gradient.  Parts keep their keys: under an empty mask a part has weight 0.
    Parameters of its own (a discriminator) train beside the model's and are not published.

    additive: False for a term that is no sum over examples (a correlation): it forbids accumulation
        and is computed on the predictions of all processes together.
    activation: what turns a prediction into the value that the model publishes (see zoo.model.ACTIVATIONS),
        None for a term that says nothing of it.
    """

    additive: bool = True
    activation: str | None = None

    @abstractmethod
    def weights(self, batch: Batch) -> dict[str, Tensor]:
        """The weight of every part, from the batch alone: {part: ()}."""

    @abstractmethod
    def forward(self, prediction: Batch, batch: Batch, embedding: Tensor) -> dict[str, tuple[Tensor, Tensor]]:
        """prediction {head: (N, ...)}, batch, embedding (N, D, T) -> {part: (sum (), weight ())}."""


@dataclass(frozen=True)
class Attribution:
    """A score for every element of every input.

    values: {input: (N, *axes)}, shaped like the input.
    kind: effect (of a substitution, against the reference), contribution (of what is there), or
        hypothetical (of what could be there).  Kinds are not comparable before they are brought to one:
        see zoo.attribution.kinds.
    delta: (N,) convergence error where the method has one: the sum of the contributions less the difference
        of the output that they should add up to.
    centered: whether the mean over the four bases has been taken out of each position.
    """

    values: Mapping[str, Tensor]
    kind: Literal["effect", "contribution", "hypothetical"]
    delta: Tensor | None = None
    centered: bool = False


class Interpreter(ABC):
    """Explains one scalar of a model's prediction by its inputs."""

    @abstractmethod
    def attribute(self, model: Model, batch: Batch, output: Output) -> Attribution:
        """batch as the model takes it, output a selector of one number an example."""


def total(parts: Mapping[str, tuple[Tensor, Tensor]]) -> Tensor:
    """The normalised sum of an objective's parts; a part of weight 0 adds nothing."""
    losses = [s / w.clamp(min=torch.finfo(s.dtype).tiny) * (w > 0) for s, w in parts.values()]
    return torch.stack(losses).sum()
