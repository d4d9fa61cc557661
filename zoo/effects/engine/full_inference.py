"""`FullInference`: what a model itself gives for sequences, in batches that suit the device.

    codes (N, L) -> one-hot -> function -> outputs (N, ...)

Nothing is recorded or compiled, which is quickest where there are only a few sequences.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from zoo.effects.engine.precision import as_type, full_precision, in_precision
from zoo.errors import ContractError
from zoo.layers.one_hot import one_hot
from zoo.prediction.inference import batch_rows, inferring


class FullInference:
    """`function`, a torch function of {key: (N, ...)} that uses `module`, in eval mode.

    shapes: of each input, without N; `sequence` names the one-hot one, (4, L).
    n_encoding: how an N is encoded, as in zoo.layers.one_hot.
    dtype: in which it is computed; the module's own where it is not given, but float32 at least.
    """

    def __init__(
        self,
        module: nn.Module,
        function: Callable[[Mapping[str, Tensor]], Tensor],
        shapes: Mapping[str, Sequence[int]],
        *,
        sequence: str = "one_hot",
        n_encoding: str = "zero",
        dtype: torch.dtype | None = None,
    ):
        first = next(module.parameters(), torch.zeros(()))
        self._module = weakref.ref(module)
        self.function = function
        own = first.dtype if first.dtype in (torch.float32, torch.float64) else torch.float32
        self.device, self.dtype = first.device, dtype or own
        self.length = shapes[sequence][1]
        self.sequence, self.n_encoding = sequence, n_encoding
        self.others = frozenset(shapes) - {sequence}

    @property
    def module(self) -> nn.Module:
        """The module whose weights are used."""
        module = self._module()
        if module is None:
            raise ContractError(
                "the model of this engine is gone: keep a reference to it as long as the engine is used"
            )
        return module

    def encode(self, codes: np.ndarray) -> Tensor:
        """codes (N, L) -> one-hot (N, 4, L) of the engine's type."""
        return one_hot(torch.from_numpy(np.ascontiguousarray(codes)).to(self.device), self.n_encoding, self.dtype)

    def full(self, codes: np.ndarray, inputs: Mapping[str, Tensor] | None = None) -> Tensor:
        """Full inference of the model itself: codes (N, L) -> (N, ...), in batches that suit the device.

        inputs: all others of `shapes`, {key: (N, ...)}.
        """
        self.check_inputs(inputs or {})
        rows = batch_rows(self.length, self.device.type)
        parts = []
        with in_precision(self.module, self.dtype), inferring(self.module, self.device), full_precision(self.device):
            for i in range(0, len(codes), rows):
                given = {k: as_type(x[i : i + rows].to(self.device), self.dtype) for k, x in (inputs or {}).items()}
                parts.append(self.function({**given, self.sequence: self.encode(codes[i : i + rows])}))
        return torch.cat(parts)

    def check_inputs(self, inputs: Mapping[str, Tensor]) -> None:
        """Raises ContractError where the inputs beside the sequence are not those that the engine was made for.

        A recorded model would pass over one that it does not know, and answer without it.
        """
        if self.others != inputs.keys():
            raise ContractError(
                f"the engine reads {', '.join(sorted(self.others)) or 'nothing'} beside the sequence and is given "
                f"{', '.join(sorted(inputs)) or 'nothing'}: make it for these inputs, and give all of them"
            )
