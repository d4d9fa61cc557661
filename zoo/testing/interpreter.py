"""The interpreter's contract."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from zoo.interfaces import Attribution, Interpreter
from zoo.model import Model
from zoo.outputs import Output
from zoo.testing.module import close
from zoo.testing.probe import LENGTH, READ, probe_model
from zoo.testing.report import Check, Refused, Unmeasured, measure

KINDS = ("effect", "contribution", "hypothetical")


def check_interpreter(interpreter: Interpreter | Callable[[], Interpreter]) -> list[Check]:
    """Measure every promise of an interpreter on a model that is known to read a few bases only."""
    made: list[Interpreter] = []
    interface = measure("interface", lambda: _interface(interpreter, made))
    if not interface.ok:
        return [interface]
    model = probe_model()
    output = Output.parse("output", model.spec)
    codes = torch.randint(4, (4, LENGTH), generator=torch.Generator().manual_seed(1)).to(torch.uint8)
    first: list[Attribution] = []
    shape = measure("shape and kind", lambda: _shape(made[0], model, {"codes": codes}, output, first))
    if not shape.ok:
        return [interface, shape]
    return [
        interface,
        shape,
        measure("leaves the model as it was", lambda: _traceless(made[0], {"codes": codes}, output)),
        measure("independent of the batch", lambda: _independent(made[0], model, codes, output, first[0])),
        measure("finds what the model reads", lambda: _truth(model, codes, first[0])),
    ]


def _interface(interpreter: Interpreter | Callable[[], Interpreter], made: list[Interpreter]) -> str:
    built = interpreter if isinstance(interpreter, Interpreter) else interpreter()
    if not isinstance(built, Interpreter):
        raise Refused(f"{type(built).__name__} is no zoo.Interpreter")
    made.append(built)
    return type(built).__name__


def _shape(
    interpreter: Interpreter, model: Model, batch: Mapping[str, Tensor], output: Output, first: list[Attribution]
) -> str:
    attribution = interpreter.attribute(model, batch, output)
    if not isinstance(attribution, Attribution) or attribution.kind not in KINDS:
        raise Refused(f"attribute must return an Attribution whose kind is one of {', '.join(KINDS)}")
    inputs = model.prepare(batch)
    for key, values in attribution.values.items():
        if key not in inputs or values.shape != inputs[key].shape:
            raise Refused(f"values of {key!r} have the shape {tuple(values.shape)}, not that of the input")
        if not values.isfinite().all():
            raise Refused(f"values of {key!r} are not finite")
        if values.requires_grad:
            raise Refused(f"values of {key!r} carry a graph: detach them")
    if "one_hot" not in attribution.values:
        raise Refused("there are no values for the sequence")
    if attribution.delta is not None and attribution.delta.shape != (len(batch["codes"]),):
        raise Refused(f"delta has the shape {tuple(attribution.delta.shape)}, not one number an example")
    first.append(attribution)
    return attribution.kind


def _traceless(interpreter: Interpreter, batch: Mapping[str, Tensor], output: Output) -> str:
    model = probe_model().train()
    model.encoder.eval()
    before = batch["codes"].clone()
    interpreter.attribute(model, batch, output)
    if not model.training or model.encoder.training:
        raise Refused("the model's train or eval mode was not restored")
    if any(p.grad is not None or not p.requires_grad for p in model.parameters()):
        raise Refused("gradients or requires_grad of the weights were changed")
    if not torch.equal(before, batch["codes"]):
        raise Refused("the batch was changed")
    return "modes, gradients and batch are as they were"


def _independent(interpreter: Interpreter, model: Model, codes: Tensor, output: Output, first: Attribution) -> str:
    alone = [interpreter.attribute(model, {"codes": codes[i : i + 1]}, output).values["one_hot"] for i in range(2)]
    same, difference = close(torch.cat(alone), first.values["one_hot"][:2])
    if not same:
        raise Unmeasured(f"one at a time differs by {difference:.2g}: the method draws, or sees its neighbours")
    return "one at a time is the same"


def _truth(model: Model, codes: Tensor, attribution: Attribution) -> str:
    """Nothing where the model does not look, something where it does; effects 0 at the reference base."""
    values = attribution.values["one_hot"].abs()
    outside = torch.cat([values[:, :, : READ[0]], values[:, :, READ[1] :]], dim=2)
    if float(outside.max()) > 1e-6 * float(values.max()):
        raise Refused(f"bases that the model does not read get up to {float(outside.max()):.2g}")
    if not (values[:, :, READ[0] : READ[1]].sum((1, 2)) > 0).all():
        raise Refused("bases that the model reads get nothing")
    if attribution.kind == "effect" and (values * model.prepare({"codes": codes})["one_hot"]).any():
        raise Refused("an effect is against the reference, so the reference base has 0")
    return f"bases {READ[0]} to {READ[1]} of {LENGTH}"
