"""The encoder's contract."""

from __future__ import annotations

import copy
from collections.abc import Callable

import torch
from torch import Tensor

from zoo.interfaces import Encoder
from zoo.testing.module import check_fields, check_function, check_saving
from zoo.testing.positions import check_grid, check_receptive_field, footprint
from zoo.testing.report import Check, Refused, Unmeasured, measure
from zoo.testing.samples import fresh_module, sample, settled, valid_length


def check_encoder(encoder: Encoder | Callable[[], Encoder], *, length: int | None = None) -> list[Check]:
    """Measure every promise of an encoder; it is left as it was.

    encoder: an instance, or a function that builds one (which also finds state that is not stored).
    length: bp of the window to measure in; by default about 240 bp that the encoder accepts.
    """
    made: list[Encoder] = []
    interface = measure("interface", lambda: _interface(encoder, made))
    if not interface.ok:
        return [interface]
    built = made[0]
    sizes: list[int] = []
    shape = measure("shape", lambda: _shape(built, length, sizes))
    if not sizes:
        return [interface, shape]
    length = sizes[0]
    inputs = sample(built.inputs, 5, length)
    trained = settled(built, lambda e: e(sample(built.inputs, 5, length, seed=3)))
    measured: list = []
    functions = check_function(trained, inputs, tuple(built.inputs))
    seen = measure("receptive field", lambda: _seen(trained, length, measured))
    return [
        interface,
        shape,
        measure("dtype", lambda: _dtype(trained, length)),
        *functions,
        seen,
        measure("grid", lambda: check_grid(trained, measured[0] if measured else None, length)),
        measure("strand", lambda: _strand(trained, length)),
        check_fields(built.inputs),
        measure("all-N input", lambda: _all_n(trained, length)),
        measure("missing input", lambda: _missing(trained, length)),
        check_saving(lambda: fresh_module(encoder), lambda e: e(sample(e.inputs, 2, length)), bool(functions[0].ok)),
    ]


def _interface(encoder: Encoder | Callable[[], Encoder], made: list[Encoder]) -> str:
    built = fresh_module(encoder)
    if not isinstance(built, Encoder):
        raise Refused(f"{type(built).__name__} is no zoo.Encoder")
    for name in ("out_channels", "receptive_field"):
        if not hasattr(built, name):
            raise Refused(f"{type(built).__name__} declares no {name}")
    if built.strand not in ("none", "equivariant"):
        raise Refused(f"strand {built.strand!r} must be none or equivariant")
    made.append(built)
    return type(built).__name__


def _shape(encoder: Encoder, length: int | None, sizes: list[int]) -> str:
    length = length or valid_length(encoder, 240)
    grid = encoder.grid(length)
    try:
        with torch.no_grad():
            x = encoder.eval()(sample(encoder.inputs, 3, length))
    except RuntimeError as error:
        raise Refused(
            f"grid accepts {length:,} bp, but the forward pass ends in {str(error).splitlines()[0]}: let grid raise "
            "ContractError for lengths that cannot be read, or give --length"
        ) from error
    if x.dim() != 3:
        raise Refused(f"an embedding is (N, D, T), not {tuple(x.shape)}")
    sizes.append(length)
    expected = (3, encoder.out_channels, grid.length)
    if tuple(x.shape) != expected:
        raise Refused(f"{tuple(x.shape)} for {length} bp, but out_channels and grid declare {expected}")
    return f"(N, 4, {length}) -> {('N', *expected[1:])}".replace("'", "")


def _dtype(encoder: Encoder, length: int) -> str:
    encoder, inputs = copy.deepcopy(encoder), sample(encoder.inputs, 1, length)
    with torch.no_grad():
        for dtype in (torch.float64, torch.float32):
            x = encoder.to(dtype)({k: v.to(dtype) if v.is_floating_point() else v for k, v in inputs.items()})
            if x.dtype != dtype:
                raise Refused(f"{dtype} inputs and weights give {x.dtype}: make new tensors of the input's type")
    return "follows its inputs"


def _seen(encoder: Encoder, length: int, measured: list) -> str:
    if encoder.receptive_field is not None:
        measured.append(footprint(encoder))
    return check_receptive_field(encoder, measured[0] if measured else None, length)


@torch.no_grad()
def _strand(encoder: Encoder, length: int) -> str:
    inputs = sample(encoder.inputs, 5, length)
    turned = {k: encoder.inputs[k].flip(x) if k in encoder.inputs else x for k, x in inputs.items()}
    here, there = encoder(inputs), encoder(turned)
    spread, difference = float(here.std()), float((there - here.flip(1, 2)).abs().max())
    if encoder.strand == "none":
        return f"none claimed; rc differs by {difference:.2g}, sd {spread:.2g}"
    if spread == 0:
        raise Unmeasured("the embedding is constant")
    if difference > 1e-5 * max(1.0, float(here.abs().max())):
        raise Refused(f"claimed equivariant, but rc differs by {difference:.2g} where the sd is {spread:.2g}")
    return f"equivariant; rc differs by {difference:.1g}, sd {spread:.2g}"


@torch.no_grad()
def _all_n(encoder: Encoder, length: int) -> str:
    if "one_hot" not in encoder.inputs:
        raise Unmeasured("reads no sequence")
    inputs = sample(encoder.inputs, 2, length)
    for value in (0.0, 0.25):
        _finite(encoder({**inputs, "one_hot": torch.full_like(inputs["one_hot"], value)}))
    return "finite"


@torch.no_grad()
def _missing(encoder: Encoder, length: int) -> str:
    optional = [k for k, field in encoder.inputs.items() if not field.required]
    if not optional:
        raise Unmeasured("every input is required")
    for key in optional:
        inputs = sample(encoder.inputs, 2, length)
        inputs[key], inputs[f"present/{key}"] = torch.zeros_like(inputs[key]), torch.zeros(2)
        _finite(encoder(inputs))
    return ", ".join(optional)


def _finite(x: Tensor) -> None:
    if not x.isfinite().all():
        raise Refused(f"{int((~x.isfinite()).sum()):,} of {x.numel():,} numbers are not finite")
