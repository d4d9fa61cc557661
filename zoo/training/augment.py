"""Shift and reverse complement of a batch, on its device, inputs and targets alike."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor

from zoo.fields import CODES, Field
from zoo.spec import ModelSpec
from zoo.training.loader import REVERSE, START


def batch_fields(inputs: Mapping[str, Field], targets: Mapping[str, Field]) -> dict[str, Field]:
    """The field of every key of a batch that moves with the sequence: codes, inputs, targets and what stands beside."""
    fields = {"codes": CODES, **inputs}
    for name, field in targets.items():
        fields[f"target/{name}"] = field
        by_channel = field.rc if field.channel_axis is not None else None
        for beside in ("weight", "variance"):
            fields[f"{beside}/{name}"] = replace(field, values="real", vocabulary=(), rc=by_channel)
    return fields


def shift_step(fields: Mapping[str, Field]) -> int:
    """bp that a shift must be a multiple of: whole bins of everything that has positions."""
    return math.lcm(*(field.bin_size for field in fields.values() if field.position_axes))


def augment(batch: Mapping[str, Tensor], fields: Mapping[str, Field], margin: int = 0) -> dict[str, Tensor]:
    """Crop every example at its own start, then turn around those that are to be reversed.

    batch: as the loader makes it, codes (N, L + 2 * margin); the keys `augment/...` are taken out.
    Returns the batch with codes (N, L), and inputs, targets and weights moved and turned with them.
    """
    batch = dict(batch)
    start, reverse = batch.pop(START, None), batch.pop(REVERSE, None)
    for key, field in fields.items():
        if key not in batch:
            continue
        if start is not None:
            batch[key] = _crop(batch[key], field, start, margin)
        if reverse is not None:
            batch[key] = _turn(batch[key], field, reverse)
    return batch


def crop_targets(batch: Mapping[str, Tensor], fields: Mapping[str, Field], spec: ModelSpec) -> dict[str, Tensor]:
    """Targets, their weights and variances at the positions that a cropping head predicts.

    Only targets that cover the whole window of `spec.input_length` bp are cropped; what has the prediction's
    positions already, or belongs to a window of another length, stays as it is.
    """
    batch = dict(batch)
    for head, (_, grid) in spec.outputs.items():
        for key in (f"target/{head}", f"weight/{head}", f"variance/{head}"):
            field = fields.get(key)
            if key not in batch or field is None or grid is None or grid.bin_size != field.bin_size:
                continue
            for axis in field.position_axes:
                bins = batch[key].shape[axis] if axis < batch[key].dim() else 0
                if bins > grid.length and bins * field.bin_size == spec.input_length:
                    batch[key] = batch[key].narrow(axis, grid.offset // grid.bin_size, grid.length)
    return batch


def _crop(x: Tensor, field: Field, start: Tensor, margin: int) -> Tensor:
    """x (N, *axes) with `margin` bp too many on each side of every T -> from `start` (N,) bp on."""
    drop = 2 * margin // field.bin_size
    for axis in field.position_axes:
        if axis >= x.dim() or x.shape[axis] == 1:
            continue
        kept = torch.arange(x.shape[axis] - drop, device=x.device) + (start // field.bin_size)[:, None]
        shape = [len(x) if i == 0 else kept.shape[1] if i == axis else 1 for i in range(x.dim())]
        sizes = [kept.shape[1] if i == axis else n for i, n in enumerate(x.shape)]
        x = x.gather(axis, kept.view(shape).expand(sizes))
    return x


def _turn(x: Tensor, field: Field, reverse: Tensor) -> Tensor:
    """x (N, *axes) with the examples where `reverse` (N,) flipped.

    A weight may have size 1 where its target has more, and lack the last axes.
    """
    shape = x.shape
    x = x.reshape(*shape, *[1] * (len(field.axes) + 1 - x.dim()))
    axis = field.channel_axis
    if axis is not None and field.rc is not None and x.shape[axis] != len(field.rc):
        field = replace(field, rc=None)
    return torch.where(reverse.view(-1, *[1] * (x.dim() - 1)), field.flip(x), x).reshape(shape)
