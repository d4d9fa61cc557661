"""Attributions are checked against what can be worked out by hand."""

import pytest
import torch

from zoo.errors import ConfigError
from zoo.interpreters.gradient import Gradient
from zoo.interpreters.ism import ISM
from zoo.outputs import Output
from zoo.testing.probe import LENGTH, READ, probe_model


@pytest.fixture
def case():
    model = probe_model()
    codes = torch.randint(4, (3, LENGTH), generator=torch.Generator().manual_seed(1)).to(torch.uint8)
    return model, {"codes": codes}, Output.parse("output", model.spec)


def test_an_effect_is_the_difference_that_a_substitution_makes(case):
    model, batch, output = case
    effects = ISM(batch_size=7).attribute(model, batch, output).values["one_hot"]
    mutated = {"codes": batch["codes"].clone()}
    position, base = READ[0] + 2, (int(batch["codes"][1, READ[0] + 2]) + 1) % 4
    mutated["codes"][1, position] = base
    with torch.no_grad():
        difference = model.predict(mutated)["output"][1, 0] - model.predict(batch)["output"][1, 0]
    torch.testing.assert_close(effects[1, base, position], difference)


def test_every_base_is_a_substitution_of_an_n(case):
    model, batch, output = case
    batch["codes"][0, READ[0]] = 4
    effects = ISM().attribute(model, batch, output).values["one_hot"]
    assert (effects[0, :, READ[0]] != 0).all()
    assert ((effects[1, :, READ[0]] != 0).sum()) == 3


def test_mutagenesis_can_be_kept_to_a_region(case):
    model, batch, output = case
    whole = ISM().attribute(model, batch, output).values["one_hot"]
    part = ISM(start=14, end=16).attribute(model, batch, output).values["one_hot"]
    torch.testing.assert_close(part[:, :, 14:16], whole[:, :, 14:16])
    assert (part[:, :, :14] == 0).all()
    assert (part[:, :, 16:] == 0).all()
    with pytest.raises(ConfigError, match="outside of the window"):
        ISM(start=30, end=99).attribute(model, batch, output)


def test_the_gradient_is_that_of_autograd(case):
    model, batch, output = case
    x = model.prepare(batch)["one_hot"].requires_grad_()
    model.predict({"one_hot": x})["output"].sum().backward()
    plain = Gradient(times_input=False, center=False).attribute(model, batch, output)
    assert plain.kind == "hypothetical"
    torch.testing.assert_close(plain.values["one_hot"], x.grad)
    centered = Gradient(times_input=False).attribute(model, batch, output).values["one_hot"]
    torch.testing.assert_close(centered.sum(1), torch.zeros(3, LENGTH), atol=1e-6, rtol=0)
    times = Gradient(center=False).attribute(model, batch, output)
    assert times.kind == "contribution"
    torch.testing.assert_close(times.values["one_hot"], x.grad * x.detach())


def test_gradients_work_where_gradients_are_switched_off(case):
    model, batch, output = case
    with torch.no_grad():
        values = Gradient().attribute(model, batch, output).values["one_hot"]
    assert values.abs().sum() > 0
