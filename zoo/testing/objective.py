"""The objective's contract."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from zoo.fields import Field
from zoo.interfaces import Objective
from zoo.testing.report import Check, Refused, Unmeasured, measure
from zoo.testing.samples import fresh_module, sample_field

_EXAMPLES = 12
_POSITIONS = 8


def check_objective(
    objective: Objective | Callable[[], Objective],
    *,
    target: Field,
    head: str = "output",
    in_channels: int = 8,
) -> list[Check]:
    """Measure every promise of an objective; it is left as it was.

    target: what the labels are; class ids need a vocabulary.
    head: name of the head that it was built for.
    in_channels: D of the embedding.
    """
    made: list[Objective] = []
    interface = measure("interface", lambda: _interface(objective, made))
    if not interface.ok:
        return [interface]
    built = made[0].eval()
    batch, prediction, embedding = _case(target, head, in_channels)
    parts = measure("parts", lambda: _parts(built, prediction, batch, embedding))
    if not parts.ok:
        return [interface, parts]
    return [
        interface,
        parts,
        measure("target range", lambda: _target_range(built, batch[f"target/{head}"], target)),
        measure("gradient reaches the model", lambda: _gradient(built, prediction, batch, embedding)),
        measure("empty mask", lambda: _empty(built, prediction, batch, embedding, head)),
        measure("missing labels", lambda: _missing(built, prediction, batch, embedding, head)),
        measure("additive", lambda: _additive(built, prediction, batch, embedding)),
    ]


def _case(target: Field, head: str, in_channels: int) -> tuple[dict[str, Tensor], dict[str, Tensor], Tensor]:
    generator = torch.Generator().manual_seed(0)
    y = sample_field(target, _EXAMPLES, _POSITIONS, generator)
    weight = torch.rand(y.shape, generator=generator) + 0.5
    batch = {
        f"target/{head}": y,
        f"weight/{head}": weight,
        "domain": torch.randint(2, (_EXAMPLES,), generator=generator),
        "covariates": torch.randn(_EXAMPLES, 2, generator=generator),
    }
    shape = y.shape if target.values != "class" else (len(y), len(target.vocabulary), *y.shape[1:])
    x = torch.randn(shape, generator=generator)
    return batch, {head: x}, torch.randn(_EXAMPLES, in_channels, _POSITIONS, generator=generator)


def _interface(objective: Objective | Callable[[], Objective], made: list[Objective]) -> str:
    built = fresh_module(objective)
    if not isinstance(built, Objective):
        raise Refused(f"{type(built).__name__} is no zoo.Objective")
    from zoo.spec import ACTIVATIONS

    if built.activation is not None and built.activation not in ACTIVATIONS:
        raise Refused(f"activation {built.activation!r} must be one of {', '.join(ACTIVATIONS)}, or None")
    made.append(built)
    return f"{type(built).__name__}, activation {built.activation}"


def _parts(objective: Objective, prediction: Mapping, batch: Mapping, embedding: Tensor) -> str:
    parts, weights = objective(prediction, batch, embedding), objective.weights(batch)
    if set(parts) != set(weights) or not parts:
        raise Refused(f"forward gives the parts {sorted(parts)} but weights gives {sorted(weights)}")
    for part, (total, weight) in parts.items():
        if total.shape != () or weight.shape != () or not total.isfinite() or not weight.isfinite():
            raise Refused(f"part {part} must be two finite scalars, not {total} and {weight}")
        if not torch.allclose(weight, weights[part]):
            raise Refused(f"part {part} weighs {float(weight):g} in forward but {float(weights[part]):g} in weights")
    return ", ".join(parts)


def _target_range(objective: Objective, labels: Tensor, target: Field) -> str:
    """Labels of the kind that it is measured with lie inside what it states."""
    if not hasattr(objective, "target_range"):
        raise Unmeasured("states no target_range, so that training refuses no label: zoo/objectives/target_range.py")
    takes = getattr(objective, "target_range", None)
    if takes is None:
        return "reads no target"
    if not takes.allows(target.values, float(labels.min()), float(labels.max())):
        raise Refused(f"takes {takes.labels}, but not the {target.values} labels that its activation is meant for")
    return takes.labels


def _gradient(objective: Objective, prediction: Mapping, batch: Mapping, embedding: Tensor) -> str:
    leaves = {k: x.clone().requires_grad_() for k, x in prediction.items()}
    features = embedding.clone().requires_grad_()
    total = sum(s for s, _ in objective(leaves, batch, features).values())
    gradients = torch.autograd.grad(total, [*leaves.values(), features], allow_unused=True)
    reached = [k for k, g in zip([*leaves, "embedding"], gradients, strict=True) if g is not None and (g != 0).any()]
    if not reached:
        raise Refused("no gradient reaches the prediction or the embedding")
    return ", ".join(reached)


def _empty(objective: Objective, prediction: Mapping, batch: Mapping, embedding: Tensor, head: str) -> str:
    """Nothing labelled: the same parts, weight 0, sum 0."""
    empty = _unlabelled(batch, head, torch.ones(_EXAMPLES, dtype=torch.bool))
    full, parts = objective(prediction, batch, embedding), objective(prediction, empty, embedding)
    if set(parts) != set(full):
        raise Refused(f"the parts {sorted(full)} become {sorted(parts)} under an empty mask: keep the keys")
    for part, (total, weight) in parts.items():
        total = total.detach()
        if float(weight) != 0 or float(total) != 0:
            raise Refused(
                f"part {part} is {float(total):g} of weight {float(weight):g} under an empty mask, not 0 of 0"
            )
    return "weight 0, keys kept"


def _missing(objective: Objective, prediction: Mapping, batch: Mapping, embedding: Tensor, head: str) -> str:
    """An example without labels counts as if it were not there, and its gradient is 0."""
    gone = torch.arange(_EXAMPLES) % 3 == 0
    masked = _unlabelled(batch, head, gone)
    present = {k: x[~gone] for k, x in batch.items()}
    kept = objective({k: x[~gone] for k, x in prediction.items()}, present, embedding[~gone])
    leaves = {k: x.clone().requires_grad_() for k, x in prediction.items()}
    parts = objective(leaves, masked, embedding)
    for part, (total, weight) in parts.items():
        if not _agree(total, kept[part][0]) or not _agree(weight, kept[part][1]):
            raise Refused(
                f"part {part} is {float(total):g} of weight {float(weight):g} with missing labels, "
                f"{float(kept[part][0]):g} of {float(kept[part][1]):g} without these examples"
            )
    summed = torch.stack([s for s, _ in parts.values()]).sum()
    for key, g in zip(
        leaves,
        torch.autograd.grad(summed, list(leaves.values()), allow_unused=True) if summed.requires_grad else (),
        strict=False,
    ):
        if g is not None and (g[gone] != 0).any():
            raise Refused(f"a missing label sends a gradient to {key}")
    return "count as absent"


def _additive(objective: Objective, prediction: Mapping, batch: Mapping, embedding: Tensor) -> str:
    whole = objective(prediction, batch, embedding)
    half = _EXAMPLES // 2
    pieces = [
        objective({k: x[s] for k, x in prediction.items()}, {k: x[s] for k, x in batch.items()}, embedding[s])
        for s in (slice(half), slice(half, None))
    ]
    apart = {part: sum(piece[part][0] for piece in pieces) for part in whole}
    wrong = [part for part, (total, _) in whole.items() if not _agree(apart[part], total)]
    if objective.additive and wrong:
        raise Refused(
            f"part {wrong[0]} of two halves adds up to {float(apart[wrong[0]]):g}, not {float(whole[wrong[0]][0]):g}: "
            "give sums, or declare additive = False"
        )
    if not objective.additive and not wrong:
        raise Refused("declared additive = False, but two halves add up to the whole: let it accumulate")
    return "halves add up" if objective.additive else "not additive, as declared"


def _unlabelled(batch: Mapping[str, Tensor], head: str, rows: Tensor) -> dict[str, Tensor]:
    made = {k: x.clone() for k, x in batch.items()}
    for key in (f"target/{head}", "domain", "covariates"):
        x = made[key]
        if x.is_floating_point():
            x[rows] = math.nan
        else:
            x[rows] = -1
    return made


def _agree(a: Tensor, b: Tensor) -> bool:
    return bool(torch.allclose(a, b, rtol=1e-4, atol=1e-5))
