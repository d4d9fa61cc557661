"""Attributions are checked against what can be worked out by hand."""

from types import MappingProxyType

import pytest
import torch

from zoo.errors import ConfigError
from zoo.fields import ONE_HOT, Field, Grid
from zoo.heads.scalar import ScalarHead
from zoo.interfaces import Encoder
from zoo.interpreters.ism import ISM
from zoo.model import Model
from zoo.outputs import Output
from zoo.spec import ModelSpec
from zoo.testing.probe import LENGTH, READ, probe_model


class Beside(Encoder):
    """Sequence times a signal that may be missing."""

    inputs = MappingProxyType({"one_hot": ONE_HOT, "signal": Field("AT", channels=("depth",), required=False)})
    out_channels = 3
    receptive_field = 5

    def __init__(self):
        super().__init__()
        self.convolution = torch.nn.Conv1d(4, 3, 5, padding=2)

    def grid(self, length):
        return Grid(0, 1, length)

    def forward(self, inputs):
        return torch.tanh(self.convolution(inputs["one_hot"])) * (1 + inputs["signal"])


@pytest.fixture
def case():
    model = probe_model()
    codes = torch.randint(4, (3, LENGTH), generator=torch.Generator().manual_seed(1)).to(torch.uint8)
    return model, {"codes": codes}, Output.parse("output", model.spec)


def test_an_effect_is_the_difference_that_a_substitution_makes(case):
    model, batch, output = case
    effects = ISM().attribute(model, batch, output).values["one_hot"]
    mutated = {"codes": batch["codes"].clone()}
    position, base = READ[0] + 2, (int(batch["codes"][1, READ[0] + 2]) + 1) % 4
    mutated["codes"][1, position] = base
    with torch.no_grad():
        difference = model.predict(mutated)["output"][1, 0] - model.predict(batch)["output"][1, 0]
    torch.testing.assert_close(effects[1, base, position], difference)


def test_incremental_inference_gives_what_full_inference_gives(case):
    model, batch, output = case
    incremental, full = (ISM(full=f).attribute(model, batch, output).values["one_hot"] for f in (False, True))
    torch.testing.assert_close(incremental, full, atol=1e-6, rtol=1e-5)


def test_the_sequence_may_come_as_one_hot(case):
    model, batch, output = case
    batch["codes"][0, READ[0]] = 4
    prepared = {"one_hot": model.prepare(batch)["one_hot"]}
    found = ISM().attribute(model, prepared, output).values["one_hot"]
    torch.testing.assert_close(found, ISM().attribute(model, batch, output).values["one_hot"])


def test_optional_inputs_are_held_while_bases_change():
    """A model that reads a signal beside the sequence: effects with the signal given differ from those without."""
    spec = ModelSpec("beside", {"name": "beside"}, {"binding": {"name": "scalar"}}, 40)
    model = Model(spec, Beside(), {"binding": ScalarHead(in_channels=3, tasks=("binding",))})
    codes = torch.randint(4, (2, 40), generator=torch.Generator().manual_seed(1)).to(torch.uint8)
    signal = torch.rand(2, *model.input_fields["signal"].shape(2, 40)[1:], generator=torch.Generator().manual_seed(2))
    output = Output.parse(None, model.spec)
    found = ISM().attribute(model, {"codes": codes, "signal": signal}, output).values["one_hot"]
    mutated = codes.clone()
    mutated[1, 20] = (int(codes[1, 20]) + 1) % 4
    with torch.no_grad():
        change = [model.predict({"codes": c, "signal": signal})["binding"][1, 0] for c in (mutated, codes)]
    torch.testing.assert_close(found[1, int(mutated[1, 20]), 20], change[0] - change[1])


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
