"""What rules see while they run: some mutants, their windows, and the reference activations they start from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from zoo.effects.engine.backends import Backend, gather
from zoo.effects.engine.layout import Layout
from zoo.effects.engine.rules.operation import Value
from zoo.effects.engine.windows import Windows


@dataclass
class Reference:
    """Activations of R reference sequences.

    rows: {node: (R * T, F)}.  natural: {node: tensor}.  output: (R, ...).
    """

    count: int
    rows: dict[int, Tensor]
    natural: dict[int, Tensor]
    output: Tensor
    _sides: dict[int, tuple[Tensor, Tensor]] = field(default_factory=dict)

    def sides(self, index: int, backend: Backend) -> tuple[Tensor, Tensor]:
        """Maxima before each position and from it on: two of (R * (T + 1), F)."""
        if index not in self._sides:
            self._sides[index] = backend.running_maxima(self.rows[index], len(self.rows[index]) // self.count)
        return self._sides[index]


@dataclass
class Batch:
    """row: (M,) reference of each mutant.  windows: {node: Windows}."""

    row: np.ndarray
    windows: Mapping[int, Windows]
    reference: Reference
    backend: Backend
    dtype: torch.dtype
    device: torch.device

    def __len__(self) -> int:
        return len(self.row)

    def base(self, value: Value) -> np.ndarray:
        """(M,) first row of each mutant in the reference matrix of a value."""
        return self.row * value.layout.length

    def rows(self, value: Value) -> Tensor:
        """The reference of a value: (R * T, F)."""
        return self.reference.rows[value.index]

    def gather(self, value: Value, windows: Windows) -> Tensor:
        """The reference of a value at the windows: (rows, F).  A value of one position is the same everywhere."""
        if value.layout.length == 1:
            row = torch.from_numpy(self.row).to(self.device)
            return self.rows(value).index_select(0, row[windows.mutant(self.device)])
        return gather(self.rows(value), self.base(value), windows)

    def natural(self, value: Value) -> Tensor:
        """The reference of a value, once for each mutant: (M, ...)."""
        return self.reference.natural[value.index].index_select(value.batch, torch.from_numpy(self.row).to(self.device))

    def dense(self, layout: Layout, windows: Windows, difference: Tensor) -> Tensor:
        """(rows, F) to a natural tensor (M, ...), zero outside of the windows."""
        out = torch.zeros(len(self) * layout.length, layout.width, dtype=difference.dtype, device=self.device)
        at = windows.mutant(self.device) * layout.length + windows.position(self.device)
        return layout.from_rows(out.index_copy_(0, at, difference))
