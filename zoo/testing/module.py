"""Promises that encoders and heads share, measured on a function of named tensors."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import Tensor, nn

from zoo.fields import Field
from zoo.testing.report import Check, Refused, Unmeasured, measure
from zoo.testing.samples import sample_field

Call = Callable[[Mapping[str, Tensor]], Tensor]
"""A function of named tensors (N, ...) to one tensor (N, ...)."""

_TOLERANCE = 1e-4


def check_function(call: Call, inputs: Mapping[str, Tensor], must_reach: tuple[str, ...]) -> list[Check]:
    """Determinism, untouched inputs, independence of the batch, and a gradient to every input of `must_reach`.

    call: the module in eval mode.  inputs: {key: (N, ...)} with N >= 4.
    """
    steady = measure("deterministic in eval", lambda: _deterministic(call, inputs))
    return [
        steady,
        measure("inputs are left alone", lambda: _untouched(call, inputs)),
        measure("independent of the batch", lambda: _independent(call, inputs, steady)),
        measure("gradient reaches the input", lambda: _gradient(call, inputs, must_reach)),
    ]


def check_saving(build: Callable[[], nn.Module], run: Callable[[nn.Module], Tensor], steady: bool) -> Check:
    """Weights through safetensors into another instance give the same output to the bit."""
    return measure("saved and loaded to the bit", lambda: _saved(build, run, steady))


def check_fields(fields: Mapping[str, Field]) -> Check:
    """Every field, flipped twice, is what it was."""
    return measure("fields flip and flip back", lambda: _flip(fields))


def close(a: Tensor, b: Tensor) -> tuple[bool, float]:
    """Whether two tensors agree to 1e-4 of their largest value, and the largest difference."""
    if a.shape != b.shape:
        return False, float("inf")
    difference = float((a - b).abs().max()) if a.numel() else 0.0
    return difference <= _TOLERANCE * max(1e-6, float(b.abs().max())), difference


def copied(inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The same tensors in memory of their own."""
    return {k: x.clone() for k, x in inputs.items()}


def _deterministic(call: Call, inputs: Mapping[str, Tensor]) -> str:
    with torch.no_grad():
        first, second = call(copied(inputs)), call(copied(inputs))
    if not torch.equal(first, second):
        raise Refused(f"two runs on one batch differ by {float((first - second).abs().max()):.2g}: eval must not draw")
    return "two runs are equal"


def _untouched(call: Call, inputs: Mapping[str, Tensor]) -> None:
    given = copied(inputs)
    with torch.no_grad():
        call(given)
    changed = [k for k, x in inputs.items() if k not in given or not torch.equal(given[k], x)]
    if changed or set(given) != set(inputs):
        raise Refused(f"{', '.join(changed) or 'the mapping'} was changed by the forward pass: work on a copy")


def _independent(call: Call, inputs: Mapping[str, Tensor], steady: Check) -> str:
    if not steady.ok:
        raise Unmeasured("needs a deterministic forward pass")
    with torch.no_grad():
        whole = call(copied(inputs))
        turned = call({k: x.flip(0) for k, x in inputs.items()}).flip(0)
        alone = torch.cat([call({k: x[i : i + 1].clone() for k, x in inputs.items()}) for i in range(len(whole))])
    for what, other in (("in reverse order", turned), ("one at a time", alone)):
        same, difference = close(other, whole)
        if not same:
            raise Refused(f"examples given {what} differ by {difference:.2g}: an example must not see its neighbours")
    return "order and size of the batch do not matter"


def _gradient(call: Call, inputs: Mapping[str, Tensor], must_reach: tuple[str, ...]) -> str:
    leaves = {k: inputs[k].clone().requires_grad_() for k in must_reach if inputs[k].is_floating_point()}
    if not leaves:
        raise Unmeasured("no input is real-valued")
    # times one: an in-place write on a leaf would raise, and that is another check's finding
    y = call({**copied(inputs), **{k: x * 1 for k, x in leaves.items()}})
    if not y.requires_grad:
        raise Refused("the output does not depend on any input in autograd's eyes: something detaches it")
    weights = torch.randn(y.shape, generator=torch.Generator().manual_seed(1))
    gradients = torch.autograd.grad((y * weights).sum(), list(leaves.values()), allow_unused=True)
    for key, gradient in zip(leaves, gradients, strict=True):
        if gradient is None or not (gradient != 0).any():
            raise Refused(f"no gradient reaches {key}: it is detached, rounded or unused")
        if not gradient.isfinite().all():
            raise Refused(f"the gradient at {key} is not finite")
    return ", ".join(leaves)


def _saved(build: Callable[[], nn.Module], run: Callable[[nn.Module], Tensor], steady: bool) -> str:
    if not steady:
        raise Unmeasured("needs a deterministic forward pass")
    with torch.no_grad():
        first, second = build().eval(), build().eval()
        for p in first.parameters():
            p.add_(0.01)
        stored = save_tensors({k: x.contiguous() for k, x in first.state_dict().items()})
        second.load_state_dict(load_tensors(stored))
        difference = (run(first) - run(second)).abs().max()
    if difference != 0:
        raise Refused(f"loaded weights give outputs that differ by {float(difference):.2g}: state lies outside of them")
    return f"{len(stored):,} bytes"


def _flip(fields: Mapping[str, Field]) -> str:
    generator = torch.Generator().manual_seed(0)
    for key, field in fields.items():
        x = sample_field(field, 2, 6, generator)
        if tuple(x.shape) != field.shape(2, 6):
            raise Refused(f"{key} has the shape {tuple(x.shape)}")
        if not torch.equal(field.flip(field.flip(x)), x):
            raise Refused(f"{key} flipped twice is not what it was: rc {field.rc} must undo itself")
    return ", ".join(fields)
