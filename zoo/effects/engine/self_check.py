"""A random sample of mutants against full inference of the model itself, in float64."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from zoo.effects.engine.precision import as_type, in_precision
from zoo.errors import ContractError

if TYPE_CHECKING:
    from zoo.data.edits import Edits
    from zoo.effects.engine.incremental import Incremental
    from zoo.effects.engine.references import At

EVERY = 4096
TOLERANCE = {torch.float64: 1e-9}
FLOAT32 = 1e-5


class Disagreement(ContractError):
    """Incremental and full inference of one mutant differ."""


class SelfCheck:
    """Two mutants of the first call, then one of every few thousand.

    Tolerance: 1e-5 max(1, |f|) for an engine of float32, 1e-9 max(1, |f|) for float64.
    """

    def __init__(self, engine: Incremental, seed: int = 0):
        self.engine = engine
        self.checked = 0
        self._owed = 2.0
        self._random = np.random.default_rng(seed)

    def __call__(self, at: At, edits: Edits, effects: Tensor) -> None:
        """Raises Disagreement, which names the layer."""
        if self.engine.plan is None or not len(edits):
            return
        n = min(len(edits), int(self._owed))
        self._owed += len(edits) / EVERY - n
        if n == 0:
            return
        chosen = self._random.choice(len(edits), n, replace=False)
        sample = edits[chosen]
        truth, value = self._full(at, sample)
        measured = effects[torch.from_numpy(chosen).to(effects.device)].double()
        # Activations beyond the range of a type make differences that no tolerance can judge.
        scale = value.abs().clamp(min=1)
        error = ((measured - truth).abs() / scale).flatten(1).amax(1)
        limit = TOLERANCE.get(self.engine.dtype, FLOAT32)
        wrong = torch.nonzero(~(error <= limit)).flatten().tolist()
        wrong = [i for i in wrong if bool(truth[i].isfinite().all())]
        if wrong and not measured.isfinite().all():
            # Weights that overflow in the engine's own precision overflow in full as well: no effect, but no fault.
            same_type = self._full(at, sample, self.engine.dtype)[0]
            wrong = [i for i in wrong if bool(measured[i].isfinite().all()) or bool(same_type[i].isfinite().all())]
        self.checked += n
        if wrong:
            raise Disagreement(self._blame(at, sample[wrong[:1]], float(error[wrong[0]]), limit))

    def _full(self, at: At, edits: Edits, dtype: torch.dtype = torch.float64) -> tuple[Tensor, Tensor]:
        """Effects and references' outputs of the model, in float64 unless said otherwise: two of (M, ...)."""
        from zoo.prediction.inference import inferring

        engine = self.engine
        row = torch.from_numpy(edits.row)
        rows, inverse = np.unique(edits.row, return_inverse=True)
        codes = np.concatenate([at.codes[rows, : engine.length], edits.apply(at.codes, engine.length)])
        which = torch.cat([torch.from_numpy(rows), row])
        outputs = []
        with in_precision(engine.module, dtype), inferring(engine.module, engine.device):
            for i in range(len(codes)):
                given = {k: as_type(x[which[i : i + 1].to(x.device)], dtype) for k, x in at.inputs.items()}
                given[engine.sequence] = engine.encode(codes[i : i + 1]).to(dtype)
                outputs.append(engine.function(given))
        both = torch.cat(outputs)
        value = both[: len(rows)][torch.from_numpy(inverse.reshape(-1)).to(both.device)]
        return both[len(rows) :] - value, value

    def _blame(self, at: At, edits: Edits, error: float, limit: float) -> str:
        """Which layer's values part first, when one mutant is followed through both."""
        from zoo.effects.engine.plan import Plan
        from zoo.tracing.graph import Weights

        engine = self.engine
        exact = Plan(at.plan.graph, Weights(engine.device, torch.float64), engine.sequence, fused=False)
        given = {k: as_type(x[torch.from_numpy(edits.row).to(x.device)], torch.float64) for k, x in at.inputs.items()}
        old, new = at.codes[edits.row, : engine.length], edits.apply(at.codes, engine.length)
        with torch.inference_mode():
            before, after = (
                exact.reference({**given, engine.sequence: engine.encode(codes).double()}, everything=True).natural
                for codes in (old, new)
            )
            seen: dict[int, Tensor] = {}
            at.trial(edits, seen)
            layer = self._first(at, edits, seen, before, after, limit)
        return (
            f"incremental and full inference differ by {error:.2g} where {limit:.0e} max(1, |f|) is allowed, "
            f"first at {layer}: report it, and use full inference meanwhile (--full, or carry=False)"
        )

    def _first(self, at: At, edits: Edits, seen: dict, before: dict, after: dict, limit: float) -> str:
        plan = at.plan
        windows = plan.spans(edits.span(self.engine.length))
        for index in sorted(seen):
            value, node = plan.values[index], plan.graph.nodes[index]
            if index not in before or not isinstance(seen[index], Tensor):
                continue
            true = after[index] - before[index]
            difference = seen[index].double()
            if value.kind == "full":
                difference = difference - before[index]
            elif value.local:
                rows = value.layout.to_rows(true)
                where = windows[index].position(true.device)
                outside = torch.ones(len(rows), dtype=torch.bool, device=true.device)
                outside[where] = False
                low, high = plan.needed[index]
                outside[:low] = False
                outside[high:] = False
                if outside.any() and rows[outside].abs().max().item() > limit * max(1.0, rows.abs().max().item()):
                    return f"{node.layer or 'the model'} ({node.name}), which changes beyond its window"
                true = rows[where]
            scale = before[index].abs().clamp(min=1).max()
            if true.numel() and float((difference - true).abs().max() / scale) > 10 * limit:
                return f"{node.layer or 'the model'} ({node.name})"
        return "the recording of the model, which does not give what the model gives"
