"""`Incremental`: effects of edits on a model's output, by carrying the difference through the layers.

    codes, Edits -> reference pass (once a sequence) -> windows of each layer -> differences -> effects (M, ...)

A mutant changes only what its receptive field touches.  The model is recorded once (`trace`), every call with a rule
passes the difference on (`plan`), and from the first call without one the rest is computed in full.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from zoo.data.edits import Edits
from zoo.effects.backends import Backend, Compiled, Eager
from zoo.effects.batch import Batch, Reference
from zoo.effects.graph import Weights
from zoo.effects.memory import available_bytes
from zoo.effects.plan import Plan
from zoo.effects.precision import as_type, in_precision
from zoo.effects.rules.operation import rules
from zoo.effects.self_check import SelfCheck
from zoo.effects.trace import Untraceable, trace
from zoo.effects.windows import Windows
from zoo.errors import ContractError
from zoo.inference import batch_rows, evaluating, inferring
from zoo.layers.one_hot import one_hot

if TYPE_CHECKING:
    from zoo.model import Ensemble, Model
    from zoo.outputs import Output

__all__ = ["At", "Incremental", "incremental"]

CHUNK = 8192
CACHE_FLOATS = 1 << 22
TAIL_ROWS = 64
WORTH = 0.8


@dataclass
class Counts:
    """How many mutants went which way in the last call."""

    incremental: int = 0
    full: int = 0
    overflowed: int = 0


class Incremental:
    """Effects of edits on `function`, a torch function of {key: (N, ...)} that uses `module`.

    shapes: of each input, without N; `sequence` names the one-hot one, (4, L).
    n_encoding: how an N is encoded, as in zoo.layers.one_hot.
    integers: inputs that hold class ids.
    carry: False computes every mutant in full.
    check: compare a random sample of mutants with full inference in float64.
    backend: loops over windows; compiled ones on a CPU, torch on other devices, unless given.
    dtype: in which the engine computes; the module's own where it is not given.

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
        first = next(module.parameters(), torch.zeros(()))
        self._module = weakref.ref(module)
        self.function = function
        self.device, self.dtype = first.device, dtype or first.dtype
        self.length = shapes[sequence][1]
        self.sequence, self.n_encoding = sequence, n_encoding
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
    def module(self) -> nn.Module:
        """The module whose weights are used."""
        module = self._module()
        if module is None:
            raise ContractError(
                "the model of this engine is gone: keep a reference to it as long as the engine is used"
            )
        return module

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

        Raises ContractError where the self-check finds a mutant that full inference answers otherwise.
        """
        out: Tensor | None = None
        self.counts = Counts()
        order = np.argsort(edits.row, kind="stable")
        rows = edits.row[order]
        for a, b in self._groups(rows, len(codes)):
            chosen = order[a:b]
            used, row = np.unique(edits.row[chosen], return_inverse=True)
            given = {k: x[torch.from_numpy(used).to(x.device)] for k, x in (inputs or {}).items()}
            part = self.at(codes[used], given).effects(_on_rows(edits[chosen], row), progress=progress)
            out = part.new_empty(len(edits), *part.shape[1:]) if out is None else out
            out[torch.from_numpy(chosen).to(out.device)] = part
        return self._empty(codes, inputs) if out is None else out

    def reference_output(self, codes: np.ndarray, inputs: Mapping[str, Tensor] | None = None) -> Tensor:
        """Output of the references by full inference: (R, ...)."""
        return self.full(codes[:, : self.length], inputs)

    def at(self, codes: np.ndarray, inputs: Mapping[str, Tensor] | None = None) -> At:
        """The engine with these references: one pass over them, then any number of calls."""
        return At(self, codes, dict(inputs or {}))

    def encode(self, codes: np.ndarray) -> Tensor:
        """codes (N, L) -> one-hot (N, 4, L) of the engine's type."""
        return one_hot(torch.from_numpy(np.ascontiguousarray(codes)).to(self.device), self.n_encoding, self.dtype)

    def full(self, codes: np.ndarray, inputs: Mapping[str, Tensor] | None = None) -> Tensor:
        """Full inference of the model itself: codes (N, L) -> (N, ...), in batches that suit the device."""
        rows = batch_rows(self.length, self.device.type)
        parts = []
        with in_precision(self.module, self.dtype), inferring(self.module, self.device):
            for i in range(0, len(codes), rows):
                given = {k: as_type(x[i : i + rows], self.dtype) for k, x in (inputs or {}).items()}
                parts.append(self.function({**given, self.sequence: self.encode(codes[i : i + rows])}))
        return torch.cat(parts)

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


class At:
    """An engine at some references.

    output: (R, ...) of the references.
    """

    def __init__(self, engine: Incremental, codes: np.ndarray, inputs: dict[str, Tensor]):
        if codes.ndim != 2 or codes.shape[1] < engine.length:
            raise ContractError(
                f"references of shape {codes.shape} must be (R, L) with L of at least {engine.length:,} bp"
            )
        self.engine, self.codes, self.inputs = engine, codes, inputs
        self.reference: Reference | None = None
        if engine.plan is None:
            self.output = engine.full(codes[:, : engine.length], inputs)
        else:
            given = {k: as_type(x.to(engine.device), engine.dtype) for k, x in inputs.items()}
            with torch.inference_mode():
                sequence = engine.encode(codes[:, : engine.length])
                self.reference = engine.plan.reference({**given, engine.sequence: sequence})
            self.output = self.reference.output

    def rebase(self, edits: Edits) -> At:
        """The engine at accepted edits: a mutant for each reference that changes, the others stay.

        The activations of changed references are computed anew, so that no error adds up over a long search.
        """
        length = self.codes.shape[1]
        codes = self.codes.copy()
        codes[edits.row] = edits.apply(self.codes, length)
        return At(self.engine, codes, self.inputs)

    def effects(self, edits: Edits, *, progress: Callable[[int], object] | None = None) -> Tensor:
        """Output of every mutant less that of its reference: (M, ...)."""
        edits.check(self.codes.shape[1])
        out = torch.empty((len(edits), *self.output.shape[1:]), dtype=self.output.dtype, device=self.output.device)
        low, _ = edits.span(self.engine.length)
        order = np.lexsort((low, edits.row))
        for first in range(0, len(order), CHUNK):
            chosen = order[first : first + CHUNK]
            part = edits if len(order) <= CHUNK and (np.diff(order) == 1).all() else edits[chosen]
            out[torch.from_numpy(chosen).to(out.device)] = self._chunk(part, progress or (lambda n: None))
        return out

    def _chunk(self, edits: Edits, progress: Callable[[int], object]) -> Tensor:
        engine = self.engine
        counts, m = engine.counts, len(edits)
        out = torch.empty((m, *self.output.shape[1:]), dtype=self.output.dtype, device=self.output.device)
        full = np.arange(m)
        if engine.plan is not None:
            span = edits.span(engine.length)
            windows = engine.plan.spans(span)
            floats, work = engine.plan.costs(windows)
            moves = (edits.shift != 0) & (work > WORTH) | (work > 1.0)
            carried, full = np.flatnonzero(~moves), np.flatnonzero(moves)
            if len(full):
                windows = engine.plan.spans(tuple(s[carried] for s in span))
                floats = floats[carried]
            mine = edits if not len(full) else edits[carried]
            result = self._carry(mine, windows, floats, progress)
            out[torch.from_numpy(carried).to(out.device)] = result
            counts.incremental += len(carried)
            counts.full += len(full)
            lost = np.flatnonzero(~np.isfinite(result.flatten(1).sum(1).cpu().numpy()))
            if len(lost) and bool(self.output.isfinite().all()):
                counts.overflowed += len(lost)
                out[torch.from_numpy(carried[lost]).to(out.device)] = self._in_full(mine[lost])
        else:
            counts.full += m
        if len(full):
            out[torch.from_numpy(full).to(out.device)] = self._in_full(edits[full])
            progress(len(full))
        if engine.check is not None:
            engine.check(self, edits, out)
        return out

    def _in_full(self, edits: Edits) -> Tensor:
        parts = []
        for first in range(0, len(edits), 512):
            part = edits[first : first + 512]
            row = torch.from_numpy(part.row)
            given = {k: x[row.to(x.device)] for k, x in self.inputs.items()}
            mutated = self.engine.full(part.apply(self.codes, self.engine.length), given)
            parts.append(mutated - self.output[row.to(self.output.device)])
        return torch.cat(parts)

    def _carry(
        self, edits: Edits, windows: Mapping[int, Windows], floats: np.ndarray, progress: Callable[[int], object]
    ) -> Tensor:
        """Incremental inference, batch by batch, on as many threads as torch has."""
        engine = self.engine
        out = torch.empty((len(edits), *self.output.shape[1:]), dtype=self.output.dtype, device=self.output.device)
        bounds = self._bounds(floats)
        first = windows[engine.plan.input.index].first
        whole = self._difference(edits, windows[engine.plan.input.index]) if first[-1] <= CHUNK * 4 else None

        def run(bound: tuple[int, int]) -> int:
            a, b = bound
            part = {i: w.part(a, b) for i, w in windows.items()}
            with torch.inference_mode():
                if whole is not None:
                    out[a:b] = self.batch(edits.row[a:b], part, whole[first[a] : first[b]])
                else:
                    mutants = edits[a:b]
                    out[a:b] = self.batch(mutants.row, part, self._difference(mutants, part[engine.plan.input.index]))
            return b - a

        threads = torch.get_num_threads() if self.engine.device.type == "cpu" else 1
        if threads == 1 or len(bounds) < 2 * threads:
            for bound in bounds:
                progress(run(bound))
        else:
            with _one_thread_each(threads), ThreadPoolExecutor(threads) as pool:
                for done in pool.map(run, bounds):
                    progress(done)
        return out

    def batch(
        self, row: np.ndarray, windows: Mapping[int, Windows], difference: Tensor, seen: dict | None = None
    ) -> Tensor:
        """One batch of mutants: their rows (M,), windows and difference (rows, 4) of the sequence -> (M, ...)."""
        engine = self.engine
        context = Batch(row, windows, self.reference, engine.backend, engine.dtype, engine.device)
        return engine.plan.run(context, difference, seen)

    def trial(self, edits: Edits, seen: dict[int, Tensor]) -> Tensor:
        """These mutants in one batch; `seen` is filled with the difference of every node."""
        windows = self.engine.plan.spans(edits.span(self.engine.length))
        return self.batch(edits.row, windows, self._difference(edits, windows[self.engine.plan.input.index]), seen)

    def _difference(self, edits: Edits, windows: Windows) -> Tensor:
        """One-hot of the mutants less that of the references, at the windows: (rows, 4)."""
        device = self.engine.device
        if (windows.high - windows.low).max(initial=0) == 1 and len(edits.position) == len(edits):
            kept = windows.high > windows.low
            new, old = edits.alternate[kept], self.codes[edits.row[kept], edits.position[kept]]
        else:
            mutated = edits.apply(self.codes, self.engine.length)
            mutant = windows.mutant(torch.device("cpu")).numpy()
            position = windows.position(torch.device("cpu")).numpy()
            new, old = mutated[mutant, position], self.codes[edits.row[mutant], position]
        table = self.engine.encode(np.arange(5, dtype=np.uint8)[None])[0].T
        both = torch.from_numpy(np.stack([new, old])).to(device).long()
        return table[both[0]] - table[both[1]]

    def _bounds(self, floats: np.ndarray) -> list[tuple[int, int]]:
        """Batches whose numbers fit into the caches of a CPU, or into a share of the memory."""
        engine = self.engine
        memory = available_bytes(engine.device) / engine.dtype.itemsize / 8
        budget = min(memory, CACHE_FLOATS) if engine.device.type == "cpu" else memory
        least = TAIL_ROWS if engine.plan.heavy_tail else 1
        bounds, a, total = [], 0, 0.0
        for i, size in enumerate(floats.tolist()):
            if i > a and (total + size > memory or (total + size > budget and i - a >= least)):
                bounds.append((a, i))
                a, total = i, 0.0
            total += size
        return [*bounds, (a, len(floats))] if len(floats) else []


_engines: weakref.WeakKeyDictionary[nn.Module, dict] = weakref.WeakKeyDictionary()


def incremental(
    model: Model | Ensemble,
    output: Output | None = None,
    *,
    carry: bool = True,
    check: bool = True,
    dtype: torch.dtype | None = None,
    backend: Backend | None = None,
) -> Incremental:
    """The engine of a model and an output; it is kept, and made again when the weights have changed.

    output: which numbers, (N, number of outputs); every one of zoo.outputs.Output.every where it is not given.
    """
    from zoo.outputs import Output
    from zoo.testing.samples import shape_of

    output = output or Output.every(model.spec)
    key = output, carry, check, dtype, backend
    state = tuple((id(p), p.data_ptr(), p._version, p.device, p.dtype) for p in (*model.parameters(), *model.buffers()))
    kept = _engines.setdefault(model, {})
    if key not in kept or kept[key][0] != state:
        fields = model.input_fields
        if "one_hot" not in fields:
            raise ContractError(
                f"model {model.spec.name!r} reads {', '.join(fields)} and no sequence: there are no edits"
            )
        length = model.spec.input_length
        required = {k: f for k, f in fields.items() if f.required}
        shapes = {k: shape_of(f, 1, length // f.bin_size)[1:] for k, f in required.items()}
        alive = weakref.ref(model)
        engine = Incremental(
            model,
            lambda inputs: output.of(alive(), inputs),
            shapes,
            n_encoding=model.spec.n_encoding,
            integers=[k for k, f in required.items() if f.values == "class"],
            carry=carry,
            check=check,
            dtype=dtype,
            backend=backend,
        )
        kept[key] = state, engine
    return kept[key][1]


def _on_rows(edits: Edits, row: np.ndarray) -> Edits:
    return replace(edits, row=np.asarray(row, np.int64).reshape(-1))


@contextmanager
def _one_thread_each(threads: int) -> Iterator[None]:
    """Torch works on one thread in each of ours."""
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
