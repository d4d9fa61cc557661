"""Incremental inference against full inference, for any module that reads a sequence."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import torch
from torch import Tensor, nn

from zoo.data.edits import Edits
from zoo.effects.engine.incremental import Incremental
from zoo.fields import Field
from zoo.testing.report import Refused
from zoo.testing.samples import sample

TOLERANCE = 1e-9
MUTANTS = 96


def agrees(
    module: nn.Module, function: Callable[[Mapping[str, Tensor]], Tensor], fields: Mapping[str, Field], length: int
) -> str:
    """Effects of substitutions, of a pair and of a deletion, both ways in float64; says how far they were carried.

    function: inputs {key: (N, ...)} of `fields` -> (N, K), in eval mode.  Raises Refused where they differ by
    more than 1e-9 of the largest value.
    """
    shapes = {k: f.shape(1, length // f.bin_size)[1:] for k, f in fields.items()}
    integers = [k for k, f in fields.items() if f.values == "class"]
    engine = Incremental(module, function, shapes, integers=integers, check=False, dtype=torch.float64)
    random = np.random.default_rng(0)
    codes = random.integers(0, 4, (2, length)).astype(np.uint8)
    others = {k: f for k, f in fields.items() if k != "one_hot"}
    inputs = {k: x for k, x in sample(others, 2, length).items() if k in others}
    single = Edits.substitutions(codes)
    single = single[np.sort(random.choice(len(single), min(MUTANTS, len(single)), replace=False))]
    rim, middle = length - 1, length // 2
    sets = Edits.sets([[(0, 1, "A"), (rim, 1, "C")], [(middle, 1, "")], [(middle // 2, 2, "GT")]], rows=[0, 1, 1])
    worst = 0.0
    for edits in (single, sets):
        row = torch.from_numpy(edits.row)
        mutated = engine.full(edits.apply(codes), {k: x[row] for k, x in inputs.items()})
        truth = mutated - engine.full(codes, inputs)[row]
        found = engine.effects(codes, edits, inputs=inputs)
        worst = max(worst, float((found - truth).abs().max() / mutated.abs().max().clamp(min=1)))
        if not worst <= TOLERANCE:
            raise Refused(f"differs from full inference by {worst:.2g} of the largest value: {engine.report}")
    if engine.plan is None:
        return f"cannot be recorded, so every mutant is computed in full: {engine.refused}"
    first = engine.plan.first_full
    carried = "carried to the end" if first is None else f"in full from {first.layer or 'the model'} ({first.name}) on"
    return f"{carried}, differs by {worst:.1g}"
