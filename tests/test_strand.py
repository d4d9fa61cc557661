"""A model with shared weights is true to the strand with every head, before training and after."""

import pytest
import torch

from zoo.interfaces import total
from zoo.model import Model, build
from zoo.objectives.squared_error import SquaredError
from zoo.registry import registry
from zoo.spec import ModelSpec

LENGTH = 128
HEADS = {
    "mean": {"name": "scalar", "pool": "mean"},
    "max": {"name": "scalar", "pool": "max", "hidden": 8},
    "attention": {"name": "scalar", "pool": "attention"},
    "center": {"name": "scalar", "pool": "center"},
    "strands": {"name": "scalar", "tasks": ["plus", "minus"], "rc": [1, 0]},
    "classes": {"name": "scalar", "classes": ["a", "b", "c"]},
    "profile": {"name": "profile", "kernel": 5},
    "bins": {"name": "profile", "bin_size": 8, "crop": 2},
    "stranded": {"name": "profile", "tasks": ["plus", "minus"], "rc": [1, 0], "kernel": 3},
    "segments": {"name": "profile", "classes": ["gain", "loss"], "rc": [1, 0]},
}
ENCODERS = [name for name in registry().names("encoder") if "tied" in registry().resolve("encoder", name)]


def tied(encoder: str, head: str) -> Model:
    torch.manual_seed(0)
    known = registry()
    arguments = known.resolve("encoder", encoder, {"tied": True})
    if "pools" in arguments:  # down to bins of kilobases, which the heads here are not made for
        arguments["pools"] = [1]
    if encoder in ("residual_cnn", "construct_cnn_rnn"):  # to a position a base, as the profile heads here have it
        arguments["pool"] = 1
    built = known.build("encoder", encoder, arguments)
    part = {**HEADS[head]}
    name = part.pop("name")
    if built.pools and known.get("head", name).needs_positions:
        pytest.skip(f"{encoder} pools the positions away")
    part = {"name": name, **known.resolve("head", name, part, {"in_channels": built.out_channels})}
    return build(ModelSpec("tied", {"name": encoder, **arguments}, {"output": part}, LENGTH))


def scale_up(model: Model, batch: dict) -> None:
    """Spread of the outputs to about 1: a difference below 1e-5 says nothing of outputs that hardly vary."""
    head = model.heads["output"]
    last = head.dense if hasattr(head, "dense") else head.output
    with torch.no_grad():
        last.weight /= model(batch)["output"].std(0).mean()


def worst(model: Model, batch: dict) -> tuple[float, float]:
    with torch.no_grad():
        here, there = model(batch)["output"], model(model.flip(batch))["output"]
    field = model.spec.outputs["output"][0]
    return float((there - field.flip(here)).abs().max()), float(here.std())


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("encoder", ENCODERS)
def test_a_tied_model_is_true_to_the_strand_before_and_after_training(encoder, head):
    model = tied(encoder, head).eval()
    generator = torch.Generator().manual_seed(1)
    batch = {"codes": torch.randint(5, (16, LENGTH), generator=generator).to(torch.uint8)}
    scale_up(model, batch)
    difference, spread = worst(model, batch)
    assert difference < 1e-5
    assert spread > 0.1

    objective = SquaredError(head="output")
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3)
    with torch.no_grad():
        target = torch.randn(model(batch)["output"].shape, generator=generator)
    model.train()
    for _ in range(5):
        prediction, embedding = model.forward_with_embedding(batch)
        loss = total(objective(prediction, {**batch, "target/output": target}, embedding))
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 10.0)
        optimizer.step()
    difference, spread = worst(model.eval(), batch)
    assert difference < 1e-5
    assert spread > 0.1


def test_there_is_an_encoder_of_every_installed_kind():
    assert "motif_cnn" in ENCODERS


def test_conjoined_prediction_is_true_to_the_strand_for_any_encoder():
    known = registry()
    arguments = known.resolve("encoder", "motif_cnn", {})
    inject = {"in_channels": 32, "tasks": ["plus", "minus"], "rc": [1, 0]}
    head = {"name": "scalar", **known.resolve("head", "scalar", {}, inject)}
    spec = ModelSpec("both", {"name": "motif_cnn", **arguments}, {"output": head}, LENGTH, conjoined=True)
    batch = {"codes": torch.randint(5, (16, LENGTH)).to(torch.uint8)}
    difference, spread = worst(build(spec).eval(), batch)
    assert difference < 1e-5 < spread
    difference, _ = worst(build(spec.replace(conjoined=False)).eval(), batch)
    assert difference > 1e-2
