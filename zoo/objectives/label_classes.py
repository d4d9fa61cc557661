"""The class that each example's label puts it in, for terms that compare like with like.

target/<head> (N, C) of 0 and 1, or ids (N,) -> classes (N, C) or (N, 1), -1 where the label is missing
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from zoo.errors import ContractError


def label_classes(batch: Mapping[str, Tensor], head: str, part: str) -> Tensor:
    """(N, C) int64: for every task whether the label is 0 or 1 (from 0.5 on), or the class id; -1 where it is missing,
    NaN or of weight 0.

    part: the term that asks, for its error.
    Raises ContractError where the batch has no such target, or one with positions, which gives an example no class.
    """
    if has_positions(batch, head):
        raise ContractError(
            f"{part} compares examples of one class, but the labels of {head!r} are given by position, "
            f"{tuple(batch[f'target/{head}'].shape)}: set conditional=false, or within=none of confounder_penalty"
        )
    y = known_labels(batch, head, part)
    if batch[f"target/{head}"].is_floating_point():
        y = torch.where(y.isnan(), y, (y >= 0.5).float())
    return torch.nan_to_num(y, nan=-1.0).long()


def known_labels(batch: Mapping[str, Tensor], head: str, part: str) -> Tensor:
    """(N, C) labels, the mean over positions where they have some; NaN where missing or of weight 0; ids (N, 1)."""
    key = f"target/{head}"
    if key not in batch:
        raise ContractError(f"the batch has no {key!r}, by whose labels {part} groups its rows")
    y, weight = batch[key], batch.get(f"weight/{head}")
    y = y.float() if y.is_floating_point() else torch.where(y < 0, torch.nan, y.float())
    if weight is not None:
        y = torch.where(weight.reshape(weight.shape + (1,) * (y.dim() - weight.dim())) > 0, y, torch.nan)
    return y.flatten(2).nanmean(2) if y.dim() > 2 else y.reshape(len(y), -1)


def has_positions(batch: Mapping[str, Tensor], head: str) -> bool:
    """Whether the labels of a head are given by position: (N, C, T, ...) values, or (N, T) class ids."""
    y = batch.get(f"target/{head}")
    return y is not None and y.dim() > (2 if y.is_floating_point() else 1)
