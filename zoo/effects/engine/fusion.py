"""Convolution, normalisation, relu and residual sum as one step: each row is then touched once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor

from zoo.effects.engine.rules.convolution import Convolve
from zoo.effects.engine.rules.operation import Operation
from zoo.effects.engine.rules.pointwise import Identity, Relu, Scale, Sum

if TYPE_CHECKING:
    from zoo.effects.engine.plan import Plan


def fuse(plan: Plan) -> None:
    """Join what follows each convolution into it, as long as nothing else reads what lies between."""
    for index in sorted(plan.operations):
        operation = plan.operations.get(index)
        if type(operation) is Convolve and operation.relu is None and len(operation.inputs) == 1:
            _extend(plan, index, operation)


def _extend(plan: Plan, index: int, conv: Convolve) -> None:
    weight, relu, inputs, gone = conv.weight, None, conv.inputs, []
    at = index
    while (following := _only_user(plan, at)) is not None:
        user, step = following
        factor = step.factor if type(step) is Scale else None
        n_axes = factor.dim() if isinstance(factor, Tensor) else 0
        if factor is not None and relu is None and n_axes < 2:
            weight = weight * (factor.repeat(len(conv.shifts)) if isinstance(factor, Tensor) and n_axes else factor)
        elif type(step) is Relu and relu is None:
            relu = plan.values[at]
        elif type(step) is Sum and step.sign == 1 and step.inputs[0] is not step.inputs[1]:
            other = next(v for v in step.inputs if v.index != at)
            inputs = (conv.inputs[0], other)
            gone.append(at)
            at = user
            break
        elif type(step) is not Identity:
            break
        gone.append(at)
        at = user
    if not gone:
        return
    for i in gone:
        del plan.operations[i]
    fused = Convolve(
        inputs,
        (relu,) if relu is not None else (),
        plan.values[at].layout,
        conv.work,
        weight=weight,
        shifts=conv.shifts,
        relu=relu,
    )
    fused.index = at
    plan.operations[at] = fused


def _only_user(plan: Plan, index: int) -> tuple[int, Operation] | None:
    users = plan.graph.nodes[index].users
    if len(users) != 1 or index == plan.graph.output or users[0] not in plan.operations:
        return None
    return users[0], plan.operations[users[0]]
