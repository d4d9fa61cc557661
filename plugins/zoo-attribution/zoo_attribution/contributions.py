"""Sequences compared with their references: from multipliers to contributions.

A method gives every pair of a sequence x and a reference r multipliers m (4, L) with

    f(x) - f(r) = sum of m * (x - r)      (completeness; its error is the convergence delta)

and base b, if it stood in x, would contribute  m[b] - sum of m * r  at its position: the hypothetical contribution.
Both are means over the references.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Literal

import numpy as np
import torch
from torch import Tensor

from zoo.errors import ConfigError, ContractError
from zoo.interfaces import Attribution
from zoo.layers.one_hot import codes_of, one_hot
from zoo_attribution.references import reference_codes

if TYPE_CHECKING:
    from zoo.model import Model

Kind = Literal["hypothetical", "contribution"]
KINDS = ("hypothetical", "contribution")


def check_kind(kind: str) -> None:
    """Raises ConfigError for a kind that these methods do not give."""
    if kind not in KINDS:
        raise ConfigError(f"kind {kind!r} must be hypothetical (all four bases) or contribution (what is there)")


class ReferencePairs:
    """P = E * R pairs of E sequences and R references each, and the sums over them.

    inputs: prepared, {key: (E, ...)}; every pair of a sequence has its other inputs.
    """

    def __init__(self, model: Model, batch: Mapping[str, Tensor], references: str, n: int, seed: int):
        self.inputs = {k: x.detach() for k, x in model.prepare(batch).items()}
        if "one_hot" not in self.inputs:
            raise ContractError(f"references are sequences, but the model reads {', '.join(self.inputs)}: use saliency")
        self.x = self.inputs["one_hot"]
        self._encoding = model.spec.n_encoding, self.x.dtype
        codes = batch["codes"].cpu().numpy() if "codes" in batch else codes_of(self.x).cpu().numpy()
        drawn = [reference_codes(row, references, n, seed) for row in codes]
        self._codes = None if references == "zero" else torch.from_numpy(np.stack(drawn)).flatten(0, 1)
        self.each = 1 if self._codes is None else n
        self._sum = torch.zeros_like(self.x)
        self.delta = self.x.new_zeros(len(self.x))

    def __len__(self) -> int:
        """Number of pairs, those of a sequence next to each other."""
        return len(self.x) * self.each

    def rows(self, pairs: Tensor) -> Tensor:
        """Which sequence each pair belongs to."""
        return pairs // self.each

    def references(self, pairs: Tensor) -> Tensor:
        """One-hot references (B, 4, L) of pairs (B,)."""
        if self._codes is None:
            return self.x.new_zeros(len(pairs), *self.x.shape[1:])
        return one_hot(self._codes[pairs.cpu()].to(self.x.device), *self._encoding)

    def inputs_at(self, pairs: Tensor, sequence: Tensor) -> dict[str, Tensor]:
        """Inputs of a forward pass: these sequences, and what else the model reads beside them."""
        rows = self.rows(pairs)
        return {k: sequence if k == "one_hot" else x[rows] for k, x in self.inputs.items()}

    def add(self, pairs: Tensor, multipliers: Tensor, reference: Tensor, weight: Tensor | float = 1.0) -> Tensor:
        """Add multipliers (B, 4, L) of pairs (B,); returns the sum over positions of m * (x - r): (B,)."""
        rows = self.rows(pairs)
        at_reference = (multipliers * reference).sum(1, keepdim=True)
        weight = torch.as_tensor(weight, dtype=self.x.dtype, device=self.x.device)
        self._sum.index_add_(0, rows, (multipliers - at_reference) * (weight.reshape(-1, 1, 1) / self.each))
        return weight * ((multipliers * self.x[rows]).sum((1, 2)) - at_reference.sum((1, 2)))

    def check(self, total: Tensor, at_sequence: Tensor, at_reference: Tensor) -> None:
        """Set the convergence deltas: total (P,) of `add`, the output of the sequences (E,) and references (P,)."""
        expected = at_sequence.repeat_interleave(self.each) - at_reference
        off = (total - expected).reshape(len(self.x), self.each)
        self.delta = off.gather(1, off.abs().argmax(1, keepdim=True))[:, 0]

    def attribution(self, kind: str, center: bool) -> Attribution:
        """The means over the references, of this kind."""
        values = self._sum
        if center:
            values = values - values.mean(1, keepdim=True)
        if kind == "contribution":
            values = values * self.x
        return Attribution({"one_hot": values}, kind, self.delta, centered=center)


def in_chunks(n: int, rows: int, device: torch.device, run: Callable[[Tensor], None]) -> None:
    """run(indices) for 0..n in batches of `rows`."""
    for first in range(0, n, rows):
        run(torch.arange(first, min(first + rows, n), device=device))
