"""What a whole model promises, however its parts were joined."""

from __future__ import annotations

import copy
import tempfile
from pathlib import Path
from typing import cast

import torch

from zoo.errors import ZooError
from zoo.model import Ensemble, Model
from zoo.spec import ModelSpec
from zoo.testing.incremental import agrees
from zoo.testing.module import check_fields, close
from zoo.testing.report import Check, Refused, Unmeasured, measure
from zoo.testing.samples import sample, settled


def check_model(model: Model) -> list[Check]:
    """Measure a model of any parts on random input; its weights are left as they are."""
    was_training = model.training
    model.eval()
    batch = _batch(model, 4)
    checks = [
        measure("shape", lambda: _shape(model, batch)),
        measure("strand", lambda: _strand(model)),
        check_fields({**model.input_fields, **{h: f for h, (f, _) in model.spec.outputs.items()}}),
        measure("all-N input", lambda: _all_n(model, batch)),
        measure("config round trip", lambda: _config(model)),
        measure("saved and loaded to the bit", lambda: _saved(model, batch)),
        measure("incremental inference", lambda: _incremental(model)),
    ]
    model.train(was_training)
    return checks


def _batch(model: Model, n: int) -> dict[str, torch.Tensor]:
    length = model.spec.input_length
    batch = sample(model.input_fields, n, length)
    if "one_hot" in batch:
        del batch["one_hot"]
        batch["codes"] = torch.randint(5, (n, length), generator=torch.Generator().manual_seed(2)).to(torch.uint8)
    return batch


@torch.no_grad()
def _shape(model: Model, batch: dict[str, torch.Tensor]) -> str:
    prediction = model.predict(batch)
    if set(prediction) != set(model.spec.outputs):
        raise Refused(f"heads {sorted(prediction)} are not the outputs {sorted(model.spec.outputs)}")
    for head, x in prediction.items():
        field, grid = model.spec.outputs[head]
        expected = field.shape(4, grid.length if grid else 1)
        if tuple(x.shape) != expected:
            raise Refused(f"head {head} gives {tuple(x.shape)}, not {expected}")
        if not x.isfinite().all():
            raise Refused(f"head {head} is not finite")
    return ", ".join(f"{head} {tuple(x.shape)}" for head, x in prediction.items())


@torch.no_grad()
def _strand(model: Model) -> str:
    """A model that claims to be true to the strand is, for every head, with weights as after training."""
    first = cast(Model, model.members[0]) if isinstance(model, Ensemble) else model
    if first.encoder.strand != "equivariant" and not model.spec.conjoined:
        return "none claimed"
    trained = cast(Model, settled(copy.deepcopy(first), lambda m: m(_batch(m, 4))))
    batch = _batch(trained, 8)
    here, there = trained(batch), trained(trained.flip(batch))
    worst = 0.0
    for head, x in here.items():
        field = trained.spec.outputs[head][0]
        difference = float((there[head] - field.flip(x)).abs().max())
        worst = max(worst, difference / max(1.0, float(x.abs().max())))
        if worst > 1e-5:
            raise Refused(f"head {head} differs by {difference:.2g} between the strands where the sd is {x.std():.2g}")
    return f"differs by {worst:.1g}"


@torch.no_grad()
def _all_n(model: Model, batch: dict[str, torch.Tensor]) -> str:
    if "codes" not in batch:
        raise Unmeasured("reads no sequence")
    for head, x in model.predict({**batch, "codes": torch.full_like(batch["codes"], 4)}).items():
        if not x.isfinite().all():
            raise Refused(f"head {head} is not finite for a window of N")
    return "finite"


def _incremental(model: Model) -> str:
    """Every output, by position where it has positions."""
    if "one_hot" not in model.input_fields:
        raise Unmeasured("reads no sequence")
    return agrees(
        model,
        lambda inputs: torch.cat([x.flatten(1) for x in model(inputs).values()], 1),
        {k: f for k, f in model.input_fields.items() if f.required},
        model.spec.input_length,
    )


def _config(model: Model) -> str:
    again = ModelSpec.from_json(model.spec.to_json())
    if again.to_json() != model.spec.to_json():
        raise Refused("the spec read back from JSON is another one")
    return f"{len(model.spec.to_json()):,} characters of JSON"


@torch.no_grad()
def _saved(model: Model, batch: dict[str, torch.Tensor]) -> str:
    from zoo.hub.model_folder import load_bundle, save_bundle

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model"
        try:
            save_bundle(model, path, batch)
            loaded = load_bundle(path)
        except ZooError as error:
            raise Refused(str(error)) from error
        for head, x in model.predict(batch).items():
            if not torch.equal(loaded.predict(batch)[head], x):
                raise Refused(f"head {head} differs by {close(loaded.predict(batch)[head], x)[1]:.2g} after loading")
        return f"{sum(f.stat().st_size for f in path.iterdir()):,} bytes"
