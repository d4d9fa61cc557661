"""Gradients and integrated gradients against what can be worked out by hand, and against captum."""

import numpy as np
import pytest
import torch

from zoo.attribution.sequences import attribute_codes
from zoo.errors import ConfigError
from zoo.fields import Field, Grid
from zoo.interfaces import Encoder, Head
from zoo.interpreters.ism import ISM
from zoo.model import Model
from zoo.outputs import Output
from zoo.registry import registry
from zoo.spec import ModelSpec
from zoo.testing.component import check_component
from zoo.testing.probe import LENGTH, probe_model
from zoo_attribution.integrated_gradients import IntegratedGradients
from zoo_attribution.references import reference_codes
from zoo_attribution.saliency import InputXGradient, Saliency

NAMES = ("saliency", "input_x_gradient", "integrated_gradients", "deeplift_shap")


@pytest.fixture
def case():
    model = probe_model()
    codes = torch.randint(4, (3, LENGTH), generator=torch.Generator().manual_seed(1)).to(torch.uint8)
    return model, {"codes": codes}, Output.parse("output", model.spec)


class Weighted(Encoder):
    """The sum of a weight for every base at every position."""

    pools = True
    receptive_field = None
    out_channels = 1

    def __init__(self, weight):
        super().__init__()
        self.weight = torch.nn.Parameter(weight)

    def grid(self, length):
        return Grid(0, length, 1)

    def forward(self, inputs):
        return (inputs["one_hot"] * self.weight).sum((1, 2)).reshape(-1, 1, 1)


class Same(Head):
    field = Field("C", channels=("output",))

    def forward(self, embedding, inputs):
        return embedding[:, :, 0]


def linear_model(length=50):
    weight = torch.randn(4, length, generator=torch.Generator().manual_seed(3)) + 2
    spec = ModelSpec("linear", {"name": "weighted"}, {"output": {"name": "same"}}, length)
    return Model(spec, Weighted(weight), {"output": Same()})


def test_every_interpreter_is_registered_and_keeps_its_promises():
    owned = [
        n for n in registry().names("interpreter") if registry().component("interpreter", n).owner == "zoo-attribution"
    ]
    assert sorted(owned) == sorted(NAMES)
    for name in owned:
        assert not [c for c in check_component("interpreter", name) if not c.ok], name


def test_on_a_linear_model_all_methods_and_mutagenesis_agree():
    """r = 1 to 1e-6: mean-corrected input x gradient, the same of integrated gradients, minus the mean effect."""
    model = linear_model()
    codes = np.random.default_rng(0).integers(0, 4, (20, 50)).astype(np.uint8)
    truth = -attribute_codes(model, codes, interpreter="ism").values.mean(1)
    centered = {
        "input_x_gradient": attribute_codes(model, codes, interpreter="input_x_gradient").per_base(),
        "saliency": attribute_codes(model, codes, interpreter="saliency").per_base(),
        "integrated_gradients": attribute_codes(model, codes, interpreter="integrated_gradients").per_base(),
        "deeplift_shap": attribute_codes(model, codes, interpreter="deeplift_shap").per_base(),
        "contribution": attribute_codes(
            model, codes, interpreter={"name": "integrated_gradients", "kind": "contribution", "center": True}
        ).per_base(),
    }
    for name, scores in centered.items():
        r = np.corrcoef(scores.ravel(), truth.ravel())[0, 1]
        assert abs(r - 1) < 1e-6, (name, r)
        np.testing.assert_allclose(scores, truth, atol=2e-5, err_msg=name)


def test_raw_input_x_gradient_is_not_comparable_and_is_refused():
    codes = np.random.default_rng(0).integers(0, 4, (4, 50)).astype(np.uint8)
    raw = attribute_codes(linear_model(), codes, interpreter={"name": "input_x_gradient", "center": False})
    with pytest.raises(ConfigError, match="center=true"):
        raw.per_base()
    truth = -attribute_codes(linear_model(), codes, interpreter="ism").values.mean(1)
    assert np.corrcoef(raw.values.sum(1).ravel(), truth.ravel())[0, 1] < 0.99


def test_the_gradient_is_that_of_autograd(case):
    model, batch, output = case
    x = model.prepare(batch)["one_hot"].requires_grad_()
    model.predict({"one_hot": x})["output"].sum().backward()
    plain = Saliency(center=False).attribute(model, batch, output)
    assert plain.kind == "hypothetical"
    torch.testing.assert_close(plain.values["one_hot"], x.grad)
    centered = Saliency().attribute(model, batch, output).values["one_hot"]
    torch.testing.assert_close(centered.sum(1), torch.zeros(3, LENGTH), atol=1e-6, rtol=0)
    times = InputXGradient(center=False).attribute(model, batch, output)
    assert times.kind == "contribution"
    torch.testing.assert_close(times.values["one_hot"], x.grad * x.detach())


def test_gradients_work_where_gradients_are_switched_off(case):
    model, batch, output = case
    with torch.no_grad():
        values = Saliency().attribute(model, batch, output).values["one_hot"]
    assert values.abs().sum() > 0


def test_integrated_gradients_are_those_of_captum(case):
    captum = pytest.importorskip("captum.attr", reason="captum is the oracle")
    model, batch, output = case
    found = IntegratedGradients(steps=20, kind="contribution").attribute(model, batch, output)
    x = model.prepare(batch)["one_hot"].contiguous()
    function = captum.IntegratedGradients(lambda z: model.predict({"one_hot": z})["output"][:, 0])
    theirs = function.attribute(x, n_steps=20, method="gausslegendre")
    torch.testing.assert_close(found.values["one_hot"], theirs.to(x), atol=1e-6, rtol=1e-5)


def test_more_steps_bring_the_sum_closer_to_the_difference(case):
    model, batch, output = case
    deltas = [
        float(IntegratedGradients(steps=s, references="gc").attribute(model, batch, output).delta.abs().max())
        for s in (2, 8, 32)
    ]
    assert deltas[2] < 1e-5
    assert deltas[0] > 10 * deltas[1]


def test_references_keep_what_they_promise():
    codes = np.random.default_rng(0).integers(0, 4, 2000).astype(np.uint8)
    codes[:5] = 4
    assert reference_codes(codes, "zero", 3, 0) is None
    shuffles = reference_codes(codes, "dinucleotide", 3, 0)
    pairs = lambda row: np.bincount(row[:-1] * 5 + row[1:], minlength=25)  # noqa: E731
    assert all(np.array_equal(pairs(row), pairs(codes)) for row in shuffles)
    random = reference_codes(np.where(np.arange(2000) % 4, 1, 0).astype(np.uint8), "gc", 50, 0)
    assert abs(np.isin(random, (1, 2)).mean() - 0.75) < 0.01
    assert (reference_codes(codes, "gc", 3, 0)[:, :5] == 4).all()
    assert not np.array_equal(reference_codes(codes, "gc", 3, 0), reference_codes(codes, "gc", 3, 1))


@pytest.mark.parametrize(
    ("options", "message"),
    [({"references": "zeros"}, "zero"), ({"n_references": 0}, "1 or more"), ({"kind": "effect"}, "hypothetical")],
)
@pytest.mark.parametrize("name", ["integrated_gradients", "deeplift_shap"])
def test_wrong_options_are_refused_with_the_remedy(name, options, message):
    with pytest.raises(ConfigError, match=message):
        registry().build("interpreter", name, options)


def test_saturation_hides_from_the_gradient_and_not_from_differences():
    """min(sites, 1): with both sites there, no single substitution changes anything that the gradient could see."""
    model = probe_model()
    codes = np.random.default_rng(0).integers(0, 4, (3, LENGTH)).astype(np.uint8)
    with torch.no_grad():
        model.encoder.weight.mul_(60)
    output = Output.parse("output", model.spec)
    batch = {"codes": torch.from_numpy(codes)}
    gradient = Saliency().attribute(model, batch, output).values["one_hot"].abs().amax()
    effects = ISM().attribute(model, batch, output).values["one_hot"].abs().amax()
    assert gradient < 1e-3 * effects
