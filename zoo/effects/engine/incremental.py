"""`Incremental`: effects of edits on a model's output, by carrying the difference through the layers.

    codes, Edits -> reference pass (once a sequence) -> windows of each layer -> differences -> effects (M, ...)

A mutant changes only what its receptive field touches.  The model is recorded once (`trace`), every call with a rule
passes the difference on (`plan`), and from the first call without one the rest is computed in full.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from zoo.data.edits import Edits
from zoo.effects.engine.backends import Backend, Compiled, Eager
from zoo.effects.engine.full_inference import FullInference
from zoo.effects.engine.memory import available_bytes
from zoo.effects.engine.plan import Plan
from zoo.effects.engine.references import At
from zoo.effects.engine.rules.operation import rules
from zoo.effects.engine.self_check import SelfCheck
from zoo.errors import ContractError
from zoo.prediction.inference import batch_rows, evaluating
from zoo.tracing.cache import cached
from zoo.tracing.graph import Weights
from zoo.tracing.trace import Untraceable, trace

if TYPE_CHECKING:
    from zoo.model import Model
    from zoo.outputs import Output


@dataclass
class Counts:
    """How many mutants went which way in the last call."""

    incremental: int = 0
    full: int = 0
    overflowed: int = 0


class Incremental(FullInference):
    """Effects of edits on `function`, a torch function of {key: (N, ...)} that uses `module`.

    shapes, sequence, n_encoding, dtype: of `FullInference`.
    integers: inputs that hold class ids.
    carry: False computes every mutant in full.
    check: compare a random sample of mutants with full inference in float64.
    backend: loops over windows; compiled ones on a CPU, torch on other devices, unless given.

    A model that cannot be recorded is run in full; `report` says so.
    """

    def __init__(
        self,
        module: nn.Module,
        function: Callable[[Mapping[str, Tensor]], Tensor],
        shapes: Mapping[str, Sequence[int]],
        *,
        sequence: str = "one_hot",
        n_encoding: str = "zero",
        integers: Collection[str] = (),
        carry: bool = True,
        check: bool = True,
        backend: Backend | None = None,
        dtype: torch.dtype | None = None,
    ):
        super().__init__(module, function, shapes, sequence=sequence, n_encoding=n_encoding, dtype=dtype)
        self.backend = backend or (Compiled() if self.device.type == "cpu" else Eager())
        self.counts = Counts()
        self.plan, self.refused = None, "" if carry else "as asked"
        inputs = {k: (torch.int64 if k in integers else torch.float32, tuple(s)) for k, s in shapes.items()}
        if carry:
            try:
                with evaluating(module), torch.no_grad():
                    graph = trace(function, module, inputs, rules()[1])
                    self.plan = Plan(graph, Weights(self.device, self.dtype), sequence)
            except Untraceable as error:
                self.refused = str(error)
        self.check = SelfCheck(self) if check else None

    @property
    def report(self) -> str:
        """One sentence on the last call of `effects`: what was carried, what was computed in full, and why."""
        c = self.counts
        if self.plan is None:
            return f"{c.full:,} mutants by full inference: {self.refused}"
        text = f"{c.incremental:,} mutants by incremental inference"
        if (node := self.plan.first_full) is not None:
            why = self.plan.failures.get(node.index)
            text += f", in full from {node.layer or 'the model'} ({node.name}{', ' + why if why else ''}) on"
        if c.full:
            text += f"; {c.full:,} by full inference, since their edits move a flank or reach over most of the window"
        if c.overflowed:
            text += f"; {c.overflowed:,} of them again in full, since their differences left the range of the type"
        return text

    def effects(
        self,
        codes: np.ndarray,
        edits: Edits,
        *,
        inputs: Mapping[str, Tensor] | None = None,
        progress: Callable[[int], object] | None = None,
    ) -> Tensor:
        """Output of every mutant less that of its reference: (M, ...).

        codes: (R, L or more) uint8, the references; what lies beyond L is drawn in by deletions.
        inputs: other inputs of the references, {key: (R, ...)}.
        progress: called with the number of mutants that were finished since the last call.

        Raises ContractError where the self-check finds a mutant that full inference answers otherwise, and where
        the effects themselves do not fit into memory.
        """
        return self.with_references(codes, edits, inputs=inputs, progress=progress)[0]

    def with_references(
        self,
        codes: np.ndarray,
        edits: Edits,
        *,
        inputs: Mapping[str, Tensor] | None = None,
        progress: Callable[[int], object] | None = None,
    ) -> tuple[Tensor, Tensor]:
        """`effects`, and the output of each mutant's reference from the same pass over it: two of (M, ...)."""
        out: tuple[Tensor, Tensor] | None = None
        self.counts = Counts()
        order = np.argsort(edits.row, kind="stable")
        rows = edits.row[order]
        for a, b in self._groups(rows, len(codes)):
            chosen = order[a:b]
            used, row = np.unique(edits.row[chosen], return_inverse=True)
            given = {k: x[torch.from_numpy(used).to(x.device)] for k, x in (inputs or {}).items()}
            at = self.at(codes[used], given)
            row = row.reshape(-1)
            effects = at.effects(replace(edits[chosen], row=row), progress=progress)
            if out is None:
                _fits(2 * len(edits), effects)
                whole = effects.new_empty(len(edits), *effects.shape[1:])
                out = whole, torch.empty_like(whole)
            where = torch.from_numpy(chosen).to(effects.device)
            out[0][where] = effects
            out[1][where] = at.output[torch.from_numpy(row).to(effects.device)]
        if out is None:
            empty = self._empty(codes, inputs)
            return empty, empty.clone()
        return out

    def at(self, codes: np.ndarray, inputs: Mapping[str, Tensor] | None = None) -> At:
        """The engine with these references: one pass over them, then any number of calls."""
        return At(self, codes, dict(inputs or {}))

    def _groups(self, rows: np.ndarray, n: int) -> Iterator[tuple[int, int]]:
        """Slices of mutants, sorted by row, whose references fit into memory together."""
        if not len(rows):
            return
        most = n
        if self.plan is not None:
            each = max(1, self.plan.reference_floats) * self.dtype.itemsize
            most = max(1, int(available_bytes(self.device) / 4 // each))
            most = min(most, max(1, batch_rows(self.length, self.device.type) * 4))
        starts = np.flatnonzero(np.diff(rows, prepend=-1))
        bounds = [*starts[::most].tolist(), len(rows)]
        yield from pairwise(bounds)

    def _empty(self, codes: np.ndarray, inputs: Mapping[str, Tensor] | None) -> Tensor:
        first = {k: x[:1] for k, x in (inputs or {}).items()}
        shape = self.full(codes[:1, : self.length], first).shape if len(codes) else (1,)
        return torch.zeros((0, *shape[1:]), dtype=self.dtype, device=self.device)


def incremental(
    model: Model,
    output: Output | None = None,
    *,
    carry: bool = True,
    dtype: torch.dtype | None = None,
    optional: Mapping[str, tuple[int, ...]] | None = None,
) -> Incremental:
    """The engine of a model and an output; it is cached, and made again when the weights have changed.

    output: which numbers, (N, number of outputs); every one of zoo.outputs.Output.every where it is not given.
    optional: shapes, without N, of the inputs that the model can do without and that every call gives, also of
        "present/<input>"; the others are missing.
    """
    from zoo.outputs import Output

    output, optional = output or Output.every(model.spec), dict(optional or {})
    fields = model.input_fields
    if "one_hot" not in fields:
        raise ContractError(f"model {model.spec.name!r} reads {', '.join(fields)} and no sequence: there are no edits")

    def make() -> Incremental:
        length = model.spec.input_length
        required = {k: f for k, f in fields.items() if f.required}
        alive = weakref.ref(model)
        return Incremental(
            model,
            lambda inputs: output.of(alive(), inputs),
            {k: f.shape(1, length // f.bin_size)[1:] for k, f in required.items()} | optional,
            n_encoding=model.spec.n_encoding,
            integers=[k for k, f in fields.items() if f.values == "class"],
            carry=carry,
            dtype=dtype,
        )

    return cached(model, (output, carry, dtype, tuple(sorted(optional.items()))), make)


def _fits(n: int, part: Tensor) -> None:
    """Raises ContractError where the effects of n mutants are more than the memory holds."""
    each = part[0].numel() * part.dtype.itemsize if len(part) else 0
    free = available_bytes(part.device)
    if n * each > 0.8 * free:
        raise ContractError(
            f"effects of {n:,} mutants on {part[0].numel():,} numbers are {n * each / 1e9:,.1f} GB but "
            f"{free / 1e9:,.1f} GB are free: ask for fewer mutants at a time, or reduce the output, as in profile:sum"
        )
