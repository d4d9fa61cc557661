"""Inputs and weights to measure with: drawn from fields, so that any input of any plugin can be made."""

from __future__ import annotations

import copy
import itertools
import math
from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from zoo.errors import ZooError
from zoo.fields import Field, Grid
from zoo.interfaces import Encoder
from zoo.testing.report import Unmeasured

_LONGEST_TRIED = 16_384
_FREQUENT = (100_000, 196_608, 393_216, 500_000, 1_000_000, 2_097_152)
"""Windows of published networks, tried where an encoder reads one length alone."""


def sample_field(field: Field, n: int, positions: int, generator: torch.Generator) -> Tensor:
    """n random examples of a field, of the type that its values have."""
    shape = field.shape(n, positions)
    match field.values:
        case "one_hot":
            axis = field.channel_axis or 0
            ids = torch.randint(shape[axis], (*shape[:axis], *shape[axis + 1 :]), generator=generator)
            return nn.functional.one_hot(ids, shape[axis]).movedim(-1, axis).float()
        case "class":
            return torch.randint(max(2, len(field.vocabulary)), shape, generator=generator)
        case "code":
            return torch.randint(4, shape, generator=generator).to(torch.uint8)
        case "binary":
            return torch.randint(2, shape, generator=generator).float()
        case "count":
            return torch.poisson(torch.full(shape, 3.0), generator=generator)
        case _:
            return torch.randn(shape, generator=generator)


def sample(inputs: Mapping[str, Field], n: int, length: int, seed: int = 0) -> dict[str, Tensor]:
    """{key: (n, *axes)} for windows of `length` bp, optional inputs present."""
    generator = torch.Generator().manual_seed(seed)
    made = {key: sample_field(f, n, length // f.bin_size, generator) for key, f in inputs.items()}
    made.update({f"present/{key}": torch.ones(n) for key, f in inputs.items() if not f.required})
    return made


def fresh_module(module: nn.Module | Callable[[], nn.Module]) -> nn.Module:
    """A module of its own to measure on: built by the factory, or a copy."""
    return copy.deepcopy(module) if isinstance(module, nn.Module) else module()


def settled(module: nn.Module, run: Callable[[nn.Module], object], seed: int = 0) -> nn.Module:
    """The module as if it had been trained: no weight is zero or equal to its twin by initialisation alone.

    Every weight is moved a little and running statistics see one batch, for a promise that holds only for
    fresh weights is no promise.  Returned in eval mode.
    """
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for p in module.parameters():
            if p.is_floating_point():
                spread = float(p.std()) if p.numel() > 1 else 0.0
                p.add_(torch.randn(p.shape, generator=generator).to(p) * (0.2 * spread or 0.05))
        module.train()
        with torch.random.fork_rng(devices=[]):
            run(module)
    return module.eval()


def valid_length(encoder: Encoder, at_least: int) -> int:
    """The shortest window of `at_least` bp or little more that the encoder accepts; else one that it reads at all."""
    bins = math.lcm(*(f.bin_size for f in encoder.inputs.values() if "T" in f.axes))
    reasons: list[str] = []
    for multiple in (1 << i for i in range(13)):
        step = math.lcm(bins, multiple)
        length = math.ceil(at_least / step) * step
        if _accepts(encoder, length, reasons):
            return length
    lengths = itertools.chain(range(bins, _LONGEST_TRIED, bins), (1 << i for i in range(10, 21)), _FREQUENT)
    length = next((n for n in lengths if _accepts(encoder, n, reasons)), None)
    if length is None:
        raise Unmeasured(f"no window near {at_least:,} bp is accepted ({reasons[0]}): give a length")
    return length


def _accepts(encoder: Encoder, length: int, reasons: list[str]) -> bool:
    """Whether `grid` takes a length; why it does not goes to `reasons`."""
    try:
        grid = encoder.grid(length)
    except ZooError as error:
        reasons.append(str(error))
        return False
    return isinstance(grid, Grid) and grid.length >= 1
