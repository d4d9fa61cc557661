"""In silico mutagenesis: what every single substitution does to an output."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from zoo.errors import ConfigError, ContractError
from zoo.inference import evaluating
from zoo.interfaces import Attribution, Interpreter

if TYPE_CHECKING:
    from zoo.model import Model
    from zoo.outputs import Output

__all__ = ["ISM"]


class ISM(Interpreter):
    """Full inference for each of the 3 L substitutions; the reference that faster ways are held against.

    values["one_hot"][n, b, i] is the output with base b at position i, less the output of the sequence as it
    is.  It is 0 at the reference base; at an N, all four bases are substitutions.

    batch_size: sequences in one forward pass.
    start, end: bp of the window that are mutated, 0-based half-open; the rest is 0.  None for the rim.
    """

    def __init__(self, *, batch_size: int = 256, start: int | None = None, end: int | None = None):
        if batch_size < 1:
            raise ConfigError(f"batch_size {batch_size} of ism must be 1 or more")
        self.batch_size, self.start, self.end = batch_size, start, end

    @torch.no_grad()
    def attribute(self, model: Model, batch: Mapping[str, Tensor], output: Output) -> Attribution:
        """batch as the model takes it -> {one_hot: (N, 4, L)} of effects."""
        with evaluating(model):
            inputs = model.prepare(batch)
            if "one_hot" not in inputs:
                raise ContractError(f"ism substitutes bases, but the model reads {', '.join(inputs)}: use gradient")
            sequence = inputs["one_hot"]
            reference = _scalar(model, inputs, output)
            effects = torch.zeros_like(sequence, dtype=reference.dtype)
            for rows, bases, positions in self._substitutions(sequence).split(self.batch_size, dim=1):
                mutated = {k: x[rows] for k, x in inputs.items()}
                each = torch.arange(len(rows), device=rows.device)
                mutated["one_hot"][each, :, positions] = 0
                mutated["one_hot"][each, bases, positions] = 1
                effects[rows, bases, positions] = _scalar(model, mutated, output) - reference[rows]
        return Attribution({"one_hot": effects}, "effect")

    def _substitutions(self, sequence: Tensor) -> Tensor:
        """(3, number of substitutions): row, base and position of each."""
        length = sequence.shape[2]
        start, end = self.start or 0, length if self.end is None else self.end
        if not 0 <= start < end <= length:
            raise ConfigError(f"ism of {start}..{end} lies outside of the window of {length} bp")
        other = sequence != 1
        other[:, :, :start] = False
        other[:, :, end:] = False
        return other.nonzero().T


def _scalar(model: Model, inputs: Mapping[str, Tensor], output: Output) -> Tensor:
    return output.scalar(model(inputs) if output.raw else model.predict(inputs))
