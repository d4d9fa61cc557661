"""Strand consistency: does a model predict the same from both strands?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from zoo.data.source import OF_LABELS

if TYPE_CHECKING:
    from torch import Tensor

    from zoo.model import Model


def strand_error(model: Model, batch: Mapping[str, Any], averaged: bool = False) -> tuple[float, float]:
    """(largest error of any head, smallest standard deviation of any head), see `strand_errors`."""
    errors = strand_errors(model, batch, averaged).values()
    return max(error for error, _ in errors), min(spread for _, spread in errors)


def strand_errors(model: Model, batch: Mapping[str, Any], averaged: bool = False) -> dict[str, tuple[float, float]]:
    """{head: (max |f(rc x) - flip f(x)|, sd of f over the batch)}, before the activation, in eval mode.

    batch: {codes (N, L) uint8, ...} as tensors or arrays; targets are ignored.
    averaged: leave on the averaging over both strands, which makes any model symmetric.
    An error says something only beside a standard deviation well above it.
    """
    import torch

    inputs = {k: torch.as_tensor(v).to(model.device) for k, v in batch.items() if not k.startswith(OF_LABELS)}
    with _as_it_is(model, averaged), torch.inference_mode():
        here, there = model(inputs), model(model.flip(inputs))
        fields = {head: field for head, (field, _) in model.spec.outputs.items()}
        return {head: _compare(here[head], fields[head].flip(there[head])) for head in here}


@contextmanager
def _as_it_is(model: Model, averaged: bool) -> Iterator[None]:
    """Eval mode, and unless `averaged` the network without its mean over strands; both restored."""
    members = [model, *getattr(model, "members", ())]
    specs, training = [m.spec for m in members], model.training
    model.eval()
    try:
        for member in members:
            if not averaged:
                member.spec = member.spec.replace(conjoined=False)
        yield
    finally:
        model.train(training)
        for member, spec in zip(members, specs, strict=True):
            member.spec = spec


def _compare(here: Tensor, there: Tensor) -> tuple[float, float]:
    here, there = here.double(), there.double()
    spread = here.std(0).mean() if len(here) > 1 else here.new_zeros(())
    return float((here - there).abs().max()), float(spread)
