"""How much a filter matters: the change of the output when the filter is ablated.

    f(x) - f(x with the filter's activation replaced by its mean)      standard deviation over the sequences

A filter with a clear motif may be ignored by the layers above, and a filter without a clear motif may carry
the prediction.  This is an ablation: two redundant filters both look unimportant.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.errors import ConfigError
from zoo_motifs.filters import FilterMotif, FirstLayer, filter_name, first_convolution, members

if TYPE_CHECKING:
    from torch import Tensor

    from zoo.model import Model
    from zoo.outputs import Output


@dataclass(frozen=True)
class Importance:
    """What the ablation of one filter does to the output.

    change: standard deviation over sequences of the change, mean over outputs.
    drop: mean change, output less output without the filter: above 0 for a filter that raises the output.
    """

    change: float
    drop: float


def ablate_filters(
    model: Model,
    codes: np.ndarray,
    output: Output,
    filters: Iterable[FilterMotif],
    *,
    advance: Callable[[int], None] | None = None,
) -> dict[str, Importance]:
    """{name of a filter: Importance} on codes (N, L) uint8.

    An ablated filter has its mean pre-activation over these sequences and positions, everywhere; with a tied
    convolution its other strand too.  In an ensemble the filter is ablated in its own member, and the change is
    that of the ensemble.  output: one or several; changes are averaged over them.
    advance: called with 1 after each filter.

    Raises ConfigError for a model that reads more than a sequence.
    """
    import torch

    from zoo.prediction.inference import batch_rows, inferring

    needed = [k for k, f in model.input_fields.items() if f.required and k != "one_hot"]
    if needed:
        raise ConfigError(f"model {model.spec.name!r} reads {', '.join(needed)} too: its filters cannot be ranked here")
    by_member: dict[int, list[FilterMotif]] = {}
    for motif in filters:
        by_member.setdefault(motif.member, []).append(motif)
    each = members(model)
    layers = {m: first_convolution(each[m]) for m in by_member}
    rows = batch_rows(codes.shape[1], model.device.type)
    batches = [torch.from_numpy(np.ascontiguousarray(codes[i : i + rows])) for i in range(0, len(codes), rows)]
    changes: dict[str, Importance] = {}
    with inferring(model):
        outputs, recorded = [], {}
        for m, member in enumerate(each):
            with _record(layers.get(m)) as recorded[m]:
                outputs.append([member({"codes": b.to(model.device)}) for b in batches])
        whole = _average(model, output, outputs)
        for m, group in by_member.items():
            for motif in group:
                with _ablate(layers[m], motif.index, recorded[m]):
                    ablated = [each[m]({"codes": b.to(model.device)}) for b in batches]
                change = whole - _average(model, output, [*outputs[:m], ablated, *outputs[m + 1 :]])
                changes[filter_name(motif.index, m, len(each))] = Importance(
                    float(change.std(0, correction=0).mean()), float(change.mean())
                )
                if advance:
                    advance(1)
    return changes


def _average(model: Model, output: Output, outputs: list[list[dict[str, Tensor]]]) -> Tensor:
    """Outputs of members by batch -> (N, number of outputs): the mean of the members, then the activation."""
    import torch

    from zoo.model import activate

    parts = []
    for batch in zip(*outputs, strict=True):
        mean = {head: torch.stack([member[head] for member in batch]).mean(0) for head in batch[0]}
        parts.append(output.select(mean if output.raw else activate(mean, model.spec)))
    return torch.cat(parts).double()


@dataclass
class _Recorded:
    """Every output of the first layer in the order of the calls, and the mean of each channel of the pre-activation."""

    outputs: list[Tensor]
    sums: Any = 0.0
    positions: int = 0

    def add(self, module, inputs, out: Tensor) -> None:
        self.sums = self.sums + out.sum((0, 2))
        self.positions += out.shape[0] * out.shape[2]

    @property
    def means(self) -> Tensor:
        """(channels,)"""
        return self.sums / self.positions


@contextmanager
def _record(layer: FirstLayer | None) -> Iterator[_Recorded]:
    """Record the first layer's outputs inside the context."""
    recorded = _Recorded([])
    if layer is None:
        yield recorded
        return
    keep = layer.convolution.register_forward_hook(lambda module, inputs, out: recorded.outputs.append(out))
    with keep, layer.module.register_forward_hook(recorded.add):
        yield recorded


@contextmanager
def _ablate(layer: FirstLayer, index: int, recorded: _Recorded) -> Iterator[None]:
    """Hold a filter, and its other strand, at its mean inside the context; the convolution is replayed."""
    channels = [index, len(recorded.means) - 1 - index] if layer.tied else [index]
    read = iter(recorded.outputs)

    def replace(module, inputs, out: Tensor) -> Tensor:
        changed = out.clone()
        changed[:, channels] = recorded.means[channels][:, None]
        return changed

    setattr(layer.convolution, "forward", lambda x: next(read))  # noqa: B010  # put back below
    try:
        with layer.module.register_forward_hook(replace):
            yield
    finally:
        del layer.convolution.forward
