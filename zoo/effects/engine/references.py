"""`At`: the engine at some references.  Mutants are sorted, cut into batches and carried, or computed in full."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from zoo.data.edits import Edits
from zoo.effects.engine.batch import Batch
from zoo.effects.engine.memory import available_bytes
from zoo.effects.engine.precision import as_type, full_precision
from zoo.effects.engine.windows import Windows
from zoo.errors import ContractError

if TYPE_CHECKING:
    from zoo.effects.engine.incremental import Incremental

CHUNK = 8192
CACHE_FLOATS = 1 << 22
TAIL_ROWS = 64
WORTH = 0.8


class At:
    """An engine at some references.

    output: (R, ...) of the references.
    """

    def __init__(self, engine: Incremental, codes: np.ndarray, inputs: dict[str, Tensor]):
        if codes.ndim != 2 or codes.shape[1] < engine.length:
            raise ContractError(
                f"references of shape {codes.shape} must be (R, L) with L of at least {engine.length:,} bp"
            )
        engine.check_inputs(inputs)
        self.engine, self.codes, self.inputs = engine, codes, inputs
        if engine.plan is None:
            self.output = engine.full(codes[:, : engine.length], inputs)
        else:
            given = {k: as_type(x.to(engine.device), engine.dtype) for k, x in inputs.items()}
            with torch.inference_mode(), full_precision(engine.device):
                sequence = engine.encode(codes[:, : engine.length])
                self.plan, self.reference = engine.plan, engine.plan.reference({**given, engine.sequence: sequence})
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
        first = windows[self.plan.input.index].first
        whole = self._difference(edits, windows[self.plan.input.index]) if first[-1] <= CHUNK * 4 else None

        def run(bound: tuple[int, int]) -> int:
            a, b = bound
            part = {i: w.part(a, b) for i, w in windows.items()}
            with torch.inference_mode():
                if whole is not None:
                    out[a:b] = self.batch(edits.row[a:b], part, whole[first[a] : first[b]])
                else:
                    mutants = edits[a:b]
                    out[a:b] = self.batch(mutants.row, part, self._difference(mutants, part[self.plan.input.index]))
            return b - a

        threads = torch.get_num_threads() if engine.device.type == "cpu" else 1
        if threads == 1 or len(bounds) < 2 * threads:
            with full_precision(engine.device):
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
        return self.plan.run(context, difference, seen)

    def trial(self, edits: Edits, seen: dict[int, Tensor]) -> Tensor:
        """These mutants in one batch; `seen` is filled with the difference of every node."""
        windows = self.plan.spans(edits.span(self.engine.length))
        return self.batch(edits.row, windows, self._difference(edits, windows[self.plan.input.index]), seen)

    def _difference(self, edits: Edits, windows: Windows) -> Tensor:
        """One-hot of the mutants less that of the references, at the windows: (rows, 4)."""
        device = self.engine.device
        if edits.are_substitutions:
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
        least = TAIL_ROWS if self.plan.heavy_tail else 1
        bounds, a, total = [], 0, 0.0
        for i, size in enumerate(floats.tolist()):
            if i > a and (total + size > memory or (total + size > budget and i - a >= least)):
                bounds.append((a, i))
                a, total = i, 0.0
            total += size
        return [*bounds, (a, len(floats))] if len(floats) else []


@contextmanager
def _one_thread_each(threads: int) -> Iterator[None]:
    """Torch works on one thread in each of ours."""
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
