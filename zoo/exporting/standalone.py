"""A model with named inputs in a fixed order, as an exported file has them: what it computes, and examples to record.

codes (N, L) uint8, other inputs (N, ...) -> Standalone -> {output: (N, ...)}
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from zoo.errors import ConfigError
from zoo.layers.one_hot import codes_of, one_hot
from zoo.model import activate

if TYPE_CHECKING:
    from zoo.model import Model

SEQUENCES = ("codes", "one_hot")
"""How a sequence enters a file: (N, L) uint8, A C G T N = 0 1 2 3 4; or (N, 4, L) float32."""


class Standalone(nn.Module):
    """The model as a function of its inputs in the order of `names`.

    sequence: one of SEQUENCES.  With codes the file itself knows what an N is to the model.
    raw: outputs before the activation.
    """

    def __init__(self, model: Model, sequence: str = "codes", raw: bool = False):
        super().__init__()
        if sequence not in SEQUENCES:
            raise ConfigError(f"a sequence enters a file as {' or '.join(SEQUENCES)}, not {sequence!r}")
        self.model, self.raw = model, raw
        names = ["codes" if key == "one_hot" else key for key in model.input_fields]
        self.names = [sequence if name == "codes" else name for name in names]
        self.names += [f"present/{key}" for key, field in model.input_fields.items() if not field.required]
        table = one_hot(torch.arange(5, dtype=torch.uint8)[None], model.spec.n_encoding)[0].T
        self.register_buffer("bases", table.contiguous(), persistent=False)

    @property
    def output_names(self) -> dict[str, str]:
        """{head: name of its output}; a head that is called like an input gets `_output` behind its name."""
        return {head: f"{head}_output" if head in self.names else head for head in self.model.spec.outputs}

    def forward(self, *inputs: Tensor) -> dict[str, Tensor]:
        """Inputs as `names` says -> {output: (N, ...)}."""
        batch = dict(zip(self.names, inputs, strict=True))
        if "codes" in batch:
            # Not layers.one_hot: its index of 32 bits becomes a GatherND, which in ONNX takes 64 alone.
            batch["one_hot"] = nn.functional.embedding(batch.pop("codes").long(), self.bases).transpose(1, 2)
        prediction = self.model(batch)
        prediction = prediction if self.raw else activate(prediction, self.model.spec)
        return {name: prediction[head] for head, name in self.output_names.items()}

    def inputs_of(self, batch: Mapping[str, Tensor]) -> tuple[Tensor, ...]:
        """A batch as the model takes it, as the file takes it: inputs that are missing are zeros that say so."""
        prepared = self.model.prepare(batch)
        if "codes" in self.names:
            prepared["codes"] = batch["codes"] if "codes" in batch else codes_of(batch["one_hot"])
        return tuple(prepared[name].contiguous() for name in self.names)
