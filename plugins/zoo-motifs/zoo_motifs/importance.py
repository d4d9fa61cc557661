"""How much a filter matters: what becomes of the output when the filter is silenced.

    f(x) - f(x with the filter's answer replaced by its mean)      mean of the absolute value over the sequences

A filter that answers to a clear motif may be ignored by the layers above, and a filter without a clear motif may carry
the prediction.  The measure is a lesion: two filters that stand in for each other both look unimportant.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from zoo.errors import ConfigError
from zoo_motifs.filters import FilterMotif, FirstLayer, filter_name, first_convolution, members

if TYPE_CHECKING:
    from torch import Tensor

    from zoo.model import Model
    from zoo.outputs import Output

__all__ = ["Importance", "importance"]


@dataclass(frozen=True)
class Importance:
    """What silencing one filter does to the output.

    change: mean absolute change over sequences and outputs.
    drop: mean signed change, output less output without the filter: above 0 for a filter that raises the output.
    """

    change: float
    drop: float


def importance(
    model: Model,
    codes: np.ndarray,
    output: Output,
    filters: Iterable[FilterMotif],
    *,
    advance: Callable[[int], None] | None = None,
) -> dict[str, Importance]:
    """{name of a filter: Importance} on codes (N, L) uint8.

    A silenced filter answers its mean pre-activation over these sequences and positions, everywhere; with a tied
    convolution its other strand does too.  In an ensemble the filter is silenced in its own member, and the change is
    that of the ensemble.  output: one or several; changes are averaged over them.
    advance: called with 1 after each filter.

    Raises ConfigError for a model that reads more than a sequence.
    """
    import torch

    from zoo.prediction.inference import batch_rows, inferring

    needed = [k for k, f in model.input_fields.items() if f.required and k != "one_hot"]
    if needed:
        raise ConfigError(f"model {model.spec.name!r} reads {', '.join(needed)} too: its filters cannot be ranked here")
    wanted: dict[int, list[FilterMotif]] = {}
    for motif in filters:
        wanted.setdefault(motif.member, []).append(motif)
    each = members(model)
    layers = {m: first_convolution(each[m]) for m in wanted}
    rows = batch_rows(codes.shape[1], model.device.type)
    batches = [torch.from_numpy(np.ascontiguousarray(codes[i : i + rows])) for i in range(0, len(codes), rows)]
    found: dict[str, Importance] = {}
    with inferring(model):
        answers, kept = [], {}
        for m, member in enumerate(each):
            with _recording(layers.get(m)) as kept[m]:
                answers.append([member({"codes": b.to(model.device)}) for b in batches])
        whole = _joined(model, output, answers)
        for m, group in wanted.items():
            for motif in group:
                with _silenced(layers[m], motif.index, kept[m]):
                    lesioned = [each[m]({"codes": b.to(model.device)}) for b in batches]
                change = whole - _joined(model, output, [*answers[:m], lesioned, *answers[m + 1 :]])
                found[filter_name(motif.index, m, len(each))] = Importance(
                    float(change.std(0, correction=0).mean()), float(change.mean())
                )
                if advance:
                    advance(1)
    return found


def _joined(model: Model, output: Output, answers: list[list[dict[str, Tensor]]]) -> Tensor:
    """Answers of members by batch -> (N, number of outputs): the mean of the members, then the activation."""
    import torch

    from zoo.model import activate

    parts = []
    for batch in zip(*answers, strict=True):
        mean = {head: torch.stack([answer[head] for answer in batch]).mean(0) for head in batch[0]}
        parts.append(output.select(mean if output.raw else activate(mean, model.spec)))
    return torch.cat(parts).double()


@dataclass
class _Kept:
    """Every output of the first layer in the order of the calls, and the mean of each channel of the pre-activation."""

    outputs: list[Tensor]
    sums: Tensor | float = 0.0
    positions: int = 0

    @property
    def means(self) -> Tensor:
        """(channels,)"""
        return self.sums / self.positions


@contextmanager
def _recording(layer: FirstLayer | None) -> Iterator[_Kept]:
    """Keep what the first layer says inside."""
    kept = _Kept([])

    def add(module, given, out: Tensor) -> None:
        kept.sums = kept.sums + out.sum((0, 2))
        kept.positions += out.shape[0] * out.shape[2]

    if layer is None:
        yield kept
        return
    hooks = [
        layer.convolution.register_forward_hook(lambda module, given, out: kept.outputs.append(out)),
        layer.module.register_forward_hook(add),
    ]
    try:
        yield kept
    finally:
        for hook in hooks:
            hook.remove()


@contextmanager
def _silenced(layer: FirstLayer, index: int, kept: _Kept) -> Iterator[None]:
    """A filter, and its other strand, says its mean inside; the convolution is not computed again but read out."""
    channels = [index, len(kept.means) - 1 - index] if layer.tied else [index]
    read = iter(kept.outputs)

    def replace(module, given, out: Tensor) -> Tensor:
        changed = out.clone()
        changed[:, channels] = kept.means[channels][:, None]
        return changed

    hook = layer.module.register_forward_hook(replace)
    layer.convolution.forward = lambda x: next(read)
    try:
        yield
    finally:
        del layer.convolution.forward
        hook.remove()
