"""In silico saturation mutagenesis (ISM): the effect of every single substitution on an output."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from zoo.data.edits import Edits
from zoo.errors import ConfigError, ContractError
from zoo.interfaces import Attribution, Interpreter
from zoo.layers.one_hot import codes_of
from zoo.prediction.further_inputs import optional_shapes
from zoo.prediction.inference import batch_rows, inferring

if TYPE_CHECKING:
    import numpy as np

    from zoo.model import Model
    from zoo.outputs import Output


class ISM(Interpreter):
    """Each of the 3 L substitutions, by incremental inference: exact, and computed only where something changes.

    values["one_hot"][n, b, i] is the output with base b at position i, less the output of the sequence as it
    is.  It is 0 at the reference base; at an N, all four bases are substitutions.

    start, end: bp of the window that are mutated, 0-based half-open; the rest is 0.  None for the rim.
    full: run the model in full for every mutant.  What else a batch has (signal, context) stays as it is.
    """

    def __init__(self, *, start: int | None = None, end: int | None = None, full: bool = False):
        self.start, self.end, self.full = start, end, full

    def attribute(self, model: Model, batch: Mapping[str, Tensor], output: Output) -> Attribution:
        """batch as the model takes it -> {one_hot: (N, 4, L)} of effects."""
        inputs = model.prepare(batch)
        if "one_hot" not in inputs:
            raise ContractError(f"ism substitutes bases, but the model reads {', '.join(inputs)}: use saliency")
        sequence = inputs["one_hot"]
        codes = (batch["codes"] if "codes" in batch else codes_of(sequence)).cpu().numpy()
        length = codes.shape[1]
        start, end = self.start or 0, length if self.end is None else self.end
        if not 0 <= start < end <= length:
            raise ConfigError(f"ism of {start}..{end} lies outside of the window of {length} bp")
        edits = Edits.substitutions(codes, start, end)
        others = {k: x for k, x in inputs.items() if k != "one_hot"}
        if self.full:
            values = _in_full(model, codes, others, edits, output)
        else:
            from zoo.effects.engine.incremental import incremental

            constant = {k: x for k, x in others.items() if k in batch}
            engine = incremental(model, output, optional=optional_shapes(model, constant))
            values = engine.effects(codes, edits, inputs=constant)[:, 0]
        effects = torch.zeros_like(sequence)
        row, base, position = (torch.from_numpy(x).to(effects.device) for x in _places(edits))
        effects[row, base, position] = values.to(effects)
        return Attribution({"one_hot": effects}, "effect")


def _in_full(model: Model, codes: np.ndarray, others: Mapping[str, Tensor], edits: Edits, output: Output) -> Tensor:
    """Output of every mutant less that of its reference: (M,)."""
    rows = batch_rows(codes.shape[1], model.device.type)

    def run(sequences: np.ndarray, row: np.ndarray) -> Tensor:
        index = torch.from_numpy(row).to(model.device)
        given = {"codes": torch.from_numpy(sequences).to(model.device), **{k: x[index] for k, x in others.items()}}
        return output.scalar(model(given) if output.raw else model.predict(given))

    with inferring(model):
        every = range(0, len(edits), rows)
        mutated = torch.cat([run(edits[i : i + rows].apply(codes), edits.row[i : i + rows]) for i in every])
        parts = range(0, len(codes), rows)
        reference = torch.cat([run(codes[i : i + rows], _numbers(i, len(codes), rows)) for i in parts])
    return mutated - reference[torch.from_numpy(edits.row).to(reference.device)]


def _places(edits: Edits) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return edits.row, edits.alternate.astype("int64"), edits.position


def _numbers(first: int, n: int, rows: int) -> np.ndarray:
    import numpy as np

    return np.arange(first, min(first + rows, n))
